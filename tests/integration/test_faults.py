# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Every family of faults on real disks: on this machine, and where layers matter in one running rescue system."""

from __future__ import annotations

import pathlib
import re
import shutil
import time
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from openrescue_lab import breakage, guest, hostile, loop, modules
from openrescue_lab.base import run
from openrescue_lab.disk import Disk, sha256
from openrescue_lab.rescue_guest import RescueGuest

#: And in the rescue system, where layers lie over the patient's file systems: what depends on them, and half a minute
#: each. The whole way by playbook, to a guest that has booted, is gone in molecule and in the demo.
PLUGGED = {
    "fstab-missing-device": "found",
    "filesystem-corrupt": "reverted",
    "filesystem-superblock-root": "reverted",
    "space-full": "reverted",
    "grub-config-missing": "reverted",
}
#: What is only found on this machine: its remedy runs the patient's own programs for long.
FOUND_ONLY = {
    "initramfs-missing",
    "initramfs-empty",
    "initramfs-truncated",
    "grub-config-empty",
    "grub-config-truncated",
}
NOT_HERE = {"grub-config-missing"}
WITH_REMEDY = {fault.id for fault in FAULTS if fault.repair is not None}
#: How far each breakage is taken on this machine, in a second each: a new one is found, repaired and reverted.
HERE = {
    name: "reverted" if WITH_REMEDY.issuperset(breakage.load(name).faults) and name not in FOUND_ONLY else "found"
    for name in breakage.names()
    if name not in NOT_HERE
}
LINKS = ("loader", "entry", "kernel", "initramfs", "modules", "root", "init")
SERIOUS = ("critical", "error", "warning")


def serious(result: dict[str, t.Any]) -> set[str]:
    assert "findings" in result, result
    return {finding["fault"] for finding in result["findings"] if finding["severity"] in SERIOUS}


