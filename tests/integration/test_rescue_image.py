# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rescue image boots everywhere, holds its tools, and leaves foreign disks alone."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shlex
import typing as t

import pytest
import yaml
from ansible_collections.openrescue.server.plugins.filter.rescue_proof import RESCUE_SERIAL, rescue_proof
from openrescue_lab.base import REPOSITORY, LabError, run, wait_until
from openrescue_lab.domain import Domain, Shape
from openrescue_lab.rescue import RescueImage, run_role
from openrescue_lab.rescue_cloud import (
    DRIVE_SIZE,
    MetadataService,
    as_openstack,
    config_drive,
    drive_files,
    free_port,
    metadata_service,
)

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
        ("bios-virtio", Shape(serial=RESCUE_SERIAL)),
        ("bios-sata", Shape(bus="sata", machine="q35", serial=RESCUE_SERIAL)),
        ("bios-scsi", Shape(bus="scsi", serial=RESCUE_SERIAL)),
        ("bios-usb", Shape(bus="usb", machine="q35", serial=RESCUE_SERIAL)),
        ("efi-virtio", Shape(firmware="efi", machine="q35", serial=RESCUE_SERIAL)),
    ],
)
def test_boots_by_itself(
    name: str, shape: Shape, rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path
) -> None:
    domain = domains(f"lab-image-{name}", rescue_image.layer(tmp_path / "layer.qcow2"), shape=shape).start()
    domain.wait_agent(timeout=300)
    assert is_rescue_system(domain, rescue_image)
    # At once: the agent answers before udev has seen any disk.
    assert_proves_itself(domain)


def assert_proves_itself(domain: Domain) -> None:
    """By what the role rescue asks it, from a disk with the serial number of a rescue disk."""
    tasks = yaml.safe_load((REPOSITORY / "roles/rescue/tasks/wait.yml").read_text(encoding="utf-8"))
    [asked] = [task["ansible.builtin.raw"] for task in tasks if "ansible.builtin.raw" in task]
    *shell, script = shlex.split(asked)
    # The role does not ask how it ended either.
    proof = rescue_proof(domain.execute(*shell, f"{script}; true"), {"provider": "libvirt"})
    assert proof["proven"], proof
    assert "its root is on the rescue disk" in proof["reason"]


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


def test_takes_a_seed_from_the_drive_that_was_made_for_it_only(
    rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path
) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvVZ0cBq9Xw2oY7m0fN5pYp4wXoUO2m3sVtJk1qQy0a openrescue-test"
    good = seed(tmp_path, name="good", user_data=f"ssh_authorized_keys: ['{key}']\nruncmd: [touch /run/seeded]\n")
    # A CD and a disk of the patient that call themselves so, and a config drive where there is no OpenStack.
    bad = seed(tmp_path, name="bad", user_data="runcmd: [touch /run/hostile]\n")
    bad_cd = seed(tmp_path, name="bad-cd", user_data="runcmd: [touch /run/hostile]\n")
    also_bad = drive(tmp_path, "also-bad", kind="vfat", key=new_key(tmp_path, "theirs")[1])
    shape = direct(rescue_image, machine="q35", seed=good, cdrom=bad_cd)
    layer = rescue_image.layer(tmp_path / "layer.qcow2")
    domain = domains("lab-image-seed", layer, bad, also_bad, shape=shape).start()
    domain.wait_agent(timeout=300)
    domain.execute("/usr/bin/cloud-init", "status", "--wait", timeout=300)
    assert domain.execute("/bin/ls", "/run/seeded").strip() == "/run/seeded"
    assert "openrescue-test" in domain.execute("/bin/cat", "/root/.ssh/authorized_keys")
    assert "ssh-ed25519" in domain.execute(
        "/usr/bin/ssh-keyscan", "-t", "ed25519", "-T", "60", "127.0.0.1", timeout=120
    )
    with pytest.raises(LabError):
        domain.execute("/bin/ls", "/run/hostile")


METADATA = "/openstack/latest/meta_data.json"
SERVICE_KEYS = "/run/openrescue/keys/root"
OWN_KEYS = "/root/.ssh/authorized_keys"


def new_key(directory: pathlib.Path, name: str) -> tuple[pathlib.Path, str]:
    """A key pair: the private key's path, and the public key without its comment."""
    path = directory / name
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path)
    return path, " ".join(path.with_suffix(".pub").read_text(encoding="ascii").split()[:2])


