# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The command line of the small real cloud: arguments in, text out."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import typing as t

from . import cloud_host, cloud_tempest, daemon
from .base import LabError
from .cloud_service import Service, Spec, names


def main() -> int:
    """Run one subcommand; its exit code."""
    words = sys.argv[1:]
    dashes = words.index("--") if "--" in words else len(words)
    args = _parser().parse_args(words[:dashes])
    # The cloud's libvirt is one more lab, in a state directory of its own: what the lab knows of starting and stopping
    # serves both, and neither can stop the other.
    os.environ["OPENRESCUE_CLOUD"] = os.environ["OPENRESCUE_LAB"] = str(cloud_host.cloud_dir())
    try:
        _call(args, words[dashes + 1 :])
    except LabError as error:
        print(f"cloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cloud: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloud", description="The small real cloud of the lab.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start whatever of it does not run; print where its clouds.yaml is")
    commands.add_parser("down", help="stop and remove everything of it but the cache")
    commands.add_parser("config", help="print where its clouds.yaml is")
    commands.add_parser("uri", help="print the URI of its libvirt")
    commands.add_parser("env", help="print shell commands that set OS_CLIENT_CONFIG_FILE and PATH")
    commands.add_parser("status", help="print every service and its process")
    commands.add_parser("restart-libvirtd", help="kill its libvirtd, wait until it is back; guests go on")
    for name, help_text in (
        ("start", "start services, wait until they serve"),
        ("stop", "end services in order"),
        ("kill", "SIGKILL to all processes of services"),
        ("restart", "stop and start services"),
        ("wait", "wait until services serve"),
        ("log", "print where the logs of services are"),
    ):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("service", nargs="+")
    define = commands.add_parser("define", help="read a service's definition from stdin as JSON, start it, do not wait")
    define.add_argument("service")
    commands.add_parser("run", help="read files, a command and its environment from stdin as JSON; become that command")
    after = commands.add_parser("after", help="wait until services are ready, then run a command: after A B -- COMMAND")
    after.add_argument("service", nargs="+")
    tempest = commands.add_parser("tempest", help="run tempest's tests of rescue, print what became of them")
    tempest.add_argument("regex", nargs="?", default="test_server_rescue")
    port = commands.add_parser("port", help="print the port of 127.0.0.1 that leads to a server's SSH")
    port.add_argument("id")
    return parser


def _call(args: argparse.Namespace, command: list[str]) -> None:
    simple: dict[str, t.Callable[[], object]] = {
        "up": lambda: print(cloud_host.up()),
        "down": daemon.down,
        "config": lambda: print(cloud_host.config()),
        "uri": lambda: print(daemon.uri()),
        "env": _env,
        "status": _status,
        "restart-libvirtd": daemon.restart_libvirtd,
        "run": _run,
        "port": lambda: print(cloud_host.ssh_port(args.id)),
        "tempest": lambda: _tempest(args.regex),
        "after": lambda: _after(args.service, command),
        "define": lambda: _define(Service(args.service)),
    }
    if args.command in simple:
        simple[args.command]()
    else:
        _services(args.command, [Service(name) for name in args.service])


def _tempest(regex: str) -> None:
    outcome = cloud_tempest.tempest(regex)
    print(outcome)
    if outcome.failed:
        raise LabError(f"{len(outcome.failed)} of tempest's tests failed")


def _env() -> None:
    print(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(cloud_host.config()))}")
    print(f"export PATH={shlex.quote(str(cloud_host.environment('cloud') / 'bin'))}:$PATH")


def _status() -> None:
    for service in map(Service, names()):
        state = service.pid() or ("done" if service.spec().once and service.is_ready() else "down")
        print(f"{service.name}\t{state}\t{service.log}")


def _define(service: Service) -> None:
    given = json.load(sys.stdin)
    # A file that has changed restarts the service, as any change of its definition does.
    written = cloud_host.write_files(given.pop("files", {}))
    env = {name: str(value) for name, value in given.pop("env", {}).items()}
    argv = [str(word) for word in given.pop("argv")]
    changed = service.define(Spec(argv=argv, env=env, **given))
    if written and not changed:
        service.stop()
    print("started" if service.start() else "runs")


def _run() -> None:
    given = json.load(sys.stdin)
    cloud_host.write_files(given.get("files", {}))
    os.execvpe(given["argv"][0], given["argv"], {**os.environ, **given.get("env", {})})


def _after(names_of: list[str], command: list[str]) -> None:
    """Become the command once the services are ready: how a service waits for what it needs."""
    for name in names_of:
        Service(name).wait(timeout=300)
    os.execvp(command[0], command)


def _services(command: str, services: list[Service]) -> None:
    for service in services:
        service.spec()  # a wrong name is an error before anything is done
    for service in services:
        if command == "kill":
            print(f"{service.name}: {service.kill()} processes killed")
        if command in ("stop", "restart"):
            service.stop()
        if command in ("start", "restart"):
            service.start()
        if command == "log":
            print(service.log)
    if command in ("start", "restart", "wait"):
        for service in services:
            service.wait(timeout=300)
