# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rescue image boots everywhere, holds its tools, and leaves foreign disks alone."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest
from openrescue_lab.base import LabError, run
from openrescue_lab.domain import Domain, Shape
from openrescue_lab.rescue import RescueImage, run_role

pytestmark = pytest.mark.slow

Define = t.Callable[..., Domain]
TOOLS = (
    "python3 blkid e2fsck xfs_repair btrfs fsck.fat ntfsfix sgdisk sfdisk lvm vgchange mdadm cryptsetup grub-install"
    " grub-mkconfig kpartx dmsetup zstd lz4 xz gzip cpio losetup udevadm qemu-ga cloud-init sshd"
).split()
# Run by the rescue system's Python, so that one call of the agent asks for everything.
PREPARE_VG = (
    "vgcreate openrescue_test /dev/vdb && lvcreate -y -an -n data -L 16M openrescue_test"
    " && vgchange -an openrescue_test"
)


def is_rescue_system(domain: Domain, image: RescueImage) -> bool:
    return f"BUILD_ID={image.manifest['build_id']}\n" in domain.execute("/bin/cat", "/etc/openrescue-release")


def direct(image: RescueImage, **more: t.Any) -> Shape:
    return Shape(kernel=image.kernel, initrd=image.initrd, cmdline=image.cmdline, **more)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bios-virtio", Shape()),
        ("bios-sata", Shape(bus="sata", machine="q35")),
        ("bios-scsi", Shape(bus="scsi")),
        ("efi-virtio", Shape(firmware="efi", machine="q35")),
    ],
)
def test_boots_by_itself(
    name: str, shape: Shape, rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path
) -> None:
    domain = domains(f"lab-image-{name}", rescue_image.layer(tmp_path / "layer.qcow2"), shape=shape).start()
    domain.wait_agent(timeout=300)
    assert is_rescue_system(domain, rescue_image)


def test_direct_boot_has_every_tool(rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path) -> None:
    layer = rescue_image.layer(tmp_path / "layer.qcow2")
    domain = domains("lab-image-direct", layer, shape=direct(rescue_image)).start()
    domain.wait_agent(timeout=300)
    assert is_rescue_system(domain, rescue_image)
    path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
    found = domain.execute("/bin/sh", "-c", f"{path}; for tool in {' '.join(TOOLS)}; do command -v $tool; done; true")
    assert len(found.split()) == len(TOOLS), found
    domain.execute(
        "/sbin/modprobe", "-a", "dm_snapshot", "loop", "overlay", "xfs", "btrfs", "vfat", "raid1", "dm_crypt"
    )
    assert domain.execute("/bin/systemctl", "is-system-running", "--wait", timeout=120).strip() == "running"


def test_leaves_lvm_and_raid_alone(rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path) -> None:
    """A volume group and a RAID that the first boot makes are as the second boot finds them, and so is every byte."""
    patients = [tmp_path / "lvm.raw", tmp_path / "raid.raw"]
    for patient in patients:
        run("truncate", "--size", "64M", patient)
    domain = domains("lab-image-lvm", rescue_image.layer(tmp_path / "a.qcow2"), *patients, shape=direct(rescue_image))
    domain.start().wait_agent(timeout=300)
    prepare_md = "mdadm --create /dev/md/test --run --level=1 --raid-devices=2 /dev/vdc missing && mdadm --stop --scan"
    script = f"{PREPARE_VG} && {prepare_md}"
    domain.execute("/bin/sh", "-ec", f"PATH=/usr/sbin:/usr/bin:/sbin:/bin; {script}; sync", timeout=120)
    domain.destroy()
    before = [digest(patient) for patient in patients]

    domain.define(rescue_image.layer(tmp_path / "b.qcow2"), *patients, shape=direct(rescue_image))
    domain.start().wait_agent(timeout=300)
    domain.execute("/bin/systemctl", "is-system-running", "--wait", timeout=120)
    domain.execute("/usr/bin/udevadm", "settle", timeout=60)
    types = domain.execute("/sbin/blkid", "-p", "-s", "TYPE", "-o", "value", "/dev/vdb", "/dev/vdc").split()
    assert types == ["LVM2_member", "linux_raid_member"]
    assert domain.execute("/bin/lsblk", "--noheadings", "--raw", "--output", "TYPE").split().count("disk") == 3
    assert not set(domain.execute("/bin/lsblk", "-nro", "TYPE").split()) & {"lvm", "raid1", "md"}
    assert not [line for line in domain.execute("/bin/cat", "/proc/mounts").splitlines() if line.startswith("/dev/vd")][
        1:
    ]
    domain.destroy()
    assert [digest(patient) for patient in patients] == before


def seed(directory: pathlib.Path, *, name: str, user_data: str) -> pathlib.Path:
    """A NoCloud seed on an ISO image."""
    source = directory / name
    source.mkdir()
    (source / "meta-data").write_text(f"instance-id: {name}\n", encoding="utf-8")
    (source / "user-data").write_text(f"#cloud-config\n{user_data}", encoding="utf-8")
    image = directory / f"{name}.raw"
    run("genisoimage", "-quiet", "-rock", "-joliet", "-volid", "cidata", "-output", image, source)
    return image


def test_takes_a_seed_from_an_optical_drive_only(
    rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path
) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvVZ0cBq9Xw2oY7m0fN5pYp4wXoUO2m3sVtJk1qQy0a openrescue-test"
    good = seed(tmp_path, name="good", user_data=f"ssh_authorized_keys: ['{key}']\nruncmd: [touch /run/seeded]\n")
    bad = seed(tmp_path, name="bad", user_data="runcmd: [touch /run/hostile]\n")
    shape = direct(rescue_image, machine="q35", cdrom=good)
    domain = domains("lab-image-seed", rescue_image.layer(tmp_path / "layer.qcow2"), bad, shape=shape).start()
    domain.wait_agent(timeout=300)
    domain.execute("/usr/bin/cloud-init", "status", "--wait", timeout=300)
    assert domain.execute("/bin/ls", "/run/seeded").strip() == "/run/seeded"
    assert "openrescue-test" in domain.execute("/bin/cat", "/root/.ssh/authorized_keys")
    assert "ssh-ed25519" in domain.execute("/usr/bin/ssh-keyscan", "-T", "60", "127.0.0.1", timeout=120)
    with pytest.raises(LabError):
        domain.execute("/bin/ls", "/run/hostile")


def test_role_is_idempotent(rescue_image: RescueImage) -> None:
    again = run_role(rescue_image.directory)
    assert "changed=0" in again and "failed=0" in again, again


def test_role_in_check_mode_builds_nothing(tmp_path: pathlib.Path) -> None:
    said = run_role(tmp_path, check_mode=True)
    assert "Would build openrescue" in said and "changed=1" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"rescue_image_size": "lots"}, "rescue_image_size a number with"),
        ({"rescue_image_formats": []}, "holds at least one of qcow2 and raw"),
        ({"rescue_image_packages_extra": ["a b; c"]}, "names of Debian packages"),
    ],
)
def test_role_refuses(variables: dict[str, t.Any], message: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(LabError) as refused:
        run_role(tmp_path, **variables)
    assert message in " ".join(str(refused.value).split())


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
