# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Healthy layouts are whole chains; what breaks one link is told as broken where it is certain, and never as whole."""

from __future__ import annotations

import dataclasses
import gzip
import typing as t

import pytest
from _formats.boot_samples import bzimage, efi_program, elf
from _formats.initramfs_samples import MAIN
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.chain import chain
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.loaders import boot_code
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.verdict import verdict_of
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient

from ...fakes import BOOT, ROOT, FakePatient

if t.TYPE_CHECKING:
    import pathlib

RELEASE = "6.1.0-1-amd64"
KERNEL, INITRD = f"/boot/vmlinuz-{RELEASE}", f"/boot/initrd.img-{RELEASE}"
INITRAMFS = gzip.compress(MAIN, mtime=0)
OPTIONS = f"root=UUID={ROOT.uuid} ro quiet"
CONFIG = "/boot/grub/grub.cfg"
GRUB = f"""menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple' {{
        search --no-floppy --fs-uuid --set=root {BOOT.uuid}
        linux   /vmlinuz-{RELEASE} {OPTIONS}
        initrd  /initrd.img-{RELEASE}
}}
"""
WITHOUT_INITRD = "\n".join(line for line in GRUB.splitlines() if "initrd" not in line)
ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="A-B", mount_point="/boot/efi")
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
LOADER = "/lib64/ld-linux-x86-64.so.2"
SYSTEMD = "/lib/systemd/systemd"


