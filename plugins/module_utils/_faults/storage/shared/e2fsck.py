# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What e2fsck says of an ext file system, and letting it repair one.

What a boot would heal by itself (a journal to replay, orphans to clear) is no damage, so that is done first, in the
throw-away layer; what is left after it is the damage.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ...._patient.checkup import ANY_CODE, EXT, OPERATIONAL, TIMEOUT, UNCORRECTED, checkup, problems
from ...._patient.tools import DEVICE
from ...._patient.tree.replay import replay_journal
from ...._text import printable
from ...model import Confidence, Evidence, Severity
from .use import is_shared

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient
    from ...._patient.write.change import Change

__all__ = (
    "ANY_CODE",
    "EXT",
    "TIMEOUT",
    "Checked",
    "Judgement",
    "check_ext",
    "evidence_of",
    "is_benign",
    "judge_ext",
    "repair_ext",
    "shown_devices",
)

MAX_EVIDENCE = 5


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What is wrong with a file system.

    :param summary: a part of a sentence, after the name of its device.
    :param lines: what the checker said.
    """

    severity: Severity
    confidence: Confidence
    summary: str
    repairable: bool = True
    lines: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Checked:
    """What the runs of e2fsck over one file system said.

    :param first: exit code of ``e2fsck -fn``, once the journal was replayed in the throw-away layer.
    :param boot: exit code of ``e2fsck -p``, the check of every boot, in that layer; None without one.
    :param full: exit code of ``e2fsck -fn`` after it.
    :param output: of the one that found the damage.
    :param lines: the problems.
    :param preen: whether e2fsck repairs it without asking, tried where nothing reaches the disk.
    """

    first: int
    boot: int | None
    full: int
    output: str
    lines: tuple[str, ...]
    preen: bool


def is_benign(output: str) -> bool:
    """Whether e2fsck found fault with summary counts only, all of which it can compute anew."""
    before_summaries, found, _rest = output.partition("\nPass 5:")
    _before, started, passes = before_summaries.partition("Pass 1:")
    return bool(found and started) and all(line.startswith("Pass ") for line in passes.splitlines()[1:] if line.strip())


def judge_ext(checked: Checked) -> Judgement | None:
    """What all that means for the server."""
    boot, full, output = checked.boot, checked.full, checked.output
    if boot is not None and boot & UNCORRECTED:
        repairable = "physical size of the device" not in output
        return Judgement("critical", "high", "is damaged, and a check at boot stops for it", repairable)
    if full & UNCORRECTED:
        if boot is None and "skipping journal recovery" in output:
            return Judgement("info", "low", "cannot be judged: its journal was not replayed", repairable=False)
        return Judgement("error", "high", "is damaged, though nothing at boot notices")
    if checked.first & UNCORRECTED:
        # Nobody boots it before something is written to it.
        return Judgement("info", "high", "is damaged, and a check at boot repairs it")
    if full & OPERATIONAL:
        return Judgement("info", "low", "cannot be checked by this rescue system", repairable=False)
    return None


def check_ext(patient: Patient, item: Filesystem) -> Checked:
    """Check one file system, once until something changes: a large one takes minutes."""
    return patient.once(f"e2fsck {item.reading_device}", lambda: _check(patient, item))


def _check(patient: Patient, item: Filesystem) -> Checked:
    def run(*options: str) -> tuple[int, str]:
        done = patient.tools.run(["e2fsck", *options, item.reading_device], timeout=TIMEOUT, ok=ANY_CODE)
        return done.rc, done.stdout + done.stderr

    if item.writable:
        replay_journal(item)  # one that the kernel cannot replay is left to e2fsck below
    seen = checkup(patient, item)
    if seen is None:
        raise AssertionError("e2fsck is one of the fault's tools")
    first, output, lines = seen.code, seen.output, seen.lines[:MAX_EVIDENCE]
    if not item.writable or not first & UNCORRECTED:
        return Checked(first, 0 if item.writable else None, first, output, lines, preen=False)
    boot, told = run("-p")
    full, after = run("-f", "-n")
    stops = bool(boot & UNCORRECTED)
    # It has asked already where it stops.
    preen = not stops and (not full & UNCORRECTED or run("-f", "-p")[0] < UNCORRECTED)
    return Checked(first, boot, full, told if stops else after, tuple(problems(after)[:MAX_EVIDENCE]) or lines, preen)


def evidence_of(item: Filesystem, lines: t.Sequence[str]) -> tuple[Evidence, ...]:
    """The device first, which makes it the same finding however its damage changes."""
    shown = (Evidence(device=item.device, text=printable(line)) for line in lines[:MAX_EVIDENCE])
    return (Evidence(device=item.device), *shown)


def shown_devices(patient: Patient, evidence: t.Sequence[Evidence]) -> list[Filesystem]:
    """The device that a finding is about, as it is now; none where it is gone, or where others use it too."""
    known = (*patient.filesystems, *patient.blank)
    return [item for item in known if item.device == evidence[0].device and not is_shared(item)]


def repair_ext(item: Filesystem, change: Change, *options: str) -> None:
    """Repair without questions; only where that is not enough, with yes to all of them."""
    done = change.run_on_device(item, ["e2fsck", "-f", "-p", *options, DEVICE], timeout=TIMEOUT, ok=ANY_CODE)
    if done.rc & (UNCORRECTED | OPERATIONAL):
        # The first run may have written the superblock already, and then its copy is not needed.
        done = change.run_on_device(item, ["e2fsck", "-f", "-y", *options, DEVICE], timeout=TIMEOUT, ok=range(4))
    for line in problems(done.stdout)[:MAX_EVIDENCE]:
        change.note(f"{item.device}: {printable(line)}")
