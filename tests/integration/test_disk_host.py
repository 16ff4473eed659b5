# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk modules on real file systems, on this machine, which may lack device-mapper and most drivers."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest
from openrescue_lab import loop, modules
from openrescue_lab.disk import sha256

BOOT_UUID = "11111111-1111-4111-8111-111111111111"
WRONG_UUID = "11111111-1111-4111-8111-11111111bad1"
FSTAB = f"LABEL=root / {{fstype}} defaults 0 1\nUUID={WRONG_UUID} /boot ext4 defaults 0 2\n"
FIXED = f"UUID={BOOT_UUID} /boot ext4 defaults 0 2\n"


def run(*argv: t.Any) -> str:
    return subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE, text=True).stdout


def module(name: str, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    return modules.call(name, {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}).values


@contextlib.contextmanager
def mounted(device: str, folder: pathlib.Path, *options: str) -> t.Iterator[pathlib.Path]:
    folder.mkdir(exist_ok=True)
    run("mount", *options, device, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


def fill_root(root: pathlib.Path, fstype: str) -> None:
    for name in ("etc", "usr/bin", "boot", "var/lib", "bin"):
        (root / name).mkdir(parents=True)
    (root / "etc/os-release").write_text('ID=debian\nPRETTY_NAME="Debian $(touch /tmp/openrescue-was-run)"\n')
    (root / "etc/fstab").write_text(FSTAB.format(fstype=fstype))
    (root / "etc/fstab").chmod(0o640)
    os.chown(root / "etc/fstab", 0, 8)
    os.setxattr(root / "etc/fstab", "user.kept", b"yes")


class Disk:
    """A disk in a file, as a loop device with partitions: /boot and the root."""

    def __init__(self, folder: pathlib.Path, fstype: str) -> None:
        self.folder, self.fstype = folder, fstype
        self.image = folder / "disk.raw"
        with self.image.open("wb") as file:
            file.truncate(700 << 20)
        run("sgdisk", "-n1:0:+40M", "-n2:0:0", self.image)
        self.attach()
        run("mkfs.ext4", "-q", "-U", BOOT_UUID, self.boot)
        labels = {
            "btrfs": ["mkfs.btrfs", "-q", "-L"],
            "xfs": ["mkfs.xfs", "-q", "-L"],
            "ext4": ["mkfs.ext4", "-q", "-L"],
        }
        run(*labels[fstype], "root", self.root)
        with mounted(self.root, folder / "mnt") as root:
            fill_root(root, fstype)
        with mounted(self.boot, folder / "mnt") as boot:
            (boot / "vmlinuz-6.1.0-1-amd64").write_text("kernel")

    def attach(self) -> None:
        self.device = loop.attach(self.image)
        self.boot, self.root = f"{self.device}p1", f"{self.device}p2"

    def detach(self) -> None:
        loop.detach(self.device)

    def fstab(self) -> str:
        with mounted(self.root, self.folder / "mnt", "-o", "ro") as root:
            return (root / "etc/fstab").read_text()

    def pull_the_plug(self) -> None:
        """Leave a journal behind that has to be replayed, by a copy of the disk while it is written."""
        with mounted(self.root, self.folder / "mnt") as root:
            for number in range(50):
                (root / f"late{number}").write_text("late")
            fd = os.open(root / "late0", os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
            run("cp", "--sparse=always", self.image, self.folder / "pulled.raw")
        self.detach()
        (self.folder / "pulled.raw").rename(self.image)
        self.attach()


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Disk]:
    made = Disk(tmp_path, getattr(request, "param", "ext4"))
    yield made
    made.detach()


@pytest.fixture(autouse=True)
def nothing_is_left() -> t.Iterator[None]:
    yield
    assert "openrescue" not in pathlib.Path("/proc/mounts").read_text()
    assert not os.path.exists("/tmp/openrescue-was-run")
    left = [name for name in os.listdir("/run/openrescue") if name != "lock"]
    assert left == []


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_looking_changes_not_one_bit(disk: Disk) -> None:
    disk.pull_the_plug()
    before = sha256(disk.image)
    result = module("disk_diagnose", devices=[disk.device])
    assert sha256(disk.image) == before
    assert result["changed"] is False
    assert result["verdict"] == "unbootable"
    assert (result["patient"]["root"], result["patient"]["boot"]) == (disk.root, disk.boot)
    assert "fstab-missing-device" in [finding["fault"] for finding in result["findings"]]
    assert result["patient"]["os"]["pretty_name"] == "Debian $(touch /tmp/openrescue-was-run)"
    assert {check["status"] for check in result["checks"]} <= {"ran", "not_applicable"}


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_repaired_tried_and_put_back(disk: Disk) -> None:
    before = sha256(disk.image)
    tried = module("disk_repair", check=True, devices=[disk.device], faults=["fstab-missing-device"])
    assert sha256(disk.image) == before
    assert tried["changed"] is True
    assert tried["undo"] is None

    repaired = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert repaired["changed"] is True
    assert repaired["diff"] == tried["diff"]
    assert f"-UUID={WRONG_UUID} /boot" in repaired["applied"][0]["diff"]
    assert FIXED in disk.fstab()
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        found = (root / "etc/fstab").stat()
        assert (found.st_mode & 0o777, found.st_gid) == (0o640, 8)
        assert os.getxattr(root / "etc/fstab", "user.kept") == b"yes"
        assert (root / f"var/lib/openrescue/undo/{repaired['undo']}/manifest.json").exists()

    after = sha256(disk.image)
    again = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert again["changed"] is False
    assert sha256(disk.image) == after

    # Of a later rescue, which has the patient's own copy of the bundle only.
    run("rm", "-r", f"/var/lib/openrescue/undo/{repaired['undo']}")
    reverted = module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])
    assert reverted["changed"] is True
    assert disk.fstab() == FSTAB.format(fstype=disk.fstype)
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        assert not (root / "var/lib/openrescue").exists()
    assert module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])["changed"] is False


