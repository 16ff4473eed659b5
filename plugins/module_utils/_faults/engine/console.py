# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a console log says about the last boot: pure matching of text.

A console buffer spans reboots, is coloured, cut anywhere and written by the guest, so it is untrusted.
Only the last boot in it counts; a finding that a later successful boot has outlived is dropped; and a
general symptom (emergency mode) never hides the cause that stands beside it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..model import Evidence, Fault, Finding, Signature

__all__ = ("MAX_CHARACTERS", "ConsoleReport", "Line", "clean", "last_boot", "read_console")

#: a log longer than this is read from its end: the last boot is what counts
MAX_CHARACTERS = 1024 * 1024
#: no honest line is longer, and no pattern has to look at more
MAX_LINE = 512
#: nor does an honest log of that size have more
MAX_LINES = 40000
MAX_EVIDENCE = 5
MAX_FINDINGS = 40

Boot = t.Literal["booted", "failed", "unknown"]

# systemd cuts long unit names in their middle, and with them the escape that begins there.
# Moving the cursor to a first column is how GRUB and firmware begin a line; to another column, they go on with one.
_NEW_ROW = re.compile(r"\x1b\[(?:\d{0,4};0?1|\d{0,4})?[Hf]|\x1b\[\d?J|\x1bc|\r|\v|\f")
_ESCAPE = re.compile(
    r"\x1b\[[0-9;:<=>?]{0,32}[ -/]{0,4}[@-~]?|\x1b\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)?|\x1b[()][0-9A-B]|\x1b.?"
)
# Nova's console output has lost the character that begins an escape, and its UTF-8 is broken into its bytes.
_BEHEADED = re.compile(r"\[(?=\d{1,4}(?:;\d{1,4}){0,8}[mHJKf]|\d{1,4}(?:;\d{1,4}){0,8};\ufffd)")
_SYSTEMD_PROGRESS = re.compile(r"^\[[ *]{3,8}\] ")

# Firmware, boot loader and kernel come in this order: a step back is another boot.
_STAGES: tuple[tuple[int, bool, re.Pattern[str]], ...] = (
    # (rank, whether the same line twice means two boots, pattern)
    (0, True, re.compile(r"^SeaBIOS \(version ")),
    (0, True, re.compile(r"^(?:UEFI Interactive Shell|UEFI firmware \(version)")),
    (0, False, re.compile(r"^(?:BdsDxe: |iPXE \(|Booting from (?:Hard Disk|ROM|DVD/CD|Floppy))")),
    (1, False, re.compile(r"^(?:GRUB loading|Welcome to GRUB!|\s*GNU GRUB\s+version|Loading Linux |\s*Booting [`'])")),
    (2, True, re.compile(r"^\[ {0,4}0\.000000\](?:\[[ T0-9C]{1,12}\])? Linux version ")),
)
_END_OF_BOOT = re.compile(
    r"^\[[ 0-9.]{8,16}\](?:\[[ T0-9C]{1,12}\])? reboot: (?:Restarting system|Power down|System halted)"
)
_SUCCESS = re.compile(
    r"^[\w.-]{1,64} login:(?:\s|$)"
    r"|Reached target (?:\S{1,80} - )?(?:multi-user\.target|Multi-User System|graphical\.target|Graphical Interface)"
    r"|Cloud-init v\. .{1,60} finished at "
)

# What any of many causes leads to. Their words are shown, but never before a cause.
_SYMPTOM_TABLE = (
    (
        "boot-mount-failed",
        r"(?:Dependency failed for|Failed to mount) (?:\S{1,200} - )?(/\S{0,200}?)\.?$",
        "could not mount {0}",
    ),
    ("boot-emergency-mode", r"You are in emergency mode|Entering emergency mode\.", "stopped in emergency mode"),
    ("boot-emergency-mode", r"You are in rescue mode", "stopped in rescue mode"),
    ("boot-emergency-mode", r"Cannot open access to console, the root account is locked", "cannot show a root shell"),
    ("boot-initramfs-shell", r"^\(initramfs\)|^dracut:/[^#]{0,40}#(?:\s|$)", "stopped in the shell of its initramfs"),
    ("boot-initramfs-shell", r"^Gave up waiting for root", "did not find its root file system in time"),
    ("boot-initramfs-shell", r"dracut-initqueue.{0,40}Could not boot", "did not find its root file system in time"),
    ("boot-kernel-panic", r"Kernel panic - not syncing: (.{1,120})", "panicked: {0}"),
    ("boot-loader-prompt", r"^grub(?: rescue)?> ?|^Entering rescue mode\.\.\.", "stopped at the boot loader's prompt"),
    ("boot-no-device", r"No bootable device|not a bootable disk|^BdsDxe: No bootable", "found nothing to boot from"),
)
_SYMPTOMS = tuple(
    (name, Signature(re.compile(pattern), f"the server {summary}")) for name, pattern, summary in _SYMPTOM_TABLE
)


