# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initramfs of the kernel that boots by default: which file it is, and how it is built anew.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ...._errors import OpenRescueError
from ...._formats.initramfs import Condition, Source, end_of_zstd, examine, is_empty, is_zstd
from ...._formats.kernel_cmdline import CommandLine
from ...._text import printable
from ...._time import Clock, Deadline
from ...model import Evidence, Finding, NotApplicable, Words
from .builders import initramfs_builder
from .kernels import initramfs_of, release_of
from .places import unmounted
from .ways import main_way, place_of, ways

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient
    from ...._patient.write.change import Change

__all__ = (
    "DefaultInitramfs",
    "NotBuilt",
    "condition",
    "default_initramfs",
    "detect_as",
    "kernel_finds_root",
    "repair",
    "words",
)

#: an initramfs that takes longer to read is not judged
EXAMINE_TIMEOUT = 120.0
MAX_FOR_TOOL = 192 * 1024 * 1024
BUILD_TIMEOUT = 1800.0

#: what these faults have in common for people
words = functools.partial(
    Words,
    scope="The default entry of GRUB, systemd-boot and extlinux, by BIOS and by UEFI, with ``/boot`` on a partition "
    "of its own or not, and the entries of the Boot Loader Specification. It does not apply to unified kernel images, "
    "which hold their initramfs, nor to kernels that start without one.",
    remedy="The server's own tool builds it anew for this kernel, at this path: ``mkinitramfs`` (Debian, Ubuntu), "
    "``dracut`` (Red Hat's family, SUSE; with drivers for any hardware), ``mkinitcpio`` (Arch) or ``mkinitfs`` "
    "(Alpine). It is examined afterwards. The tool runs locked away, as the guide to recovering a server describes.",
    safety="Safe. There is no remedy where the server has none of these tools, or where the kernel or its modules are "
    "not there.",
)


class NotBuilt(OpenRescueError):
    """The patient's own program left no sound initramfs."""

    code = "initramfs_not_built"


@dataclasses.dataclass(frozen=True)
class DefaultInitramfs:
    """The initramfs to judge.

    :param unknown: why it could be somewhere else; empty where it certainly belongs here.
    :param release: of its kernel; empty if it cannot be told.
    """

    path: str
    kernel: str
    release: str
    unknown: str = ""


def default_initramfs(patient: Patient) -> DefaultInitramfs:
    """The initramfs of the default kernel; raises where the patient has none to judge."""
    return patient.once("the default initramfs", lambda: _default_initramfs(patient))


def _default_initramfs(patient: Patient) -> DefaultInitramfs:
    way = main_way(patient)
    if way is None or way.entry is None:
        return _of_newest_kernel(patient)
    entry = way.entry
    if way.uki is not None:
        raise NotApplicable("the kernel's image holds its initramfs")
    kernel = place_of(patient, way, entry.linux)
    named = initramfs_of(entry)
    if named is not None:
        place = place_of(patient, way, named)
        return DefaultInitramfs(place.path, kernel.path, release_of(patient, kernel.path), place.unknown)
    if kernel_finds_root(entry.options):
        raise NotApplicable("the default kernel starts without an initramfs")
    installed = next((one for one in patient.kernels if one.vmlinuz == kernel.path), None)
    if installed is None:
        raise NotApplicable("the default entry names no initramfs")
    return DefaultInitramfs(installed.expected_initramfs, kernel.path, installed.version, way.unknown)


def _of_newest_kernel(patient: Patient) -> DefaultInitramfs:
    """Where no menu says what boots, the newest kernel of a distribution's is what a new menu would boot."""
    doubt = unmounted(patient, "/boot", "/boot/efi")
    if any(way.unknown for way in ways(patient)) or doubt:
        raise OpenRescueError(doubt or "which kernel boots cannot be told")
    newest = next(iter(patient.kernels), None)
    if newest is None or not newest.has_modules:
        raise NotApplicable("no kernel of a distribution is known to boot")
    return DefaultInitramfs(newest.expected_initramfs, newest.vmlinuz, newest.version)


def kernel_finds_root(options: tuple[str, ...]) -> bool:
    """Whether a kernel can find this root file system by itself."""
    root = CommandLine(options).last("root") or ""
    return bool(re.match(r"^(?:PARTUUID=|PARTLABEL=|/dev/(?:[vsh]d|xvd|nvme|mmcblk|nfs|ram)|\d+:\d+$)", root))


def condition(patient: Patient, path: str, *, whole: bool = True) -> Condition | None:
    """How an initramfs is; None if it is not there. Only where the ``whole`` is read is "sound" more than a guess."""
    return patient.once(f"initramfs {path} {whole}", lambda: _condition(patient, path, whole=whole))


def _condition(patient: Patient, path: str, *, whole: bool) -> Condition | None:
    file = patient.tree.open(path) if patient.tree.is_file(path) else None
    if file is None:
        return None
    with file:
        source = Source(file, _over_in(EXAMINE_TIMEOUT))
        if not whole:
            return "empty" if is_empty(source) else "sound"
        found = examine(source)
        return "truncated" if found == "sound" and not _tool_agrees(patient, source) else found


def _over_in(seconds: float) -> t.Callable[[], bool]:
    deadline = Deadline(Clock(), seconds=seconds)
    return lambda: deadline.left <= 0


def _tool_agrees(patient: Patient, source: Source) -> bool:
    """Let zstd check its sums, where the whole file is one stream of it and the tool is there."""
    if source.size() > MAX_FOR_TOOL or not is_zstd(source) or not patient.tools.has("zstd"):
        return True
    # Without the padding behind it; the stream itself may end with a zero, too.
    data = source.at(0, end_of_zstd(source))
    return patient.tools.run(["zstd", "-q", "-t"], timeout=600, ok=range(256), stdin=data).rc == 0


def detect_as(fault: str, wanted: Condition | None, words: str) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """One judgement of one file; the faults differ in what it says."""

    def detect(patient: Patient) -> t.Iterator[Finding]:
        about = default_initramfs(patient)
        if condition(patient, about.path, whole=wanted == "truncated") != wanted:
            return
        if wanted is None and about.unknown:
            raise OpenRescueError(f"{about.path} is not there, but {about.unknown}")
        command = _command(patient, about)
        found = patient.tree.stat(about.path)
        yield Finding(
            fault=fault,
            severity="critical",
            summary=f"the initramfs of the default kernel {printable(about.release, limit=80)} {words}",
            evidence=(Evidence(path=printable(about.path), text=f"{found.st_size} bytes" if found else "absent"),),
            remedy=f"build it anew with {command[0]}" if command else None,
            remedy_safe=command is not None,
        )

    return detect


def _command(patient: Patient, about: DefaultInitramfs) -> list[str] | None:
    modules = f"/lib/modules/{about.release}"
    has_modules = patient.tree.is_dir(f"{modules}/kernel") or patient.tree.is_file(f"{modules}/modules.dep")
    if not about.release or not has_modules or not patient.tree.is_file(about.kernel):
        return None
    return initramfs_builder(patient, release=about.release, path=about.path)


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    about = default_initramfs(patient)
    command = _command(patient, about)
    if command is None or printable(about.path) != finding.evidence[0].path:
        return
    change.run_in_patient(command, outputs=[about.path], timeout=BUILD_TIMEOUT)
    patient.drop_facts()
    result = condition(patient, about.path)
    if result not in ("sound", "unknown"):
        raise NotBuilt(
            f"the patient's '{command[0]}' ended well, but the initramfs is {result or 'missing'}",
            hint="Look for free space on /boot",
        )