def test_what_was_changed_since_is_not_reverted(disk: Disk) -> None:
    undo = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])["undo"]
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/fstab").write_text("# mine\n")
    result = module("disk_repair", devices=[disk.device], state="reverted", undo=undo)
    assert "changed since" in result["msg"]
    assert disk.fstab() == "# mine\n"


def test_a_repaired_file_system_is_put_back_to_the_byte(disk: Disk) -> None:
    with open(disk.boot, "r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    before = sha256(disk.image)
    found = module("disk_diagnose", devices=[disk.device])
    assert "filesystem-superblock" in [finding["fault"] for finding in found["findings"]]
    assert sha256(disk.image) == before
    repaired = module("disk_repair", devices=[disk.device], faults=["filesystem-superblock"])
    assert [item["fault"] for item in repaired["applied"]] == ["filesystem-superblock"]
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", disk.boot).strip() == BOOT_UUID
    module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])
    assert sha256(disk.image) == before


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7, 0.9, 1.2])
def test_a_killed_repair_can_be_finished(disk: Disk, seconds: float) -> None:
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
    deadline = time.monotonic() + 60
    while (result := module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])).get("msg"):
        assert result["error"]["retryable"], result["msg"]  # a child of the killed run may hold on for a moment
        assert time.monotonic() < deadline
    assert FIXED in disk.fstab()


#: runs the module, and kills it in the middle of the call of this name and number
KILLED = """
import os, runpy, signal
name, number = os.environ["KILL_AT"].split(":")
left, real = [int(number)], getattr(os, name)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def cut(*given, **more):
    left[0] -= 1
    if left[0] == 0 and name == "pwrite":
        real(given[0], given[1][: len(given[1]) // 2], *given[2:])
    if left[0] == 0:
        die()
    return real(*given, **more)

setattr(os, name, cut)
runpy.run_module(os.environ["MODULE"], run_name="__main__")
"""


def killed(where: str, **arguments: t.Any) -> None:
    """Run disk_repair until it kills itself there."""
    env = {**os.environ, "KILL_AT": where}
    with modules.start("disk_repair", arguments, program=KILLED, env=env) as process:
        said, _error = process.communicate(timeout=120)
        assert process.returncode == -9, f"it did not come to that call: {said}"


