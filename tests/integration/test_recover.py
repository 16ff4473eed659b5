# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The whole way by playbook: real guests that do not boot, and what comes of them."""

from __future__ import annotations

import hashlib
import pathlib
import re
import typing as t

import pytest
from openrescue_lab import breakage
from openrescue_lab.domain import Domain
from openrescue_lab.rescue import RescueImage

from playbooks import Play

FAMILIES = ("fstab-missing-device", "filesystem-superblock", "space-full", "initramfs-truncated", "grub-config-missing")


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@pytest.fixture
def play(tmp_path: pathlib.Path, lab: str, rescue_image: RescueImage) -> Play:
    return Play(tmp_path, lab, rescue_image.qcow2)


@pytest.fixture
def guest(request: pytest.FixtureRequest, lab: str) -> t.Iterator[Domain]:
    domain = Domain(f"recover-{request.node.name.split('[')[-1].strip(']')}"[:60])
    yield domain
    domain.undefine()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_broken_guest_comes_back(
    name: str, guest: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]
) -> None:
    disk = guest_disk()
    broken = breakage.apply(name, disk)
    guest.define(disk).start().wait_for_console(broken.console)
    before = guest.virsh("dumpxml", "--inactive", "--security-info")

    outcome = play("recover", guest.name, repair_faults="all", recover_running=broken.boots).must_end_well()

    assert all(fault in outcome.text for fault in broken.faults)
    assert guest.virsh("dumpxml", "--inactive", "--security-info") == before
    assert guest.execute("/usr/bin/systemctl", "is-active", "multi-user.target").strip() == "active"
    again = play("recover", guest.name).must_end_well()
    assert "is up and was left alone" in again.text


def test_a_healthy_guest_is_the_same_to_the_byte_after_a_rescue(
    guest: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]
) -> None:
    disk = guest_disk()
    guest.define(disk)
    definition = guest.virsh("dumpxml", "--inactive", "--security-info")
    checksum = sha256(disk)

    play("rescue", guest.name).must_end_well()
    diagnosed = play("diagnose", guest.name).must_end_well()
    play("unrescue", guest.name).must_end_well()

    assert guest.state() == "shut off", "a guest that was off is off after"
    assert sha256(disk) == checksum
    assert guest.virsh("dumpxml", "--inactive", "--security-info") == definition
    assert "bootable" in diagnosed.text
    assert not re.search(r"\b(warning|error|critical) [a-z-]+:", diagnosed.text), diagnosed.text


def blank(path: pathlib.Path) -> pathlib.Path:
    """A disk of zeros: the firmware finds nothing to boot and stays."""
    with path.open("wb") as handle:
        handle.truncate(1 << 20)
    return path


def test_a_rescue_image_that_does_not_boot(guest: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    guest.define(blank(tmp_path / "disk.raw")).start()
    image = blank(tmp_path / "not-a-system.raw")
    definition = guest.virsh("dumpxml", "--inactive", "--security-info")

    for name in ("rescue", "recover"):
        outcome = play(
            name, guest.name, rescue_image=str(image), rescue_system_timeout=5, rescue_shutdown_timeout=1,
            recover_probe_timeout=2,
        )  # fmt: skip
        outcome.must_fail_naming(guest.name, "wait for the rescue system", "has its own system back", "rescue_image")
        assert guest.state() == "running"
        assert guest.virsh("dumpxml", "--inactive", "--security-info") == definition


def test_a_disk_without_an_operating_system(guest: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    guest.define(blank(tmp_path / "disk.raw"))
    outcome = play("recover", guest.name, recover_probe_timeout=2, verify_timeout=4)
    outcome.must_fail_naming(guest.name, "no operating system")
    assert guest.state() == "shut off"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"rescue_server": "no-such-server"}, ("no-such-server",)),
        ({"rescue_image": "/no/such/image.qcow2"}, ("/no/such/image.qcow2",)),
        ({"rescue_libvirt_uri": "qemu+unix:///system?socket=/no/such/socket"}, ("/no/such/socket",)),
        ({"rescue_access": "pigeon"}, ("rescue_access", "pigeon")),
        ({"rescue_provider": "openstack"}, ("openstack",)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_input_ends_in_one_message(
    variables: dict[str, t.Any], words: tuple[str, ...], guest: Domain, play: Play, tmp_path: pathlib.Path
) -> None:
    guest.define(blank(tmp_path / "disk.raw")).start()
    identity = guest.virsh("domid")

    outcome = play("rescue", guest.name, **variables)

    outcome.must_fail_naming(guest.name, *words)
    assert outcome.text.count("FAILED!") + outcome.text.count("UNREACHABLE!") == 1
    assert guest.virsh("domid") == identity, "the guest was not touched"


def test_silence_touches_no_server(play: Play) -> None:
    outcome = play("recover", "web1", rescue_hosts=None)
    outcome.must_fail_naming("rescue_hosts is not set")
    assert "web1" not in outcome.text
