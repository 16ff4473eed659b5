# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree holds: an operating system or a part of one, its release and its kernels. Read, never run.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

from ..._formats.os_release import parse_os_release
from ..._formats.versions import version_key
from ..._text import printable
from ..patient import Kernel, OsRelease
from .tree import Tree

__all__ = ("holds_root", "part_of", "read_kernels", "read_os_release")

_INITRAMFS = {"debian": "/boot/initrd.img-{0}", "suse": "/boot/initrd-{0}", "alpine": "/boot/initramfs-{0}"}
_DEFAULT_INITRAMFS = "/boot/initramfs-{0}.img"
#: what a kernel can be called; any other name comes from no distribution, and may not even be text
_VERSION = re.compile(r"[\w.+~:@-]{1,200}", re.ASCII)


def holds_root(tree: Tree) -> bool:
    """Whether this is the root of an operating system, by what is there and never by a name."""
    has_programs = tree.is_dir("/usr") or tree.is_dir("/bin")
    has_settings = any(tree.lstat(path) for path in ("/etc/os-release", "/usr/lib/os-release", "/etc/fstab"))
    return tree.is_dir("/etc") and has_programs and has_settings


def part_of(tree: Tree) -> str | None:
    """Which part of a system this separate file system is: ``/boot``, ``/boot/efi``, ``/usr``, ``/var``."""
    if tree.glob("/vmlinuz*") or any(tree.is_file(f"/{name}/grub.cfg") for name in ("grub", "grub2")):
        return "/boot"
    if tree.is_dir("/EFI"):
        return "/boot/efi"
    if tree.is_dir("/bin") and tree.is_dir("/lib") and tree.is_dir("/share"):
        return "/usr"
    if tree.is_dir("/log") and (tree.is_dir("/lib/dpkg") or tree.is_dir("/lib/rpm") or tree.is_dir("/lib/systemd")):
        return "/var"
    return None


def read_os_release(tree: Tree) -> OsRelease | None:
    text = tree.read_text("/etc/os-release") or tree.read_text("/usr/lib/os-release")
    if text is None:
        return None
    values = {name: printable(value) for name, value in parse_os_release(text).items()}
    return OsRelease(
        id=values.get("ID", "linux"),
        id_like=tuple(values.get("ID_LIKE", "").split()),
        version_id=values.get("VERSION_ID", ""),
        pretty_name=values.get("PRETTY_NAME", values.get("NAME", "Linux")),
    )


def read_kernels(tree: Tree, release: OsRelease | None) -> tuple[Kernel, ...]:
    """The kernels in /boot, newest first."""
    kernels = []
    for path in tree.glob("/boot/vmlinu[xz]-*"):
        version = path.rsplit("/", 1)[1].split("-", 1)[1]
        if not _VERSION.fullmatch(version):
            continue
        expected = _initramfs(version, release)
        others = [pattern.format(version) for pattern in (*_INITRAMFS.values(), _DEFAULT_INITRAMFS)]
        present = [name for name in (expected, *others) if tree.is_file(name)]
        modules = f"/lib/modules/{version}"
        kernels.append(
            Kernel(
                version=version,
                vmlinuz=path,
                initramfs=present[0] if present else None,
                expected_initramfs=present[0] if present else expected,
                has_modules=tree.is_dir(f"{modules}/kernel") or tree.is_file(f"{modules}/modules.dep"),
            )
        )
    return tuple(sorted(kernels, key=lambda kernel: version_key(kernel.version), reverse=True))


def _initramfs(version: str, release: OsRelease | None) -> str:
    families = (release.id, *release.id_like) if release else ()
    family = {"ubuntu": "debian", "sles": "suse", "opensuse": "suse"}
    for name in families:
        pattern = _INITRAMFS.get(family.get(name, name))
        if pattern:
            return pattern.format(version)
    return _DEFAULT_INITRAMFS.format(version)
