# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The main job on an embedded guest: broken, seen dead, recovered by the playbook, seen alive."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time
import typing as t

from . import breakage, daemon, guest, host, rescue
from .base import LAB_DIR, LabError, run, state_dir
from .domain import Domain

NAME = "openrescue-demo"
BREAKAGE = "fstab-missing-device"


@dataclasses.dataclass
class Show:
    """Says what happens now, and how long each phase took."""

    seconds: dict[str, float] = dataclasses.field(default_factory=dict)

    @contextlib.contextmanager
    def phase(self, title: str) -> t.Iterator[None]:
        """One phase, timed."""
        print(f"\n\033[1m== {title}\033[0m", flush=True)
        started = time.monotonic()
        yield
        self.seconds[title] = time.monotonic() - started
        print(f"   ({self.seconds[title]:.1f} s)", flush=True)

    def text(self, text: str) -> None:
        """Lines below the title of a phase."""
        for line in text.splitlines():
            print(f"   {line}", flush=True)


def main() -> int:
    """Run the demo; its exit code."""
    keep = os.environ.get("DEMO_KEEP", "") not in ("", "0")
    show = Show()
    was_up = daemon.answers()
    try:
        recovered = _play(show)
        if recovered:
            _summary(show)
        return 0 if recovered else 1
    except LabError as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted, cleaning up", file=sys.stderr)
        return 130
    finally:
        if keep:
            print(f"\nLeft up: virsh -c '{daemon.uri()}' console {NAME}; 'tests/lab/lab down' takes it away.")
        else:
            Domain(NAME).undefine() if daemon.answers() else None
            shutil.rmtree(_directory(), ignore_errors=True)
            if not was_up:
                daemon.down()


def _directory() -> pathlib.Path:
    return state_dir() / "demo"


def _play(show: Show) -> bool:
    with show.phase("Prepare the machine: packages, Python environment, a libvirt of its own"):
        host.prepare()
        venv = pathlib.Path(run(LAB_DIR / "venv", "path").strip())
        daemon.up()
    with show.phase("Build a Debian guest and the rescue image, unless they are in the cache"):
        disk = guest.copy_of(guest.guest().disk, _fresh(_directory()) / "disk.raw")
        image = rescue.rescue_image().qcow2
    with show.phase("Break the guest's disk"):
        show.text(breakage.apply(BREAKAGE, disk).summary)
    domain = Domain(NAME).define(disk)
    with show.phase("Switch it on and watch it not come up"):
        domain.start()
        domain.wait_for_console(breakage.load(BREAKAGE).console)
        show.text("\n".join(domain.console_text().strip().splitlines()[-6:]))
    with show.phase("ansible-playbook openrescue.server.recover"):
        code = _recover(venv, image)
    if code:
        print(f"\nThe playbook ended with {code}: the guest is not back.")
        return False
    with show.phase("Look for ourselves: is it up?"):
        show.text(domain.execute("/usr/bin/findmnt", "-no", "TARGET,SOURCE,FSTYPE", "/boot"))
        show.text(domain.execute("/usr/bin/uptime", "-p"))
    return True


def _fresh(directory: pathlib.Path) -> pathlib.Path:
    if daemon.answers():
        Domain(NAME).undefine()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _recover(venv: pathlib.Path, image: pathlib.Path) -> int:
    inventory = _directory() / "inventory.yml"
    inventory.write_text(
        "servers:\n"
        "  hosts:\n"
        f"    {NAME}:\n"
        "  vars:\n"
        "    rescue_provider: libvirt\n"
        f"    rescue_libvirt_uri: {daemon.uri()}\n"
        f"    rescue_image: {image}\n",
        encoding="utf-8",
    )
    tree = run(LAB_DIR / "venv", "tree").strip()
    environment = {
        **os.environ,
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": tree,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_STDOUT_CALLBACK": "openrescue.server.story",
        "ANSIBLE_FORCE_COLOR": "true" if sys.stdout.isatty() else "false",
    }
    words = ["ansible-playbook", "-i", str(inventory), "openrescue.server.recover", "-e", "rescue_hosts=servers"]
    print(f"   {' '.join(words)}\n", flush=True)
    return subprocess.run([str(venv / "bin" / words[0]), *words[1:]], env=environment, check=False).returncode


def _summary(show: Show) -> None:
    print("\n\033[1mThe guest did not boot, and is back.\033[0m\n")
    for title, seconds in show.seconds.items():
        print(f"  {seconds:7.1f} s  {title}")
    print(f"  {sum(show.seconds.values()):7.1f} s  altogether\n")
