# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a person gets at a patient, in one running rescue system: openrescue-shell, disk_collect, disk_access."""

from __future__ import annotations

import base64
import json
import pathlib
import shlex
import typing as t

import pytest
from openrescue_lab import guest
from openrescue_lab.base import LabError
from openrescue_lab.rescue_guest import RescueGuest
from patients import Patient, build, chosen, plugged

Built = dict[str, "list[pathlib.Path] | LabError"]
#: layout -> what it hides the root behind
LAYOUTS = {
    "lvm": "/dev/mapper/lab--vg-root",
    "luks": "/dev/mapper/luks-",
    "raid1": "/dev/md9",
    "btrfs": "/dev/vdb2[/@]",
}
HASH = "$6$saltsalt$" + "a" * 86
KIND = b"ssh-ed25519"
KEY = "ssh-ed25519 " + base64.b64encode(len(KIND).to_bytes(4, "big") + KIND + bytes([0, 0, 0, 32]) + bytes(32)).decode()
#: types a command, interrupts another, and leaves; what it sees is printed
TERMINAL = r"""
import os, pty, select, time
pid, fd = pty.fork()
if pid == 0:
    os.execv("/usr/sbin/openrescue-shell", ["openrescue-shell"])
seen = b""

def until(what):
    global seen
    start, end = len(seen), time.time() + 240
    while what not in seen[start:] and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                seen += os.read(fd, 4096)
            except OSError:
                return

until(b"# ")
os.write(fd, b"touch /mine; sleep 900\n")
until(b"Read-only")
time.sleep(2)
os.write(fd, b"\x03")
until(b"# ")
os.write(fd, b"sleep 901 & exit 5\n")
until(b"nothing")
print(seen.decode("utf-8", "replace"), "ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.fixture(scope="module")
def built(lab: str, request: pytest.FixtureRequest) -> Built:
    return build(chosen(request))


@pytest.fixture
def debian(system: RescueGuest, tmp_path: pathlib.Path) -> t.Iterator[RescueGuest]:
    system.plug(guest.copy_of(guest.guest().disk, tmp_path / "disk.raw"))
    yield system
    system.unplug()


def shell(system: RescueGuest, *words: str, given: str = "") -> tuple[int, str]:
    """How openrescue-shell ended, and what it and its command have said."""
    script = f"{shlex.join(['openrescue-shell', *words])} 2>&1; echo $?"
    said = system.domain.execute("/bin/sh", "-c", script, input=given, timeout=300)
    text, code = said.rstrip("\n").rsplit("\n", 1) if "\n" in said.rstrip("\n") else ("", said)
    return int(code), text


def left(system: RescueGuest) -> str:
    """What of a shell is left; its lock says that nobody works."""
    return system.shell(
        "dmsetup ls | grep -vx 'No devices found'; ls /dev/mapper | grep -vx control; grep '^md' /proc/mdstat;"
        " grep openrescue-shell /proc/mounts; ls -d /run/openrescue-shell 2>/dev/null; pgrep -a sleep;"
        " grep -vx '{}' /run/openrescue/lock; true"
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_shell_in_each_kind_of_patient(name: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    with plugged(system, name, built, tmp_path) as patient:
        given = f"{patient.layout.passphrase}\n" if patient.layout.passphrase else ""
        before = patient.hashes()
        code, text = shell(system, "-c", "findmnt -no SOURCE,OPTIONS /; touch /mine; ls /dev; exit 7", given=given)
        assert code == 7, text
        assert LAYOUTS[name] in text and " ro," in text and "Read-only file system" in text
        assert "vdb" not in text.partition("Read-only file system")[2], "no disk is in its /dev"
        assert patient.hashes() == before
        assert left(system) == ""
        see_written(patient, given)


def see_written(patient: Patient, given: str) -> None:
    code, text = shell(patient.system, "--write", "-c", "echo fixed > /mine; sleep 900 & test -b /dev/vdb", given=given)
    assert code == 0, text
    assert left(patient.system) == ""
    assert "fixed" in patient.inside("cat /mnt/mine")


def test_a_shell_on_a_terminal(debian: RescueGuest) -> None:
    debian.write("/run/terminal.py", TERMINAL.encode())
    said = debian.shell("TERM=dumb python3 /run/terminal.py", timeout=600)
    assert "mounted read-only" in said
    assert "ended with 5" in said
    assert left(debian) == ""


#: holds the lock as a module does, for as long as a file is there
HOLD = """
mkdir -p /run/openrescue; touch /run/hold
flock /run/openrescue/lock sh -c '
    printf "{\\"pid\\": 5, \\"action\\": \\"disk_repair\\"}" > /run/openrescue/lock
    while [ -e /run/hold ]; do sleep 0.2; done
    echo "{}" > /run/openrescue/lock' >/dev/null 2>&1 &
