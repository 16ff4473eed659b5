# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Layouts: small named files that say how a patient's disks are laid out, and what lies on them."""

from __future__ import annotations

import dataclasses
import importlib.util
import string
import typing as t
import uuid

from .base import LAB_DIR, LabError

LAYOUTS = LAB_DIR / "layouts"
#: what a layout calls the identities of its parts
IDENTITIES = ("ROOT", "BOOT", "SWAP", "USR", "VAR", "HOME_", "LUKS", "ARRAY", "OTHER")
#: quickly built, so that `make test` has them: two whole systems, and those that are made of texts
QUICK = ("lvm", "mbr", "rhel", "suse", "ubuntu_server", "ubuntu_cloud", "alpine")
BASE = "systemd-sysv udev kmod e2fsprogs qemu-guest-agent linux-image-cloud-amd64 procps zstd".split()


@dataclasses.dataclass(frozen=True)
class Tree:
    """A tree of Debian that many layouts share."""

    suite: str
    packages: tuple[str, ...]
    source: str = ""
    #: what this release's own mkfs.ext4 leaves out and a newer one would switch on
    ext4: str = ""


TREES = {
    # Its security archive names packages that are gone.
    "bullseye": Tree(
        "bullseye",
        ("initramfs-tools", "grub-pc"),
        source="deb http://deb.debian.org/debian bullseye main",
        ext4="^metadata_csum_seed,^orphan_file",
    ),
    "bookworm": Tree(
        "bookworm",
        (
            *("initramfs-tools", "grub-pc", "grub-efi-amd64-signed", "grub-efi-amd64-bin", "shim-signed"),
            *("lvm2", "cryptsetup-initramfs", "mdadm", "dosfstools"),
        ),
        ext4="^metadata_csum_seed,^orphan_file",
    ),
    "trixie": Tree(
        "trixie",
        ("initramfs-tools", "grub-pc", "lvm2", "cryptsetup-initramfs", "xfsprogs", "btrfs-progs", "extlinux"),
    ),
    "dracut": Tree(
        "trixie", ("dracut", "systemd-boot", "systemd-boot-efi", "systemd-ukify", "dosfstools", "binutils", "cpio")
    ),
}


@dataclasses.dataclass(frozen=True)
class Layout:
    """What one file of layouts/ says; texts may name $ROOT and the other identities, $KERNEL and $ESP."""

    name: str
    summary: str
    #: the tree of Debian on it; empty for one that holds nothing but `files`, and so does not boot
    tree: str
    #: size of each disk
    disks: tuple[str, ...]
    fstab: str
    #: shell: partitions, file systems, all opened
    make: str
    #: shell: opens what `make` has made, and `close` closes
    open: str
    #: shell: mounts its tree below /mnt
    mount: str
    #: path in the tree -> content
    files: t.Mapping[str, str]
    #: path in the tree -> kernel, initramfs, loader or program: a real one of its kind (see layout_build.py)
    binaries: t.Mapping[str, str]
    links: t.Mapping[str, str]
    #: whether /bin, /sbin and /lib of a tree without Debian are links into /usr, where systemd is
    usr_merged: bool
    #: shell on the host, with `run` for commands inside the tree
    prepare: str
    #: shell in the rescue system, when the tree is unpacked below /mnt
    finish: str
    #: a function of layout_guest.sh
    loader: str
    grub: str
    close: str
    firmware: str
    passphrase: str
    kernel: str
    #: of a layout without Debian: the links of its chain that no text makes, such as a boot sector
    unshown: tuple[str, ...]

    @property
    def boots(self) -> bool:
        """Whether it is a whole system."""
        return bool(self.tree)

    def identities(self) -> dict[str, str]:
        """The UUIDs of its parts: always the same, so that an initramfs can be built before there is a disk."""
        named = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"openrescue:{self.name}/{name}")) for name in IDENTITIES}
        short = uuid.uuid5(uuid.NAMESPACE_URL, f"openrescue:{self.name}/ESP").hex[:8].upper()
        return {**named, "ESP": f"{short[:4]}-{short[4:]}"}

    def text(self, template: str, *, kernel: str = "") -> str:
        """A text of it with the identities put in; whatever else looks like a variable stays."""
        return string.Template(template).safe_substitute(self.identities(), KERNEL=kernel or self.kernel)


def load(name: str) -> Layout:
    """The layout of this name."""
    path = LAYOUTS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"openrescue_layout_{path.stem}", path)
    if not path.exists() or spec is None or spec.loader is None:
        raise LabError(f"no layout '{name}'; there are: {', '.join(names())}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    fields = {field.name for field in dataclasses.fields(Layout)}
    said = {key.lower(): value for key, value in vars(module).items() if key.isupper() and key.lower() in fields}
    defaults: dict[str, t.Any] = {
        "tree": "",
        "files": {},
        "binaries": {},
        "links": {},
        "usr_merged": True,
        "prepare": "",
        "finish": "",
        "loader": "grub_bios" if said.get("tree") else "none",
        "grub": "$D1",
        "open": "",
        "mount": "",
        "close": "",
        "firmware": "bios",
        "passphrase": "",
        "kernel": "",
        "unshown": (),
    }
    return Layout(name=name, **{**defaults, **said})


def names() -> list[str]:
    """All layouts."""
    return sorted(path.stem for path in LAYOUTS.glob("*.py"))
