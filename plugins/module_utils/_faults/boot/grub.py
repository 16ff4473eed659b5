# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of GRUB: missing, or without anything to boot.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..model import Evidence, Fault, Finding, Signature
from .menu import CONFIGS, ENTRIES, Menu, in_tree, parse_grub, read_menu, require_boot

if t.TYPE_CHECKING:
    from ..._patient.patient import Patient
    from ..._patient.write.change import Change

__all__ = ("GRUB_CONFIG_EMPTY", "GRUB_CONFIG_MISSING", "is_redirect", "judge_config")

TIMEOUT = 600.0


def is_redirect(text: str) -> bool:
    """Whether a grub.cfg on the EFI partition only leads to the real one; such a stub is never written to."""
    menu = parse_grub(text)
    return not menu.entries and not menu.uses_bls and bool(re.search(r"^\s*configfile\s", text, re.MULTILINE))


def judge_config(text: str, *, bls_entries: bool) -> str | None:
    """What is wrong with a configuration, as a part of a sentence; None if it can boot something."""
    if not text.strip("\0 \t\r\n"):
        return "is empty"
    menu = parse_grub(text)
    if menu.bootable() or (menu.uses_bls and bls_entries) or is_redirect(text):
        # A cut inside the last entry loses that entry only; inside the first, nothing is left to boot.
        only_broken = not menu.complete and not menu.uses_bls and len(menu.bootable()) == 1
        return "is cut off inside its only entry" if only_broken else None
    return "is cut off before its first entry" if not menu.complete else "holds no entry that boots anything"


def config_path(patient: Patient) -> str | None:
    """Where the configuration belongs; None if the patient does not boot by GRUB, or keeps it elsewhere."""
    require_boot(patient)
    tree = patient.tree
    for path in CONFIGS:
        directory = path.rsplit("/", 1)[0]
        if tree.is_file(path) or tree.glob(f"{directory}/*/normal.mod") or tree.exists(f"{directory}/grubenv"):
            break
    else:
        return None
    # Older members of the Red Hat family keep the real configuration on the EFI partition.
    others = [] if tree.exists(path) else tree.glob("/boot/efi/EFI/*/grub.cfg")
    texts = [tree.read_text(other) or "" for other in others]
    elsewhere = any(
        judge_config(text, bls_entries=_has_bls(patient)) is None and not is_redirect(text) for text in texts
    )
    return None if elsewhere else path


def _has_bls(patient: Patient) -> bool:
    return bool(patient.tree.glob(f"{ENTRIES}/*.conf"))


def builder(patient: Patient, path: str) -> list[str] | None:
    """The patient's own command that writes the configuration; without looking for other systems' disks."""
    for name in ("grub-mkconfig", "grub2-mkconfig"):
        if any(patient.tree.is_file(f"{where}/{name}") for where in ("/usr/sbin", "/usr/bin", "/sbin")):
            return ["env", "GRUB_DISABLE_OS_PROBER=true", name, "-o", path]
    return None


def boots_something(patient: Patient, menu: Menu | None) -> bool:
    """Whether an entry loads a kernel that is there, with a root file system that the patient has."""
    for entry in menu.bootable() if menu else []:
        root = next((option[5:] for option in entry.options if option.startswith("root=")), None)
        found = root is None or root.startswith("$") or patient.find(root) is not None
        if entry.linux and found and patient.tree.is_file(in_tree(patient, entry.linux)):
            return True
    return False


def _finding(patient: Patient, fault: str, path: str, what: str, text: str) -> Finding:
    command = builder(patient, path) if patient.kernels else None
    return Finding(
        fault=fault,
        severity="critical",
        summary=f"the configuration of GRUB {what}",
        evidence=(Evidence(path=path, text=text),),
        remedy=f"write it anew with {command[2]}" if command else None,
        remedy_safe=command is not None,
    )


def _repair(patient: Patient, finding: Finding, change: Change) -> None:
    path = config_path(patient)
    command = builder(patient, path) if path else None
    if path != finding.evidence[0].path or path is None or command is None:
        return
    done = change.run_in_patient(command, outputs=[path], timeout=TIMEOUT)
    menu = read_menu(patient)
    if not boots_something(patient, menu):
        raise OpenRescueError(
            f"'{command[2]}' wrote no entry with a kernel and a root file system that are there "
            f"({_written(menu)}; it said: {printable(done.stderr, limit=600)})",
            code="grub_config_not_built",
        )


def _written(menu: Menu | None) -> str:
    """What the menu would load, for a message."""
    loads = [" ".join((entry.linux, *entry.options)) for entry in (menu.bootable() if menu else [])]
    return f"{len(loads)} entries, the first: {printable(loads[0])}" if loads else "no entry at all"


def _detect_missing(patient: Patient) -> t.Iterator[Finding]:
    path = config_path(patient)
    if path is not None and not patient.tree.exists(path):
        yield _finding(patient, "grub-config-missing", path, "is missing", "absent")


GRUB_CONFIG_MISSING = Fault(
    id="grub-config-missing",
    title="GRUB has no configuration",
    signatures=(
        Signature(
            re.compile(r"Minimal BASH-like line editing is supported|^grub> ?$"),
            "the boot loader stopped at its prompt: it found no configuration, or none with an entry",
            confidence="medium",
        ),
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?file [`']([^`']{0,200}/grub\.cfg)' not found"),
            "the boot loader does not find its configuration {0}",
        ),
    ),
    detect=_detect_missing,
    repair=_repair,
    safe=True,
)


def _detect_empty(patient: Patient) -> t.Iterator[Finding]:
    path = config_path(patient)
    if path is None or not patient.tree.exists(path):
        return
    text = patient.tree.read_text(path) or ""
    what = judge_config(text, bls_entries=_has_bls(patient))
    if what is not None:
        last = next((line for line in reversed(text.splitlines()) if line.strip("\0 \t")), "")
        yield _finding(
            patient, "grub-config-empty", path, what, f"{len(text)} characters, the last line: {printable(last)}"
        )


GRUB_CONFIG_EMPTY = Fault(
    id="grub-config-empty",
    title="The configuration of GRUB holds nothing to boot",
    signatures=(
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?(?:syntax error|Incorrect command|unexpected end of file)\.?$"),
            "the boot loader cannot read its configuration",
            confidence="medium",
        ),
    ),
    detect=_detect_empty,
    repair=_repair,
    safe=True,
)