def ssh(port: int, key: pathlib.Path, *command: str, user: str = "root") -> str:
    options = ("IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
    words = [word for option in options for word in ("-o", option)]
    return run("ssh", "-F", "none", "-q", *words, "-i", key, "-p", str(port), f"{user}@127.0.0.1", *command)


def exists(domain: Domain, path: str) -> bool:
    return domain.execute("/bin/sh", "-c", f"ls -d {path} 2>/dev/null || true").strip() != ""


def systemctl(domain: Domain, *words: str) -> str:
    return domain.execute("/bin/sh", "-c", f"systemctl {' '.join(words)} || true", timeout=120).strip()


def hostile_metadata(good: str, bad: str) -> bytes:
    """A good key, and others that would run something, or are none."""
    keys = {
        "options": f'command="touch /run/hostile" {bad} one',
        "newline": f'{good} two\ncommand="touch /run/hostile" {bad}\rno-pty {bad}\n',
        "authority": f"cert-authority {bad}",
        "comment": f"# {good}\x00{bad}",
        "type": f"ssh-rsa {bad.split()[1]}",
        "cut": bad[:-8],
        "list": [bad],
        "nothing": None,
    }
    return json.dumps({"uuid": "../../etc", "public_keys": keys, "files": [{"path": "/run/hostile"}]}).encode()


def silence_delays_nothing(domain: Domain, service: MetadataService, port: int) -> None:
    """While the service says nothing, the boot ends, and sshd and the agent answer."""
    assert systemctl(domain, "is-system-running", "--wait") == "running"
    assert "ssh-ed25519" in run("ssh-keyscan", "-t", "ed25519", "-T", "60", "-p", str(port), "127.0.0.1")
    wait_until("the metadata service is asked", lambda: service.asked, timeout=60)
    assert systemctl(domain, "is-active", "openrescue-keys.service") == "active"
    assert systemctl(domain, "show", "--property=Before", "--value", "openrescue-keys.service") == "shutdown.target"
    assert not exists(domain, SERVICE_KEYS)


def test_openstack_metadata_service(rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path) -> None:
    """Silent at first, then far too talkative, then with the key among hostile ones: the key is the way in."""
    (mine, good), (theirs, bad) = (new_key(tmp_path, name) for name in ("mine", "theirs"))
    port = free_port()
    domain = domains("lab-image-service", rescue_image.layer(tmp_path / "layer.qcow2"), shape=direct(rescue_image))
    as_openstack(domain, ssh_port=port)
    with metadata_service() as service:
        domain.start().wait_agent(timeout=300)
        silence_delays_nothing(domain, service, port)

        service.answers[METADATA] = json.dumps({"public_keys": {"mine": good}, "fill": "x" * 10_000_000}).encode()
        service.speaks.set()
        asked = len(service.asked)
        wait_until("the service is asked twice more", lambda: len(service.asked) >= asked + 2, timeout=60)
        assert not exists(domain, SERVICE_KEYS)

        service.answers[METADATA] = hostile_metadata(good, bad)
        wait_until("the key arrives", lambda: exists(domain, SERVICE_KEYS), timeout=60)
    assert domain.execute("/bin/cat", SERVICE_KEYS) == f"{good}\n"
    assert rescue_image.manifest["build_id"] in ssh(port, mine, "cat", "/etc/openrescue-release")
    for key, user in ((theirs, "root"), (mine, "daemon")):
        with pytest.raises(LabError, match="ended with 255"):
            ssh(port, key, "true", user=user)
    assert not exists(domain, "/run/hostile*")
    # The word of the service is asked for its keys only.
    assert set(service.asked) == {METADATA}


def drive(directory: pathlib.Path, name: str, *, kind: str, key: str) -> pathlib.Path:
    """A config drive that would also touch files of its name."""
    user_data = f"#!/bin/sh\ntouch /run/hostile-{name}\n"
    return config_drive(directory, name=name, kind=kind, files=drive_files(key=key, user_data=user_data))


def only_the_key_came(domain: Domain, key: str) -> None:
    """After cloud-init's end."""
    domain.wait_agent(timeout=300)
    wait_until("the seed is taken", lambda: exists(domain, "/run/openrescue/seeded"), timeout=120)
    assert "status: done" in domain.execute("/usr/bin/cloud-init", "status", "--wait", timeout=300)
    lines = domain.execute("/bin/cat", OWN_KEYS).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [key]
    assert not exists(domain, "/run/hostile*")
    assert systemctl(domain, "is-system-running", "--wait") == "running"


def test_config_drive_brings_its_key_only(rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path) -> None:
    """On an optical drive of an OpenStack guest."""
    _, good = new_key(tmp_path, "mine")
    optical = drive(tmp_path, "optical", kind="iso9660", key=good)
    shape = direct(rescue_image, machine="q35", cdrom=optical)
    domain = domains("lab-image-drive", rescue_image.layer(tmp_path / "layer.qcow2"), shape=shape)
    as_openstack(domain).start()
    only_the_key_came(domain, good)


def test_config_drive_on_a_disk(rescue_image: RescueImage, domains: Define, tmp_path: pathlib.Path) -> None:
    """On an OpenStack guest it may be a disk; a partition and a larger disk that call themselves so are not taken."""
    (_, good), (_, bad) = (new_key(tmp_path, name) for name in ("mine", "theirs"))
    true = drive(tmp_path, "true", kind="vfat", key=good)
    large = drive(tmp_path, "large", kind="vfat", key=bad)
    part = tmp_path / "part.raw"
    run("truncate", "--size", "80M", part)
    run("sfdisk", "--quiet", part, input=f"label: gpt\nstart=2048, size={DRIVE_SIZE}iB\n")
    run("dd", f"if={large}", f"of={part}", "bs=1M", "seek=1", "conv=notrunc,sparse", "status=none")
    run("truncate", "--size", "1G", large)
    # The patient's come first: who takes the first that fits takes a wrong one.
    layer = rescue_image.layer(tmp_path / "layer.qcow2")
    domain = domains("lab-image-disk", layer, part, large, true, shape=direct(rescue_image))
    as_openstack(domain).start()
    only_the_key_came(domain, good)
    domain.execute("/usr/bin/udevadm", "settle", timeout=60)
    labels = domain.execute("/bin/lsblk", "--noheadings", "--raw", "--output", "NAME,LABEL").lower().splitlines()
    assert [line for line in labels if line.endswith(" config-2")] == ["vdb1 config-2", "vdc config-2", "vdd config-2"]


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
