# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chain of a boot: loader, entry, kernel, initramfs, modules, root, init. One question for each of its links.

A link is broken only where the server certainly does not boot for it; what cannot be shown is unknown.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...._formats.kernel_cmdline import CommandLine
from ...._formats.kernel_image import read_kernel_image
from ...._text import printable
from ...engine.verdict import Answer, Follow, Link, ask_all, nearest_to_boot
from .init import init
from .initramfs import condition, kernel_finds_root
from .kernels import initramfs_of, is_release, release_of
from .loaders import other_loader
from .places import Place, unmounted
from .root import root
from .ways import Way, is_by_hand, place_of, shown_ways

if t.TYPE_CHECKING:
    from ...._formats.boot_entry import BootEntry
    from ...._patient.patient import Patient

__all__ = ("chain",)


def chain(patient: Patient) -> tuple[Link, ...]:
    """The links of the way to boot that comes nearest to a boot."""
    followed = [_in_doubt(patient, way, ask_all(patient, _links(way))) for way in shown_ways(patient)]
    return nearest_to_boot(followed or [ask_all(patient, _links(None))])


def _in_doubt(patient: Patient, way: Way, links: tuple[Link, ...]) -> tuple[Link, ...]:
    """What a loader would read proves nothing where that loader may not be the one that starts."""
    doubt = other_loader(patient) or ("" if way.loader else "whether this loader starts cannot be told")
    return tuple(
        dataclasses.replace(link, status="unknown", evidence=f"{link.evidence}; {doubt}")
        if doubt and link.status == "broken"
        else link
        for link in links
    )


def _links(way: Way | None) -> Follow:
    return (
        ("loader", lambda _patient: loader(way)),
        ("entry", lambda _patient: entry(way)),
        ("kernel", lambda patient: kernel(patient, way)),
        ("initramfs", lambda patient: initramfs(patient, way)),
        ("modules", lambda patient: modules(patient, way)),
        ("root", lambda patient: root(patient, _options(way))),
        ("init", lambda patient: init(patient, _options(way))),
    )


def _options(way: Way | None) -> CommandLine | None:
    return CommandLine(way.entry.options) if way and way.entry and way.entry.linux else None


def loader(way: Way | None) -> Answer:
    """What the firmware starts. Its own settings are not on the disk, so this is never broken for certain."""
    if way is None or not way.loader:
        return Answer("unknown", "no boot loader is known on the disks")
    return Answer("ok", f"{way.firmware}: {way.loader}")


def entry(way: Way | None) -> Answer:
    """What the loader starts by itself."""
    if way is None:
        return Answer("unknown", "there is no boot loader whose configuration is known")
    where = way.follows[-1] if way.follows else way.config
    if way.unknown:
        return Answer("unknown", way.unknown)
    if way.entry is None:
        certain = way.kind in ("grub", "extlinux") and not is_by_hand(way.text or "")
        what = "is not there" if way.text is None else "holds no entry"
        return Answer("broken" if certain else "unknown", f"{where} {what}")
    if not way.entry.linux:
        return Answer("unknown", f"the default entry '{way.entry.title}' of {where} loads no Linux kernel itself")
    return Answer("ok", f"'{way.entry.title or way.entry.id}' of {where}")


def _kernel_of(patient: Patient, way: Way) -> tuple[BootEntry | None, Place | None]:
    found = way.entry
    if found is None or not found.linux:
        return None, None
    return found, place_of(patient, way, found.linux)


def kernel(patient: Patient, way: Way | None) -> Answer:
    """The default entry's kernel is there, and whole as far as its head and size tell."""
    place = _kernel_of(patient, way)[1] if way else None
    if place is None:
        return _any_kernel(patient)
    if not place.exists:
        return Answer("unknown" if place.unknown else "broken", f"{place.path} is not there {place.unknown}".rstrip())
    if way is not None and way.uki is not None:
        return Answer("ok", f"{place.path} holds a kernel of {way.uki.linux.size} bytes")
    file = patient.tree.open(place.path)
    if file is None:
        return Answer("unknown", f"{place.path} cannot be opened")
    with file:
        image = read_kernel_image(file)
    if image.problem:
        return Answer("broken", f"{place.path} cannot be loaded: {image.problem}")
    if not image.kind:
        return Answer("unknown", f"{place.path} is a kernel of no known kind")
    return Answer("ok", f"{place.path} ({image.kind})")