class Disk(FakePatient):
    """A patient with a disk whose sectors are made up."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root)
        self.disks = ("/dev/vdb",)
        self.sectors = {0: boot_sector(b"GRUB \0Geom\0"), 512: b"loading\0".ljust(512, b"\0")}

    def find(self, spec: str) -> Filesystem | None:
        return Patient.find(self, spec)

    def disk_bytes(self, disk: str, offset: int, size: int) -> bytes:
        return self.sectors.get(offset, bytes(size))[:size]

    def drop(self, path: str) -> None:
        (self.directory / path.lstrip("/")).unlink()


def boot_sector(text: bytes) -> bytes:
    """A boot sector that goes on with the next one."""
    return (bytes(0x5C) + (1).to_bytes(8, "little") + text).ljust(510, b"\0") + b"\x55\xaa"


@pytest.fixture
def patient(tmp_path: pathlib.Path) -> Disk:
    """A Debian that boots by BIOS and GRUB."""
    patient = Disk(tmp_path)
    patient.put("/etc/fstab", f"UUID={ROOT.uuid} / ext4 defaults 0 1\nUUID={BOOT.uuid} /boot ext4 defaults 0 2\n")
    patient.put(CONFIG, GRUB)
    patient.put(KERNEL, bzimage(RELEASE))
    patient.put(INITRD, INITRAMFS)
    patient.put(f"/lib/modules/{RELEASE}/modules.dep")
    patient.put(SYSTEMD, elf(LOADER, ("libc.so.6",)))
    patient.put(LIBC)
    patient.put(LOADER)
    (tmp_path / SYSTEMD.lstrip("/")).chmod(0o755)
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin/init").symlink_to(SYSTEMD)
    return patient


def states(patient: Patient) -> dict[str, str]:
    patient.drop_facts()
    return {link.link: link.status for link in chain(patient)}


def not_ok(patient: Patient) -> dict[str, str]:
    return {link: status for link, status in states(patient).items() if status != "ok"}


def verdict(patient: Patient) -> str:
    patient.drop_facts()
    return verdict_of([], chain(patient), unchecked=0)


def test_a_debian_by_bios(patient: Disk) -> None:
    assert list(states(patient)) == ["loader", "entry", "kernel", "initramfs", "modules", "root", "init"]
    assert not_ok(patient) == {}
    assert verdict(patient) == "bootable"


def empty_boot(patient: Disk) -> None:
    for path in (CONFIG, KERNEL, INITRD):
        patient.drop(path)


def drop(path: str) -> t.Callable[[Disk], None]:
    return lambda patient: patient.drop(path)


def put(path: str, data: bytes) -> t.Callable[[Disk], None]:
    return lambda patient: patient.put(path, data)


def grub(old: str, new: str) -> t.Callable[[Disk], None]:
    return put(CONFIG, GRUB.replace(old, new).encode())


def no_initrd_line(patient: Disk) -> None:
    kernel = patient.install_kernel(RELEASE)
    patient.kernels = (dataclasses.replace(kernel, initramfs=INITRD),)
    patient.put(KERNEL, bzimage(RELEASE))
    patient.put(CONFIG, WITHOUT_INITRD)


BY_UUID = f"root=UUID={ROOT.uuid}"
BREAKAGES: dict[str, tuple[t.Callable[[Disk], None], str, str]] = {
    "boot emptied": (empty_boot, "entry", "unbootable"),
    "default kernel missing": (drop(KERNEL), "kernel", "unbootable"),
    "kernel cut off": (put(KERNEL, bzimage(RELEASE)[:9000]), "kernel", "unbootable"),
    "kernel empty": (put(KERNEL, b""), "kernel", "unbootable"),
    "kernel of no kind": (put(KERNEL, b"text"), "kernel", "unknown"),
    "root= of nothing": (grub(BY_UUID, "root=UUID=dead-beef"), "root", "unbootable"),
    "root= by a name of its own": (grub(BY_UUID, "root=ZFS=rpool/x"), "root", "unknown"),
    "root= of another device": (grub(BY_UUID, f"root=UUID={BOOT.uuid}"), "root", "unknown"),
    "no root=": (grub(f"{BY_UUID} ", ""), "root", "unknown"),
    "no initrd line": (no_initrd_line, "initramfs", "unbootable"),
    "initramfs missing": (drop(INITRD), "initramfs", "unbootable"),
    "no modules": (drop(f"/lib/modules/{RELEASE}/modules.dep"), "modules", "unknown"),
    "init missing": (drop("/sbin/init"), "init", "unbootable"),
    "init dangles": (drop(SYSTEMD), "init", "unbootable"),
    "init empty": (put(SYSTEMD, b""), "init", "unbootable"),
    "no libc": (drop(LIBC), "init", "unbootable"),
    "no ld.so": (drop(LOADER), "init", "unbootable"),
    "init= of nothing": (grub("ro quiet", "ro init=/nothing"), "init", "unbootable"),
    "no boot code": (lambda patient: patient.sectors.clear(), "loader", "unknown"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_link(patient: Disk, name: str) -> None:
    breaks, link, wanted = BREAKAGES[name]
    breaks(patient)
    assert verdict(patient) == wanted
    assert states(patient)[link] == ("broken" if wanted == "unbootable" else "unknown")


def test_what_is_not_mounted_is_not_judged(patient: Disk) -> None:
    patient.filesystems, patient.boot = (ROOT,), None
    patient.drop(KERNEL)
    assert verdict(patient) == "unknown"


def test_what_may_be_elsewhere_is_not_broken(patient: Disk) -> None:
    patient.uncertain = ("/dev/vdb2 (LUKS) is locked",)
    grub(BY_UUID, "root=UUID=dead-beef")(patient)
    assert verdict(patient) == "unknown"


def test_an_efi_partition_that_is_not_mounted_leaves_it_open(patient: Disk) -> None:
    patient.filesystems = (*patient.filesystems, Filesystem("/dev/vdb1", "/dev/vdb1", "vfat"))
    assert verdict(patient) == "bootable"
    patient.drop(KERNEL)
    assert verdict(patient) == "unknown"


def by_uefi(patient: Disk) -> None:
    patient.sectors = {}
    patient.filesystems, patient.esp = (*patient.filesystems, ESP), ESP


def test_a_debian_by_uefi(patient: Disk) -> None:
    by_uefi(patient)
    patient.put("/boot/efi/EFI/debian/shimx64.efi", b"MZ")
    patient.put("/boot/efi/EFI/debian/grubx64.efi", b"MZ")
    redirect = f"search.fs_uuid {BOOT.uuid} root hd0,gpt2\nset prefix=($root)'/grub'\nconfigfile $prefix/grub.cfg\n"
    patient.put("/boot/efi/EFI/debian/grub.cfg", redirect)
    assert not_ok(patient) == {}
    patient.put("/boot/efi/EFI/debian/grub.cfg", "")
    assert verdict(patient) != "bootable"


def test_a_grub_that_was_built_here_needs_nothing_beside_it(patient: Disk) -> None:
    by_uefi(patient)
    patient.put("/boot/efi/EFI/debian/grubx64.efi", b"MZ built")
    patient.put("/boot/grub/x86_64-efi/core.efi", b"MZ built")
    assert not_ok(patient) == {}


def systemd_boot(patient: Disk) -> None:
    by_uefi(patient)
    empty_boot(patient)
    patient.put("/boot/efi/EFI/systemd/systemd-bootx64.efi", b"MZ")
    patient.put("/boot/efi/loader/loader.conf", "timeout 3\n")


def test_systemd_boot(patient: Disk) -> None:
    systemd_boot(patient)
    text = (
        f"title Debian\nversion {RELEASE}\noptions {OPTIONS}\nlinux /id/{RELEASE}/linux\ninitrd /id/{RELEASE}/initrd\n"
    )
    patient.put(f"/boot/efi/loader/entries/id-{RELEASE}.conf", text)
    patient.put(f"/boot/efi/id/{RELEASE}/linux", bzimage(RELEASE))
    patient.put(f"/boot/efi/id/{RELEASE}/initrd", INITRAMFS)
    assert not_ok(patient) == {}
    patient.drop(f"/boot/efi/id/{RELEASE}/linux")
    assert states(patient)["kernel"] == "broken"


def test_a_unified_kernel_image(patient: Disk) -> None:
    systemd_boot(patient)
    texts = {".cmdline": OPTIONS.encode(), ".uname": RELEASE.encode()}
    image = efi_program({".linux": bzimage(RELEASE), ".initrd": INITRAMFS, **texts})
    patient.put(f"/boot/efi/EFI/Linux/debian-{RELEASE}.efi", image)
    assert not_ok(patient) == {}


def test_an_alpine_by_extlinux(patient: Disk) -> None:
    empty_boot(patient)
    table = b"x" * 446 + b"\x80" + bytes(7) + (8).to_bytes(4, "little")
    patient.sectors = {0: table.ljust(510, b"\0") + b"\x55\xaa", 8 * 512: b"\xeb\x58\x90SYSLINUX".ljust(512, b"\0")}
    text = f"DEFAULT menu.c32\nLABEL virt\n  LINUX vmlinuz-virt\n  INITRD initramfs-virt\n  APPEND {OPTIONS}\n"
    patient.put("/boot/extlinux.conf", text)
    patient.put("/boot/vmlinuz-virt", bzimage("6.6.32-0-virt"))
    patient.put("/boot/initramfs-virt", INITRAMFS)
    patient.put("/lib/modules/6.6.32-0-virt/modules.dep")
    patient.drop_facts()
    assert boot_code(patient) == "extlinux in the active partition of /dev/vdb"
    assert not_ok(patient) == {}


def test_another_subvolume_than_fstab_mounts(patient: Disk) -> None:
    root = dataclasses.replace(ROOT, fstype="btrfs")
    patient.filesystems, patient.root = (BOOT, root), root
    patient.put("/etc/fstab", f"UUID={ROOT.uuid} / btrfs subvol=@ 0 0\n")
    grub("ro quiet", "rootflags=subvol=@")(patient)
    assert not_ok(patient) == {}
    grub("ro quiet", "rootflags=subvol=@old")(patient)
    assert not_ok(patient) == {"root": "unknown"}


def test_volumes_that_dracut_keeps_back(patient: Disk) -> None:
    root = dataclasses.replace(ROOT, aliases=("/dev/mapper/rhel-root", "/dev/rhel/root"))
    patient.filesystems, patient.root = (BOOT, root), root
    grub(OPTIONS, "root=/dev/mapper/rhel-root rd.lvm.lv=rhel/root rd.lvm.lv=rhel/swap")(patient)
    assert not_ok(patient) == {}
    grub(OPTIONS, "root=/dev/mapper/rhel-root rd.lvm.lv=old/root")(patient)
    assert not_ok(patient) == {"root": "unknown"}


def test_a_kernel_with_all_it_needs_built_in(patient: Disk) -> None:
    root = dataclasses.replace(ROOT, partuuid="1-2")
    patient.filesystems, patient.root = (BOOT, root), root
    patient.put(CONFIG, WITHOUT_INITRD.replace(BY_UUID, "root=PARTUUID=1-2"))
    assert not_ok(patient) == {"initramfs": "unknown"}
    patient.put(f"/lib/modules/{RELEASE}/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
    assert not_ok(patient) == {}


# -- where there are ways by both firmwares

RHEL_STUB = """search --no-floppy --fs-uuid --set=dev UUID
set prefix=($dev)/grub2
export $prefix
configfile $prefix/grub.cfg
"""
DEBIAN_STUB = """search.fs_uuid UUID root hd0,gpt2
set prefix=($root)'/grub'
configfile $prefix/grub.cfg
"""
SUSE_STUB = """set btrfs_relative_path="yes"
search --fs-uuid --set=root UUID
set prefix=(${root})/grub2
source "${prefix}/grub.cfg"
"""
SLES_12_STUB = SUSE_STUB.replace('source "${prefix}/grub.cfg"', "normal")
BLS = 'set default="${saved_entry}"\ninsmod blscfg\nblscfg\n'


def shim(patient: Disk, vendor: str, stub: str, *, uuid: str = BOOT.uuid) -> None:
    patient.filesystems, patient.esp = (*patient.filesystems, ESP), ESP
    for name in (f"{vendor}/shimx64.efi", f"{vendor}/grubx64.efi", f"{vendor}/mmx64.efi", "BOOT/BOOTX64.EFI"):
        patient.put(f"/boot/efi/EFI/{name}", b"MZ")
    patient.put(f"/boot/efi/EFI/{vendor}/grub.cfg", stub.replace("UUID", uuid))


def rhel(patient: Disk) -> None:
    shim(patient, "redhat", RHEL_STUB)
    patient.sectors.clear()
    patient.drop(CONFIG)
    patient.put("/boot/grub2/grub.cfg", BLS)
    entry = (
        f"title RHEL\nversion {RELEASE}\nlinux /vmlinuz-{RELEASE}\ninitrd /initrd.img-{RELEASE}\noptions {OPTIONS}\n"
    )
    patient.put(f"/boot/loader/entries/id-{RELEASE}.conf", entry)


def suse(patient: Disk) -> None:
    shim(patient, "opensuse", SUSE_STUB)
    patient.sectors.clear()
    patient.drop(CONFIG)
    patient.put("/boot/grub2/grub.cfg", GRUB)


def sles_12(patient: Disk) -> None:
    suse(patient)
    patient.put("/boot/efi/EFI/opensuse/grub.cfg", SLES_12_STUB.replace("UUID", BOOT.uuid))


def debian(patient: Disk) -> None:
    shim(patient, "debian", DEBIAN_STUB)
    patient.sectors.clear()


def cloud_image(patient: Disk) -> None:
    """GRUB in the boot sector and on the EFI partition, as the images for clouds have it."""
    shim(patient, "ubuntu", DEBIAN_STUB)


def stale_esp(patient: Disk) -> None:
    """It starts by BIOS; its EFI partition is of an installation that is gone."""
    shim(patient, "debian", DEBIAN_STUB, uuid="gone-gone")


def foreign_boot_code(patient: Disk) -> None:
    """Nobody knows what its boot sector starts, and its EFI partition is of an installation that is gone."""
    stale_esp(patient)
    patient.sectors = {0: boot_sector(b"some other loader")}


def refind(patient: Disk) -> None:
    """A loader that reads no configuration that is known here."""
    debian(patient)
    patient.put("/boot/efi/EFI/refind/refind_x64.efi", b"MZ")


def config_drive(patient: Disk) -> None:
    debian(patient)
    drive = Filesystem("/dev/vdc", "/dev/vdc", "vfat", label="config-2")
    patient.filesystems = (*patient.filesystems, drive)


def second_esp(patient: Disk) -> None:
    debian(patient)
    patient.filesystems = (*patient.filesystems, Filesystem("/dev/vdc1", "/dev/vdc1", "vfat", label="ESP2"))


#: what the server is, the verdict while all is well, and the verdict once its kernel is gone
FIRMWARES: dict[str, tuple[t.Callable[[Disk], None], str, str]] = {
    "RHEL by UEFI": (rhel, "bootable", "unbootable"),
    "SUSE by UEFI": (suse, "bootable", "unbootable"),
    "SLES 12 by UEFI": (sles_12, "bootable", "unbootable"),
    "Debian by UEFI": (debian, "bootable", "unbootable"),
    "an image for clouds": (cloud_image, "bootable", "unbootable"),
    "BIOS, with an old EFI partition": (stale_esp, "bootable", "unbootable"),
    "an unknown boot sector, with an old EFI partition": (foreign_boot_code, "unknown", "unknown"),
    "rEFInd": (refind, "bootable", "unknown"),
    "a config drive": (config_drive, "bootable", "unbootable"),
    "a second EFI partition": (second_esp, "bootable", "unknown"),
}


@pytest.mark.parametrize("name", FIRMWARES)
def test_the_loader_that_is_there_decides(patient: Disk, name: str) -> None:
    make, healthy, broken = FIRMWARES[name]
    make(patient)
    assert verdict(patient) == healthy, states(patient)
    patient.drop(KERNEL)
    assert verdict(patient) == broken, states(patient)


def test_an_efi_partition_whose_grub_reads_nothing(patient: Disk) -> None:
    debian(patient)
    patient.put("/boot/efi/EFI/debian/grub.cfg", "")
    assert verdict(patient) == "unbootable"
    cloud_image(patient)
    patient.sectors = {0: boot_sector(b"GRUB \0Geom\0"), 512: b"loading\0".ljust(512, b"\0")}
    patient.put("/boot/efi/EFI/ubuntu/grub.cfg", "")
    assert verdict(patient) == "bootable"