def files(disk: Disk) -> dict[str, str]:
    """Every file of the root with its content, its attributes and its time."""
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        return {
            str(path.relative_to(root)): f"{sha256(path)} {path.stat().st_mtime_ns} {os.listxattr(path)}"
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


@pytest.fixture
def store() -> t.Iterator[pathlib.Path]:
    """The rescue system's own bundles, those of this test only."""
    store = pathlib.Path("/var/lib/openrescue/undo")
    before = set(store.glob("*"))
    yield store
    for bundle in set(store.glob("*")) - before:
        shutil.rmtree(bundle)


# The manifest on the patient and the content that is kept there, the file itself, the manifest as it ended.
@pytest.mark.parametrize("where", ["rename:1", "rename:2", "rename:3", "rename:4"])
@pytest.mark.parametrize("same_rescue_system", [True, False])
def test_killed_between_any_two_steps(disk: Disk, store: pathlib.Path, where: str, same_rescue_system: bool) -> None:
    before, known = files(disk), set(store.glob("*"))
    given = {"devices": [disk.device], "faults": ["fstab-missing-device"]}
    killed(where, **given)
    for bundle in set(store.glob("*")) - known if not same_rescue_system else ():
        shutil.rmtree(bundle)
    done = module("disk_repair", **given)
    assert "msg" not in done, done
    assert FIXED in disk.fstab()
    assert not [name for name in files(disk) if ".openrescue-" in name]
    listed = module("disk_repair", devices=[disk.device], state="listed")["bundles"]
    assert {item["state"] for item in listed} <= {"kept", "reverted"}, listed
    for item in reversed(listed):
        if item["state"] == "kept":
            module("disk_repair", devices=[disk.device], state="reverted", undo=item["id"])
    assert files(disk) == before


def test_killed_while_blocks_are_written_and_put_back(disk: Disk, store: pathlib.Path) -> None:
    with open(disk.boot, "r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    before = sha256(disk.image)
    given = {"devices": [disk.device], "faults": ["filesystem-superblock"]}
    killed("pwrite:1", **given)
    assert sha256(disk.image) != before, "a block is half written"
    (listed,) = [
        item
        for item in module("disk_repair", devices=[disk.device], state="listed")["bundles"]
        if item["state"] == "unfinished"
    ]
    assert listed["faults"] == ["filesystem-superblock"]
    assert any(listed["id"] in note for note in module("disk_diagnose", devices=[disk.device])["patient"]["notes"])
    tried = module("disk_repair", check=True, **given)
    assert "would be brought to its end" in tried["recovered"][0]["done"][0]
    done = module("disk_repair", **given)
    assert [item["undo"] for item in done["recovered"]] == [listed["id"]], done
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", disk.boot).strip() == BOOT_UUID
    killed("pwrite:1", devices=[disk.device], state="reverted", undo=listed["id"])
    assert sha256(disk.image) != before
    again = module("disk_repair", devices=[disk.device], faults=["space-inodes"])
    assert [item["undo"] for item in again["recovered"]] == [listed["id"]], again
    assert sha256(disk.image) == before


def test_a_stop_is_heeded_between_steps_and_leaves_all_in_order(disk: Disk) -> None:
    before = sha256(disk.image)
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        time.sleep(0.7)  # it heeds signals as soon as it has begun; before, it is no more than an interpreter
        process.terminate()
        out, _err = process.communicate(timeout=120)
    if process.returncode == 1:
        assert "asked to stop by SIGTERM" in out, out
        assert sha256(disk.image) == before
    assert not module("disk_diagnose", devices=[disk.device]).get("failed")


def test_a_second_run_waits_for_the_first(disk: Disk) -> None:
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        while '"action"' not in pathlib.Path("/run/openrescue/lock").read_text():
            time.sleep(0.01)
        busy = module("disk_mount", state="unmounted")
        waited = module("disk_mount", state="unmounted", lock_timeout=120)
        process.communicate()
    assert busy["error"]["code"] == "busy"
    assert f"disk_repair, state repaired, process {process.pid}, since 20" in busy["msg"]
    assert waited["changed"] is False


def flags(path: pathlib.Path) -> str:
    return run("lsattr", "-d", path).split()[0].replace("-", "").replace("e", "").replace("m", "")


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_what_chattr_and_selinux_have_set_is_kept(disk: Disk) -> None:
    label = b"system_u:object_r:etc_t:s0\0"
    with mounted(disk.root, disk.folder / "mnt") as root:
        os.setxattr(root / "etc/fstab", "security.selinux", label)
        run("chattr", "+iA", root / "etc/fstab")
        run("chattr", "+a", root / "etc")
    done = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert "msg" not in done, done
    assert FIXED in disk.fstab()

    def look() -> tuple[str, str, bytes]:
        with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
            return flags(root / "etc/fstab"), flags(root / "etc"), os.getxattr(root / "etc/fstab", "security.selinux")

    assert look() == ("iA", "a", label)
    assert module("disk_repair", devices=[disk.device], state="reverted", undo=done["undo"])["changed"]
    assert FIXED not in disk.fstab()
    assert look() == ("iA", "a", label)


def test_a_file_with_two_names_is_refused(disk: Disk) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        os.link(root / "etc/fstab", root / "etc/fstab.kept")
    before = files(disk)
    result = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert "/etc/fstab has 2 names (hard links)" in result["msg"]
    assert "disk_mount" in result["msg"]
    assert files(disk) == before


@pytest.mark.parametrize("read_only", [True, False])
def test_mounted_for_others_and_unmounted(disk: Disk, tmp_path: pathlib.Path, read_only: bool) -> None:
    path = tmp_path / "patient"
    before = sha256(disk.image)
    options = {"devices": [disk.device], "path": str(path), "read_only": read_only}
    assert module("disk_mount", check=True, state="mounted", **options)["changed"] is True
    assert not path.exists()
    assert module("disk_mount", state="mounted", **options)["changed"] is True
    try:
        assert (path / "boot/vmlinuz-6.1.0-1-amd64").read_text() == "kernel"
        assert module("disk_mount", state="mounted", **options)["changed"] is False
        assert module("disk_diagnose", devices=[disk.device])["error"]["code"] == "patient_mounted"
        if not read_only:
            (path / "etc/mine").write_text("written")
    finally:
        assert module("disk_mount", state="unmounted", path=str(path))["changed"] is True
    assert module("disk_mount", state="unmounted", path=str(path))["changed"] is False
    if read_only:
        assert sha256(disk.image) == before
    else:
        with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
            assert (root / "etc/mine").read_text() == "written"


def test_a_disk_without_an_operating_system_is_said_to_be_one(disk: Disk) -> None:
    result = module("disk_diagnose", devices=[disk.boot])
    assert result["verdict"] == "unknown"
    assert result["message"] == "The disk holds no operating system"
    mount = module("disk_mount", state="mounted", devices=[disk.boot])
    assert mount["error"]["code"] == "no_root"


def test_of_several_operating_systems_the_servers_own_is_judged_and_one_can_be_chosen(disk: Disk) -> None:
    """T7: a copy of the root is no reason to end; where nothing tells them apart, none is written to."""
    with mounted(disk.boot, disk.folder / "mnt") as second:
        fill_root(second, "ext4")
    result = module("disk_diagnose", devices=[disk.device])
    assert result["patient"]["root"] == disk.root
    assert f"operating systems are on {disk.boot}, {disk.root}; by what it holds" in str(result["patient"]["notes"])
    for device in (disk.boot, disk.root):
        with mounted(device, disk.folder / "mnt") as root:
            (root / "etc/fstab").unlink()
    with mounted(disk.boot, disk.folder / "mnt") as second:
        (second / "grub").mkdir()
        (second / "grub/grub.cfg").write_text("set root=hd0\n\tlinux /vmlinuz root=LABEL=root ro\n")
    named = module("disk_diagnose", devices=[disk.device])
    assert "the boot entry names " + disk.root in str(named["patient"]["notes"])
    with mounted(disk.boot, disk.folder / "mnt") as second:
        (second / "grub/grub.cfg").unlink()
    unclear = module("disk_diagnose", devices=[disk.device])
    assert (unclear["verdict"], unclear["message"][:31]) == ("unknown", "There are several operating sys")
    refused = module("disk_mount", state="mounted", read_only=False, devices=[disk.device])
    assert refused["error"]["code"] == "several_roots"
    assert module("disk_diagnose", devices=[disk.device], root=disk.root)["patient"]["root"] == disk.root
    assert module("disk_diagnose", devices=[disk.device], root="/dev/null")["error"]["code"] == "root_not_found"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("disk_diagnose", {"devices": ["/dev/openrescue-none"]}, "device_not_found"),
        ("disk_diagnose", {"faults": ["none"]}, "unknown_fault"),
        ("disk_repair", {"findings": [{"text": "no finding"}]}, "bad_finding"),
        ("disk_repair", {"state": "reverted", "undo": "../../etc"}, "undo_not_found"),
    ],
)
def test_bad_input_is_one_message(name: str, arguments: dict[str, t.Any], code: str) -> None:
    os.makedirs("/run/openrescue", exist_ok=True)
    result = module(name, **arguments)
    assert result["failed"] is True
    assert result["error"]["code"] == code


def test_the_undo_of_a_repair_that_changed_nothing() -> None:
    result = module("disk_repair", state="reverted", undo=None)
    assert result["msg"] == "there is no undo to revert: a repair that changed nothing returns none"
