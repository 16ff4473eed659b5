# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The command line: one function per subcommand, nothing but arguments in and text out."""

from __future__ import annotations

import argparse
import sys

from . import daemon
from .base import LabError


def main() -> int:
    """Run one subcommand; its exit code."""
    parser = argparse.ArgumentParser(prog="lab", description="The test lab of the openrescue.server collection.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the lab's libvirtd, print its URI").set_defaults(
        call=lambda args: print(daemon.up())
    )
    commands.add_parser("down", help="stop all of it").set_defaults(call=lambda args: daemon.down())
    commands.add_parser("uri", help="print the URI").set_defaults(call=lambda args: print(daemon.uri()))
    commands.add_parser("restart-libvirtd", help="kill libvirtd and wait until it is back").set_defaults(
        call=lambda args: daemon.restart_libvirtd()
    )
    args = parser.parse_args()
    try:
        args.call(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0