@dataclasses.dataclass(frozen=True)
class Line:
    """A row of the console, with the number of the line of the log that it stands in."""

    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class ConsoleReport:
    """What the last boot in a console log shows."""

    boot: Boot
    findings: tuple[Finding, ...]
    lines: int
    tail: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Match:
    fault: str
    signature: Signature
    line: Line
    summary: str
    symptom: bool


def clean(text: str) -> list[Line]:
    """The rows of console text that say anything, without escapes and control characters; bounded in size."""
    if "\x1b" not in text:
        text = _BEHEADED.sub("\x1b[", text).replace("\ufffd\ufffd\ufffd", "…")
    cut = text[:-MAX_CHARACTERS] if len(text) > MAX_CHARACTERS else ""
    raw = text[len(cut) :].split("\n")
    first = cut.count("\n") + 1 + len(raw[:-MAX_LINES])
    rows = ((number, row) for number, line in enumerate(raw[-MAX_LINES:], first) for row in _NEW_ROW.split(line))
    lines = (Line(number, _printable(_ESCAPE.sub("", row))) for number, row in rows)
    return [line for line in lines if line.text.strip()][-MAX_LINES:]


def _printable(line: str) -> str:
    shown = "".join(char if char.isprintable() else (" " if char == "\t" else "") for char in line[:MAX_LINE])
    return _SYSTEMD_PROGRESS.sub("", shown).rstrip()


def last_boot(lines: t.Sequence[Line]) -> list[Line]:
    """The lines of the last boot that says anything."""
    boots: list[list[Line]] = [[]]
    # A log may begin in the middle of a boot.
    rank = 2
    for line in lines:
        found = _stage(line.text)
        if found is not None:
            stage, repeats_mean_boots = found
            if stage < rank or (stage == rank and repeats_mean_boots):
                boots.append([])
            rank = stage
        boots[-1].append(line)
        if _END_OF_BOOT.search(line.text):
            boots.append([])
            rank = -1
    return next((boot for boot in reversed(boots) if boot), [])


def _stage(line: str) -> tuple[int, bool] | None:
    for rank, repeats_mean_boots, pattern in _STAGES:
        if pattern.search(line):
            return rank, repeats_mean_boots
    return None


def read_console(text: str, *, faults: t.Sequence[Fault], tail: int = 20) -> ConsoleReport:
    """Match the last boot of a console log against the signatures of all faults.

    :param faults: the catalogue.
    :param tail: how many of the last lines that say anything to return.
    """
    lines = clean(text)
    boot = last_boot(lines)
    success = max((line.number for line in boot if _SUCCESS.search(line.text)), default=0)
    matches = [
        match
        for line in boot
        for match in _matches(line, faults)
        if match.line.number > success or match.signature.survives_boot
    ]
    return ConsoleReport(
        boot=_verdict(success, matches),
        findings=_findings(matches),
        lines=len(lines),
        tail=tuple(line.text for line in lines[-tail:]) if tail > 0 else (),
    )


def _matches(line: Line, faults: t.Sequence[Fault]) -> t.Iterator[_Match]:
    table = [(fault.id, signature, False) for fault in faults for signature in fault.signatures]
    table += [(name, signature, True) for name, signature in _SYMPTOMS]
    for name, signature, symptom in table:
        found = signature.pattern.search(line.text)
        if found:
            groups = tuple(group or "" for group in found.groups())
            yield _Match(name, signature, line, signature.summary.format(*groups), symptom)


def _verdict(success: int, matches: t.Sequence[_Match]) -> Boot:
    """Booted unless something fatal came after the success; failed only on a sign that it stopped."""
    stopped = [match for match in matches if match.symptom or match.signature.severity == "critical"]
    if any(match.line.number > success for match in stopped if not match.signature.survives_boot):
        return "failed"
    return "booted" if success else "unknown"


def _findings(matches: t.Sequence[_Match]) -> tuple[Finding, ...]:
    """One finding per fault and summary, causes first; symptoms beside a cause are only information."""
    grouped: dict[tuple[str, str], list[_Match]] = {}
    for match in matches:
        grouped.setdefault((match.fault, match.summary), []).append(match)
    causes = [_finding(group) for group in grouped.values() if not group[0].symptom]
    beside_cause = any(finding.severity == "critical" for finding in causes)
    symptoms = [_finding(group) for group in grouped.values() if group[0].symptom]
    if beside_cause:
        symptoms = [dataclasses.replace(finding, severity="info") for finding in symptoms]
    confidence = {"high": 0, "medium": 1, "low": 2}
    causes.sort(key=lambda finding: confidence[finding.confidence])
    return tuple((causes + symptoms)[:MAX_FINDINGS])


def _finding(group: t.Sequence[_Match]) -> Finding:
    first = group[0]
    return Finding(
        fault=first.fault,
        severity=first.signature.severity,
        summary=first.summary,
        evidence=tuple(
            Evidence(path="console", line=match.line.number, text=match.line.text) for match in group[:MAX_EVIDENCE]
        ),
        confidence=first.signature.confidence,
    )
