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
from .symptoms import SYMPTOMS

__all__ = ("MAX_CHARACTERS", "ConsoleReport", "Line", "boots", "clean", "read_console")

#: a log longer than this is read from its end: the last boot is what counts
MAX_CHARACTERS = 1024 * 1024
#: no honest line is longer, and no pattern has to look at more
MAX_LINE = 512
#: nor does an honest log of that size have more
MAX_LINES = 40000
MAX_EVIDENCE = 5
MAX_FINDINGS = 40
#: so far back an attempt that came to an end is looked for
MAX_BOOTS = 10

Boot = t.Literal["booted", "failed", "unknown"]
State = t.Literal["booted", "failed", "booting", "off", "unknown"]

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
    (0, True, re.compile(r"^UEFI firmware \(version")),
    (0, False, re.compile(r"^UEFI Interactive Shell")),
    (0, False, re.compile(r"^(?:BdsDxe: |iPXE \(|Booting from (?:Hard Disk|ROM|DVD/CD|Floppy))")),
    (1, False, re.compile(r"^(?:GRUB loading|Welcome to GRUB!|\s*GNU GRUB\s+version|Loading Linux |\s*Booting [`'])")),
    (2, True, re.compile(r"^\[ {0,4}0\.000000\](?:\[[ T0-9C]{1,12}\])? Linux version ")),
)
_STAMP = r"^\[[ 0-9.]{8,16}\](?:\[[ T0-9C]{1,12}\])? "
_END_OF_BOOT = re.compile(rf"{_STAMP}reboot: (?:Restarting system|Power down|System halted)")
_OFF = re.compile(rf"{_STAMP}reboot: (?:Power down|System halted)")
#: the kernel that writes a panicked one's memory away: a part of the boot that panicked
_CRASH_KERNEL = re.compile(r"elfcorehdr=|^kdump(?:\[\d{1,8}\])?: |Kdump: saving to")
#: a rescue system on the server's own console: nothing that it says is the server's
_RESCUE_SYSTEM = re.compile(r"^(?:open)?rescue login:(?:\s|$)")
#: until here systemd runs in the initramfs, where what is waited for is the root file system and not a line of fstab
_LEAVES_INITRAMFS = re.compile(r"Switching root|Switch Root|switch_root|[Rr]unning in initrd.{0,20}ended")
_IN_INITRAMFS = re.compile(
    r"Running in initrd|dracut-|dracut:|Initrd (?:Root Device|Default Target|Root File System)|/sysroot"
)
_SUCCESS = re.compile(
    r"^[\w.-]{1,64} login:(?:\s|$)"
    r"|Reached target (?:\S{1,80} - )?(?:multi-user\.target|Multi-User System|graphical\.target|Graphical Interface)"
    r"|Cloud-init v\. .{1,60} finished at "
)


@dataclasses.dataclass(frozen=True)
class Line:
    """A row of the console, with the number of the line of the log that it stands in."""

    number: int
    text: str


@dataclasses.dataclass(frozen=True)
class ConsoleReport:
    """What a console log shows.

    :param boot: how the last boot that came to an end went.
    :param state: what the server is in where the log ends.
    :param rescue: whether the log ends in a rescue system, so that nothing is known of the server's present state.
    """

    boot: Boot
    state: State
    rescue: bool
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


def boots(lines: t.Sequence[Line]) -> list[list[Line]]:
    """The lines of each boot, the last one last; a kernel that only saves a crash belongs to the boot that crashed."""
    found: list[list[Line]] = [[]]
    # A log may begin in the middle of a boot.
    rank = 2
    for line in lines:
        stage = _stage(line.text)
        if stage is not None:
            if stage[0] < rank or (stage[0] == rank and stage[1]):
                found.append([])
            rank = stage[0]
        found[-1].append(line)
        if _END_OF_BOOT.search(line.text):
            found.append([])
            rank = -1
    return [boot for boot in found if boot and not any(_CRASH_KERNEL.search(line.text) for line in boot[:400])]


def _stage(line: str) -> tuple[int, bool] | None:
    for rank, repeats_mean_boots, pattern in _STAGES:
        if pattern.search(line):
            return rank, repeats_mean_boots
    return None


@dataclasses.dataclass(frozen=True)
class _Judged:
    """One boot: how it went, what it came to, and what was matched in it."""

    boot: Boot
    state: State
    matches: tuple[_Match, ...]


def read_console(text: str, *, faults: t.Sequence[Fault], tail: int = 20) -> ConsoleReport:
    """Match the last boot that came to an end against the signatures of all faults.

    :param faults: the catalogue.
    :param tail: how many of the last lines that say anything to return.
    """
    lines = clean(text)
    all_boots = boots(lines)
    rescued = [boot for boot in all_boots if any(_RESCUE_SYSTEM.search(line.text) for line in boot)]
    in_rescue = bool(rescued) and rescued[-1] is all_boots[-1]
    own = [boot for boot in all_boots if boot not in rescued]
    last = _judge(own[-1], faults) if own else _Judged("unknown", "unknown", ())
    told = last
    for boot in reversed(own[:-1][-MAX_BOOTS:]) if last.boot == "unknown" and last.state != "off" else ():
        # An attempt that says nothing yet does not hide how the one before it failed; a good one is over, though.
        before = _judge(boot, faults)
        if before.boot != "unknown" or before.state in ("booted", "off"):
            told = before if before.boot == "failed" else last
            break
    return ConsoleReport(
        boot=told.boot,
        state="unknown" if in_rescue else last.state,
        rescue=in_rescue,
        findings=_findings(told.matches),
        lines=len(lines),
        tail=tuple(line.text for line in lines[-tail:]) if tail > 0 else (),
    )


def _judge(boot: t.Sequence[Line], faults: t.Sequence[Fault]) -> _Judged:
    success = max((line.number for line in boot if _SUCCESS.search(line.text)), default=0)
    switched = max((line.number for line in boot if _LEAVES_INITRAMFS.search(line.text)), default=0)
    early = any(_IN_INITRAMFS.search(line.text) for line in boot)
    matches = tuple(
        match
        for line in boot
        for match in _matches(line, faults)
        if (line.number > success or match.signature.survives_boot)
        and not (match.signature.after_initramfs and early and line.number < (switched or line.number + 1))
    )
    how = _verdict(success, matches)
    ended = next((line for line in boot if _END_OF_BOOT.search(line.text)), None)
    if ended is not None and how == "booted":  # it was up, and is not any more
        return _Judged("unknown", "off" if _OFF.search(ended.text) else "booting", matches)
    if ended is not None:
        return _Judged(how, "off" if _OFF.search(ended.text) else "booting", matches)
    return _Judged(how, "booting" if how == "unknown" and _has_begun(boot) else how, matches)


def _has_begun(boot: t.Sequence[Line]) -> bool:
    """Whether this is the beginning of a boot, and not any text that was logged."""
    return any(_stage(line.text) is not None for line in boot)


def _matches(line: Line, faults: t.Sequence[Fault]) -> t.Iterator[_Match]:
    table = [(fault.id, signature, False) for fault in faults for signature in fault.signatures]
    table += [(name, signature, True) for name, signature in SYMPTOMS]
    for name, signature, symptom in table:
        found = signature.search(line.text)
        if found:
            groups = tuple(group or "" for group in found.groups())
            yield _Match(name, signature, line, signature.summary.format(*groups), symptom)


def _verdict(success: int, matches: t.Sequence[_Match]) -> Boot:
    """Booted unless something fatal came after the success; failed only on a sign that it stopped."""
    stopped = [match for match in matches if match.signature.severity == "critical"]
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