class Module(t.Protocol):
    """Runs a module of the collection where the disk is."""

    def __call__(self, name: str, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    copy = guest.copy_of(guest.guest().disk, tmp_path / "disk.raw")
    yield copy
    copy.unlink()


@pytest.fixture
def here(disk: pathlib.Path) -> t.Iterator[t.Callable[[], Module]]:
    """Attaches the disk to this machine, which may lack device-mapper: without layers."""
    attached: list[str] = []
    undo = pathlib.Path("/var/lib/openrescue/undo")
    before = set(undo.glob("*"))

    def attach() -> Module:
        attached.append(loop.attach(disk))

        def module(name: str, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
            given = {**arguments, "devices": attached, "_ansible_check_mode": check, "_ansible_diff": True}
            return modules.call(name, given).values

        return module

    yield attach
    for device in attached:
        loop.detach(device)
    for bundle in set(undo.glob("*")) - before:
        shutil.rmtree(bundle)


@pytest.fixture
def plugged(system: RescueGuest, disk: pathlib.Path) -> t.Iterator[t.Callable[[], Module]]:
    """Plugs the disk into the rescue system."""
    attached = []

    def plug() -> Module:
        system.plug(disk)
        attached.append(disk)
        return system.module

    yield plug
    if attached:
        system.unplug()


def see_healthy(module: Module, disk: pathlib.Path, before: str) -> None:
    result = module("disk_diagnose")
    assert serious(result) == set()
    assert result["verdict"] == "bootable", result["message"]
    assert {link["link"]: link["status"] for link in result["chain"]} == dict.fromkeys(LINKS, "ok")
    assert {check["status"] for check in result["checks"]} == {"ran"}
    assert sha256(disk) == before


def see_faults(module: Module, disk: pathlib.Path, faults: t.Collection[str], *, far: str) -> None:
    before = sha256(disk)
    found = module("disk_diagnose")
    assert serious(found) == set(faults)
    assert sha256(disk) == before, "a diagnosis changes no bit"
    if far == "found":
        return

    tried = module("disk_repair", faults=list(faults), check=True)
    assert tried["changed"]
    assert sha256(disk) == before, "neither does a repair in check mode"

    done = module("disk_repair", findings=found["findings"], timeout=1500)
    assert {item["fault"] for item in done["applied"]} == set(faults), done
    assert done["diff"]["prepared"]
    assert serious(module("disk_diagnose")) == set()

    assert not module("disk_repair", findings=found["findings"])["changed"]
    assert module("disk_repair", state="reverted", undo=done["undo"])["changed"]
    assert serious(module("disk_diagnose")) == set(faults)


def test_every_exception_is_a_breakage_and_every_breakage_is_tried() -> None:
    assert {*FOUND_ONLY, *PLUGGED} <= set(breakage.names()) == {*HERE, *PLUGGED}


def test_a_healthy_disk_here(here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    see_healthy(here(), disk, sha256(disk))


def test_a_healthy_disk_plugged(plugged: t.Callable[[], Module], disk: pathlib.Path) -> None:
    see_healthy(plugged(), disk, sha256(disk))


@pytest.mark.parametrize("name", HERE)
def test_a_broken_disk_here(name: str, here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    faults = breakage.apply(name, disk).faults
    see_faults(here(), disk, faults, far=HERE[name])


@pytest.mark.parametrize("name", PLUGGED)
def test_a_broken_disk_plugged(name: str, plugged: t.Callable[[], Module], disk: pathlib.Path) -> None:
    faults = breakage.apply(name, disk).faults
    see_faults(plugged(), disk, faults, far=PLUGGED[name])


def see_nothing_reached(module: Module, disk: pathlib.Path) -> None:
    before = sha256(disk)
    for check in (True, False):
        result = module("disk_repair", faults=["initramfs-missing"], check=check)
        (failed,) = result["failed_findings"]
        assert hostile.told(failed["reason"]) == ("", {hostile.CAPABILITIES})
        assert sha256(disk) == before


def test_a_program_of_the_patient_reaches_nothing_here(here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    hostile.apply(disk)
    see_nothing_reached(here(), disk)


def test_a_program_of_the_patient_reaches_nothing_plugged(plugged: t.Callable[[], Module], disk: pathlib.Path) -> None:
    hostile.apply(disk)
    see_nothing_reached(plugged(), disk)


def test_inodes_have_no_remedy(here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    breakage.apply("space-inodes", disk)
    (finding,) = here()("disk_diagnose", faults=["space-inodes"])["findings"]
    assert (finding["severity"], finding["remedy"]) == ("critical", None)


def remove(pattern: str) -> t.Callable[[pathlib.Path], None]:
    def apply(root: pathlib.Path) -> None:
        found = sorted(root.glob(pattern))
        assert found, pattern
        for path in found:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    return apply


def edit(old: str, new: str) -> t.Callable[[pathlib.Path], None]:
    def apply(root: pathlib.Path) -> None:
        config = root / "boot/grub/grub.cfg"
        text = config.read_text(encoding="utf-8")
        changed = re.sub(old, new, text)
        assert changed != text
        config.write_text(changed, encoding="utf-8")

    return apply


#: What breaks a link of the boot and is no fault yet: the link, and the verdict.
CHAIN: dict[str, tuple[t.Callable[[pathlib.Path], None], str, str]] = {
    "boot emptied": (remove("boot/*"), "entry", "unbootable"),
    "default kernel missing": (remove("boot/vmlinuz-*"), "kernel", "unbootable"),
    "root= of nothing": (edit(r"root=UUID=\S+", "root=UUID=dead-beef"), "root", "unbootable"),
    "no initrd line": (edit(r"(?m)^\s*initrd\s.*$", ""), "initramfs", "unbootable"),
    "no modules": (remove("lib/modules/*"), "modules", "unknown"),
    "no init": (remove("sbin/init"), "init", "unbootable"),
}


@pytest.mark.parametrize("name", CHAIN)
def test_a_chain_with_a_broken_link_here(name: str, here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    breaks, link, verdict = CHAIN[name]
    with Disk(disk).mounted() as root:
        breaks(root)
    before = sha256(disk)
    result = here()("disk_diagnose")
    assert result["verdict"] == verdict
    assert {item["link"]: item["status"] for item in result["chain"]}[link] != "ok"
    assert result["message"]
    assert sha256(disk) == before


@pytest.mark.parametrize(
    "text", ["UUID=da7ada7a-0000-4000-8000-00000000da7a /srv/a ext4 defaults 0 2\n" * 100_000, "x" * 30_000_000]
)
def test_a_monstrous_fstab_here(text: str, here: t.Callable[[], Module], disk: pathlib.Path) -> None:
    with Disk(disk).mounted() as root, (root / "etc/fstab").open("a", encoding="utf-8") as fstab:
        fstab.write(text)
    began = time.monotonic()
    result = here()("disk_diagnose")
    assert "findings" in result, result
    assert time.monotonic() - began < 120
    assert len(str(result)) < 1_000_000


def root_of_a_guest_that_was_switched_off(path: pathlib.Path, fstype: str) -> None:
    """Its journal holds what was not written to its place yet."""
    with path.open("wb") as raw:
        raw.truncate(320 << 20)
    run(f"mkfs.{fstype}", "-q", path)
    device = run("losetup", "--find", "--show", path).strip()
    place = path.with_suffix(".mounted")
    place.mkdir()
    run("mount", device, place)
    try:
        for name in ("etc", "usr/bin", "var/lib", "sbin"):
            (place / name).mkdir(parents=True)
        (place / "etc/os-release").write_text("ID=debian\n", encoding="utf-8")
        (place / "etc/fstab").write_text("/dev/sda / auto defaults 0 1\n", encoding="utf-8")
        # What follows stays in the first groups, and so does what its replay puts right.
        run("umount", place)
        run("mount", device, place)
        for number in range(200):
            (place / f"f{number}").write_text("x", encoding="utf-8")
        run("sync", "-f", place)
        held = [(place / f"f{number}").open(encoding="utf-8") for number in range(10)]
        for number in range(100):
            (place / f"f{number}").unlink()
        run("xfs_io", "-x", "-c", "shutdown -f", place)
        for file in held:
            file.close()
    finally:
        run("umount", place)
        run("losetup", "--detach", device)


DAMAGE = {
    "xfs": ["xfs_db", "-x", "-c", "path /usr/bin", "-c", "write -d core.nlinkv2 9"],
    "ext4": ["debugfs", "-w", "-R", "set_inode_field /usr/bin links_count 9"],
}


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("fstype", DAMAGE)
def test_a_file_system_is_judged_after_its_journal_was_replayed(
    fstype: str, damaged: bool, system: RescueGuest, tmp_path: pathlib.Path
) -> None:
    """And what is damaged then is not mounted for writing."""
    disk = tmp_path / "root.raw"
    root_of_a_guest_that_was_switched_off(disk, fstype)
    if damaged:
        run(*DAMAGE[fstype], disk)
    before = sha256(disk)
    (device,) = system.plug(disk)
    try:
        result = system.module("disk_diagnose", devices=[device], faults=["filesystem-corrupt"])
        assert serious(result) == ({"filesystem-corrupt"} if damaged else set()), result
        assert [bool(finding["remedy"]) for finding in result["findings"]] == [fstype == "ext4"] * damaged
        assert sha256(disk) == before
        mounted = system.module("disk_mount", state="mounted", read_only=False)
        assert mounted.get("error", {}).get("code") == ("filesystem_damaged" if damaged else None), mounted
        if damaged:
            assert sha256(disk) == before
        else:
            assert mounted["mounts"] == [{"path": "/", "device": device, "read_only": False}]
    finally:
        system.module("disk_mount", state="unmounted")
        system.unplug()
