# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configurations of GRUB that a server could boot by: what is wrong with each, and how it is written anew.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ...._errors import OpenRescueError
from ...._formats.grub import Menu, parse_grub
from ...._text import printable
from ...model import Evidence, Finding, NotApplicable, Words
from .builders import grub_config_builder
from .loaders import other_loader
from .places import locate
from .ways import is_by_hand, is_redirect, shown_ways

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient
    from ...._patient.write.change import Change

__all__ = ("Broken", "NotBuilt", "broken_configs", "finding_of", "judge", "repair", "words")

TIMEOUT = 600.0

#: what these faults have in common for people
words = functools.partial(
    Words,
    scope="Servers that boot by GRUB, by BIOS or by UEFI, also where the EFI partition holds only a redirect to "
    "``/boot``. A ``grub.cfg`` that a person has written is judged with care, and never written.",
    remedy="``grub-mkconfig`` or ``grub2-mkconfig`` of the server writes it anew, without looking for other systems. "
    "What it wrote counts only if an entry names a kernel and a root file system that are there. The tool runs locked "
    "away, as the guide to recovering a server describes.",
    safety="Safe where no other way to boot leads to an entry, and no other boot loader may be the one that starts. "
    "There is no remedy where the server has no kernel, no ``grub-mkconfig`` or no ``/etc/grub.d/10_linux``, and for "
    "what lies on the EFI partition, except with Red Hat's family up to version 8 and Fedora up to 33.",
)


class NotBuilt(OpenRescueError):
    """The patient's own program wrote nothing that boots."""

    code = "grub_config_not_built"


@dataclasses.dataclass(frozen=True)
class Broken:
    """A configuration that boots nothing.

    :param what: is wrong with it, as a part of a sentence.
    :param only: whether no other way leads to an entry, so that the server certainly does not boot.
    """

    path: str
    what: str
    text: str | None
    only: bool


def judge(text: str, *, bls_entries: bool) -> str | None:
    """What is wrong with a configuration, as a part of a sentence; None if it can boot something."""
    if not text.strip("\0 \t\r\n"):
        return "is empty"
    menu = parse_grub(text)
    if menu.bootable() or (menu.uses_bls and bls_entries) or is_redirect(text):
        # A cut inside the last entry loses that entry only; inside the first, nothing is left to boot.
        only_broken = not menu.complete and not menu.uses_bls and len(menu.bootable()) == 1
        return "is cut off inside its only entry" if only_broken else None
    return "is cut off before its first entry" if not menu.complete else "holds no entry that boots anything"


def broken_configs(patient: Patient) -> list[Broken]:
    """Every configuration on a way to boot by GRUB that boots nothing; raises where there is no such way."""
    return patient.once("broken configurations of GRUB", lambda: _broken_configs(patient))


def _broken_configs(patient: Patient) -> list[Broken]:
    followed = shown_ways(patient)
    by_grub = [way for way in followed if way.kind == "grub"]
    if not by_grub:
        raise NotApplicable("the patient does not boot by GRUB")
    entries = bool(patient.tree.glob("/boot/loader/entries/*.conf"))
    only = not any(way.entry is not None and way.entry.loads for way in followed)
    found: dict[str, Broken] = {}
    doubts = []
    for way in by_grub:
        path = way.follows[-1]
        what = "is missing" if way.text is None else judge(way.text, bls_entries=entries)
        if what is None:
            continue
        if way.unknown:
            doubts.append(way.unknown)
            continue
        # Both boot codes may be there by custom; the one that the server uses is the one whose files it has.
        if way.text is None and not only:
            continue
        doubtful = is_by_hand(way.text or "") or other_loader(patient)
        found[path] = Broken(path, what, way.text, only and not doubtful)
    if doubts and not found:
        raise OpenRescueError(doubts[0], hint="Repair what is wrong with it first, then this is checked too")
    return list(found.values())


def finding_of(patient: Patient, fault: str, broken: Broken) -> Finding:
    text = broken.text or ""
    last = next((line for line in reversed(text.splitlines()) if line.strip("\0 \t")), "")
    shown = "absent" if broken.text is None else f"{len(text)} characters, the last line: {printable(last)}"
    command = _command(patient, broken)
    return Finding(
        fault=fault,
        severity="critical" if broken.only else "warning",
        summary=f"the configuration of GRUB, {printable(broken.path)}, {broken.what}",
        evidence=(Evidence(path=printable(broken.path), text=shown),),
        remedy=f"write it anew with {command[-3]}" if command else None,
        remedy_safe=command is not None,
        confidence="high" if broken.only else "medium",
    )


def _command(patient: Patient, broken: Broken) -> list[str] | None:
    """How it is written anew: only what a program wrote or nobody, and never the redirect on an EFI partition."""
    if not patient.kernels or is_by_hand(broken.text or ""):
        return None
    if not broken.path.startswith(("/boot/grub/", "/boot/grub2/")) and not _keeps_it_on_esp(patient):
        return None
    return grub_config_builder(patient, path=broken.path)


def _keeps_it_on_esp(patient: Patient) -> bool:
    """The Red Hat family kept the whole configuration on the EFI partition up to version 8."""
    release = patient.os
    families = (release.id, *release.id_like) if release else ()
    version = re.match(r"\d+", release.version_id) if release else None
    last = 33 if release and release.id == "fedora" else 8
    return bool({"rhel", "centos", "fedora"} & set(families)) and version is not None and int(version[0]) <= last


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    for broken in broken_configs(patient):
        command = _command(patient, broken)
        if printable(broken.path) != finding.evidence[0].path or command is None:
            continue
        done = change.run_in_patient(command, outputs=[broken.path], timeout=TIMEOUT)
        # What was read before is not so any more.
        patient.drop_facts()
        menu = next((way.menu for way in shown_ways(patient) if way.follows[-1] == broken.path), None)
        if not _boots_something(patient, menu):
            raise NotBuilt(
                f"'{command[-3]}' wrote no entry with a kernel and a root file system that are there "
                f"({_written(menu)}; it said: {printable(done.stderr, limit=600)})"
            )
        return


def _boots_something(patient: Patient, menu: Menu | None) -> bool:
    """Whether an entry loads a kernel that is there, with a root file system that the patient has."""
    for entry in menu.bootable() if menu else []:
        root = next((option[5:] for option in entry.options if option.startswith("root=")), None)
        found = root is None or patient.find(root) is not None
        if entry.linux and found and locate(patient, entry.linux, device=entry.device).exists:
            return True
    return False


def _written(menu: Menu | None) -> str:
    """What the menu would load, for a message."""
    loads = [" ".join((entry.linux, *entry.options)) for entry in (menu.bootable() if menu else [])]
    return f"{len(loads)} entries, the first: {printable(loads[0])}" if loads else "no entry at all"