def _any_kernel(patient: Patient) -> Answer:
    """Without an entry: a server whose disks hold no kernel at all does not boot from them."""
    doubt = unmounted(patient, "/boot", "/boot/efi", "/efi") or other_loader(patient) or "; ".join(patient.uncertain)
    patterns = ("/boot/*", "/boot/*/*", "/boot/*/*/*", "/efi/*/*", "/efi/*/*/*", "/*")
    names = (path.rsplit("/", 1)[1].lower() for pattern in patterns for path in patient.tree.glob(pattern))
    kernel_like = re.compile(r"vmlinu|bzimage|^kernel|^linux|^image|\.efi$")
    if doubt or any(kernel_like.search(name) for name in names):
        return Answer("unknown", doubt or "which kernel boots cannot be told")
    return Answer("broken", "there is no kernel in /boot")


def initramfs(patient: Patient, way: Way | None) -> Answer:
    """It is there and sound; or the kernel provably needs none."""
    found, place = _kernel_of(patient, way) if way else (None, None)
    if way is None or found is None or place is None:
        return Answer("unknown", "no entry says which initramfs is used")
    if way.uki is not None:
        has = way.uki.initrd is not None
        return Answer("ok" if has else "unknown", f"the kernel's image holds {'its' if has else 'no'} initramfs")
    named = initramfs_of(found)
    if named is None:
        return _without(patient, found, place)
    where = place_of(patient, way, named)
    if not where.exists:
        return Answer("unknown" if where.unknown else "broken", f"{where.path} is not there {where.unknown}".rstrip())
    state = condition(patient, where.path)
    if state in ("empty", "truncated"):
        return Answer("broken", f"{where.path} is {state}")
    return Answer("ok" if state == "sound" else "unknown", f"{where.path}: {state}")


def _without(patient: Patient, found: BootEntry, place: Place) -> Answer:
    """The entry names no initramfs: right for a kernel that has all it needs built in, and for no other."""
    release = release_of(patient, place.path)
    if not kernel_finds_root(found.options):
        own = next((one for one in patient.kernels if one.vmlinuz == place.path), None)
        # A distribution's kernel that has an initramfs beside it has none inside.
        certain = own is not None and own.initramfs is not None
        root_name = CommandLine(found.options).last("root") or "no root="
        return Answer(
            "broken" if certain else "unknown", f"the entry names no initramfs, and no kernel finds {root_name} alone"
        )
    built_in = patient.tree.read_text(f"/lib/modules/{release}/modules.builtin") if release else None
    fstype = patient.root.fstype if patient.root else ""
    if built_in and re.search(rf"/{re.escape(fstype)}\.ko", built_in):
        return Answer("ok", f"the kernel has {fstype} built in and needs no initramfs")
    return Answer("unknown", "the entry names no initramfs; whether the kernel needs one cannot be told")


def modules(patient: Patient, way: Way | None) -> Answer:
    """The kernel's modules are in the root; a kernel without any may boot, but nobody can tell."""
    place = _kernel_of(patient, way)[1] if way else None
    if way is None or place is None or not place.exists:
        return Answer("unknown", "no kernel is known to boot")
    release = way.uki.release if way.uki is not None else release_of(patient, place.path)
    if not is_release(release):
        return Answer("unknown", f"the release of {place.path} cannot be told")
    folder = f"/lib/modules/{release}"
    if any(patient.tree.is_file(f"{folder}/{name}") for name in ("modules.dep", "modules.dep.bin", "modules.builtin")):
        return Answer("ok", folder)
    return Answer("unknown", f"{printable(folder)} holds no modules for this kernel")
