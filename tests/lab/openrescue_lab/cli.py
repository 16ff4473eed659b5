# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The command line: arguments in, text out, nothing else."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from . import bench, breakage, cloud_host, daemon, guest, host, layout, layout_build, rescue
from .base import LabError
from .domain import Domain, Shape


def main() -> int:
    """Run one subcommand; its exit code."""
    args = _parser().parse_args()
    try:
        _call(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="The test lab of the openrescue.server collection.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="install the Debian packages that the lab needs")
    commands.add_parser("up", help="start the lab's libvirt unless it runs, print its URI")
    commands.add_parser("down", help="stop and remove everything of the lab but its cache")
    commands.add_parser("uri", help="print the URI of the lab's libvirt")
    commands.add_parser("restart-libvirtd", help="kill libvirtd, wait until it is back")
    commands.add_parser("build", help="build what every test boots unless cached, and get what the cloud is made of")
    commands.add_parser("guest", help="build the healthy guest unless cached, print its disk's path")
    commands.add_parser("rescue-image", help="build the rescue image unless cached, print its directory")
    commands.add_parser("plain-image", help="build the plain image unless cached, print its disk's path")
    boots = commands.add_parser("bench-boot", help="print the rescue image's boot against the plain image's, as JSON")
    boots.add_argument("--rounds", type=int, default=1)
    commands.add_parser("ssh-key", help="print the path of the key that opens the guest's root account")
    copy = commands.add_parser("copy", help="copy the healthy guest's disk")
    copy.add_argument("disk", type=pathlib.Path)
    commands.add_parser("breakages", help="list the breakages")
    broken = commands.add_parser("breakage", help="break a disk that no guest uses now")
    broken.add_argument("name", choices=breakage.names())
    broken.add_argument("disk", type=pathlib.Path)
    commands.add_parser("layouts", help="list the layouts of patients' disks")
    laid = commands.add_parser("layout", help="build a layout unless cached, print its disks' paths")
    laid.add_argument("name", choices=layout.names())
    define = commands.add_parser("define", help="define a domain that boots a disk")
    define.add_argument("name")
    define.add_argument("disk", type=pathlib.Path, nargs="+")
    define.add_argument("--machine", default="pc", choices=("pc", "q35"))
    define.add_argument("--firmware", default="bios", choices=("bios", "efi"))
    define.add_argument("--memory", type=int, default=512, metavar="MIB")
    define.add_argument("--network", action="store_true", help="a user-mode network card")
    undefine = commands.add_parser("undefine", help="switch a domain off and forget it")
    undefine.add_argument("name")
    return parser


def _call(args: argparse.Namespace) -> None:
    if args.command == "prepare":
        host.prepare()
    elif args.command == "up":
        print(daemon.up())
    elif args.command == "down":
        daemon.down()
    elif args.command == "uri":
        print(daemon.uri())
    elif args.command == "restart-libvirtd":
        daemon.restart_libvirtd()
    elif args.command == "build":
        cloud_host.prepare()
        layout_build.trees()
    elif args.command == "guest":
        print(guest.guest().disk)
    elif args.command == "rescue-image":
        print(rescue.rescue_image().directory)
    elif args.command == "plain-image":
        print(guest.plain_image())
    elif args.command == "bench-boot":
        print(json.dumps(bench.bench_boot(rounds=args.rounds), indent=2))
    elif args.command == "ssh-key":
        print(guest.ssh_key())
    elif args.command == "copy":
        print(guest.copy_of(guest.guest().disk, args.disk))
    elif args.command == "breakages":
        for name in breakage.names():
            print(f"{name}: {breakage.load(name).summary}")
    elif args.command == "breakage":
        print(breakage.apply(args.name, args.disk.resolve()).summary)
    elif args.command == "layouts":
        for name in layout.names():
            print(f"{name}: {layout.load(name).summary}")
    elif args.command == "layout":
        daemon.up()
        with layout_build.builder() as builder:
            print(*layout_build.disks_of(layout.load(args.name), builder), sep="\n")
    elif args.command == "define":
        shape = Shape(machine=args.machine, firmware=args.firmware, memory=args.memory, network=args.network)
        Domain(args.name).define(*(disk.resolve() for disk in args.disk), shape=shape)
    elif args.command == "undefine":
        Domain(args.name).undefine()
