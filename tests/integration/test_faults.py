# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Every family of faults on real disks: on this machine, and where layers matter in one running rescue system."""

from __future__ import annotations

import hashlib
import pathlib
import re
import shutil
import typing as t

import pytest
from openrescue_lab import breakage, daemon, guest, loop, modules, rescue
from openrescue_lab.disk import Disk
from openrescue_lab.rescue_guest import RescueGuest

#: How far each breakage is taken on this machine, in a second each.
HERE = {
    "fstab-missing-device": "reverted",
    "fstab-missing-data-disk": "reverted",
    "fstab-syntax": "reverted",
    "fstab-wrong-type": "reverted",
    "fstab-duplicate-mount-point": "reverted",
    "filesystem-corrupt": "reverted",
    "filesystem-corrupt-quietly": "reverted",
    "filesystem-superblock": "reverted",
    "filesystem-superblock-root": "reverted",
    "space-full": "reverted",
    "space-inodes": "found",
    "initramfs-missing": "found",
    "initramfs-empty": "found",
    "initramfs-truncated": "found",
    "grub-config-empty": "found",
    "grub-config-truncated": "found",
}
#: And in the rescue system, where layers lie over the patient's file systems: what depends on them, and half a minute
#: each. The whole way by playbook (test_recover.py, the demo, molecule) goes through them too.
PLUGGED = {
    "fstab-missing-device": "found",
    "filesystem-corrupt": "reverted",
    "filesystem-superblock-root": "found",
    "space-full": "reverted",
    "initramfs-truncated": "found",
    "grub-config-missing": "reverted",
}
LINKS = ("loader", "entry", "kernel", "initramfs", "modules", "root", "init")
SERIOUS = ("critical", "error", "warning")


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def serious(result: dict[str, t.Any]) -> set[str]:
    assert "findings" in result, result
    return {finding["fault"] for finding in result["findings"] if finding["severity"] in SERIOUS}


class Module(t.Protocol):
    """Runs a module of the collection where the disk is."""

    def __call__(self, name: str, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]: ...


@pytest.fixture(scope="module")
def rescue_guest(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RescueGuest]:
    daemon.up()
    running = RescueGuest.start("faults-rescue", rescue.rescue_image(), tmp_path_factory.mktemp("rescue"))
    yield running
    running.domain.undefine()


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
def plugged(rescue_guest: RescueGuest, disk: pathlib.Path) -> t.Iterator[t.Callable[[], Module]]:
    """Plugs the disk into the rescue system."""
    attached = []

    def plug() -> Module:
        rescue_guest.plug(disk)
        attached.append(disk)
        return rescue_guest.module

    yield plug
    if attached:
        rescue_guest.unplug()


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


def test_every_breakage_is_tried() -> None:
    assert set(breakage.names()) == {*HERE, *PLUGGED}


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