until grep -q disk_repair /run/openrescue/lock; do sleep 0.2; done
"""
SHELL = """
openrescue-shell -c 'sleep 900' >/dev/null 2>&1 & echo $! > /run/shell.pid
until pgrep -x sleep; do sleep 0.2; done
"""


def test_it_keeps_away_from_who_works(debian: RescueGuest) -> None:
    debian.shell(HOLD)
    code, text = shell(debian, "-c", "true")
    assert (code, "action: disk_repair" in text) == (1, True), text
    debian.shell("rm /run/hold; flock /run/openrescue/lock true")
    # And modules from it.
    debian.shell(SHELL)
    busy = debian.module("disk_collect")
    assert busy["error"]["code"] == "busy", busy
    assert "openrescue-shell, process" in busy["msg"]
    debian.shell("kill $(cat /run/shell.pid)")
    debian.shell("flock /run/openrescue/lock true")
    mounted = debian.module("disk_mount", state="mounted")
    assert mounted["changed"], mounted
    code, text = shell(debian, "-c", "true")
    assert (code, "disk_mount has the patient mounted: /mnt/patient" in text) == (1, True), text
    debian.module("disk_mount", state="unmounted")


def test_links_of_the_patient_lead_nowhere(debian: RescueGuest) -> None:
    lines = "".join(f"UUID=%s {place} vfat defaults 0 0\\n" for place in ("/away/systemd", "/up/systemd"))
    debian.shell(
        "mount /dev/vdb3 /mnt; ln -s /etc /mnt/away; ln -s ../../../../etc /mnt/up;"
        f' uuid=$(blkid -s UUID -o value /dev/vdb1); printf "{lines}" $uuid $uuid >> /mnt/etc/fstab; umount /mnt'
    )
    code, text = shell(debian, "-c", "findmnt -rno TARGET")
    assert code == 0, text
    for place in ("/away/systemd", "/up/systemd"):
        assert f"{place} is not mounted: it is no directory, or behind a link" in text
    assert "systemd" not in text.splitlines()[-1]


def test_collected_and_let_in(debian: RescueGuest) -> None:
    """With layers, of a whole Debian: its journal is there, its hashes are not; and root gets in, until taken back."""
    done = debian.module("disk_collect")
    assert "msg" not in done, done
    assert done["verdict"] == "bootable", done
    names = debian.shell(f"tar -tzf {done['dest']}").splitlines()
    for wanted in ("patient/etc/fstab", "patient/var/lib/dpkg/status", "diagnosis.json", "boot-files.json"):
        assert f"openrescue-collect/{wanted}" in names
    manifest = json.loads(debian.shell(f"tar -xzOf {done['dest']} openrescue-collect/manifest.json; rm {done['dest']}"))
    assert "/etc/shadow" in {item["path"] for item in manifest["left_out"]}

    code, before = shell(debian, "-c", "cat /etc/shadow; ls -a /root")
    assert code == 0
    given = {"user": "root", "password_hash": HASH, "authorized_keys": [KEY], "unlocked": True}
    let_in = debian.module("disk_access", **given)
    assert let_in["changed"], let_in
    assert HASH not in json.dumps(let_in["diff"])
    # By the patient's own tools.
    code, text = shell(
        debian, "-c", "getent shadow root | cut -d: -f2; cat /root/.ssh/authorized_keys; stat -c %a /root/.ssh"
    )
    lines = text.split("\n")
    assert (code, lines[0], lines[-1], KEY in lines) == (0, HASH, "700", True), text
    assert debian.module("disk_repair", state="reverted", undo=let_in["undo"])["changed"]
    assert shell(debian, "-c", "cat /etc/shadow; ls -a /root") == (0, before)
