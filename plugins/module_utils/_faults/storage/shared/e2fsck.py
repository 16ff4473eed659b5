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
import re
import typing as t

from ...._patient.tools import DEVICE
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
    "problems",
    "repair_ext",
    "shown_devices",
)

EXT = ("ext2", "ext3", "ext4")
#: a full check reads all metadata: minutes on a large and slow disk
TIMEOUT = 3600.0
ANY_CODE = range(256)
UNCORRECTED, OPERATIONAL = 4, 8
MAX_EVIDENCE = 5

_NO_PROBLEM = re.compile(
    r"^(?:e2fsck \d|Pass \d|IGNORED\.$|Fix\? |\S+: \*{5,} |\S+: \d+/\d+ files|Warning! |.* was not cleanly unmounted)"
    r"|^\s*$|^ext2fs_open2: |Superblock invalid, trying backup|check forced\.$|recovering journal$"
)


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

    :param boot: exit code of ``e2fsck -p``, the check of every boot, in the throw-away layer; None without one.
    :param full: exit code of ``e2fsck -fn`` after it.
    :param output: of the one that found the damage.
    :param lines: the problems.
    :param preen: whether e2fsck repairs it without asking, tried where nothing reaches the disk.
    """

    boot: int | None
    full: int
    output: str
    lines: tuple[str, ...]
    preen: bool


def problems(output: str) -> list[str]:
    """The lines of e2fsck's output that name a problem."""
    return [line.strip() for line in output.splitlines() if not _NO_PROBLEM.search(line)]


def is_benign(output: str) -> bool:
    """Whether e2fsck found fault with summary counts only, all of which it can compute anew."""
    before_summaries, found, _rest = output.partition("\nPass 5:")
    _before, started, passes = before_summaries.partition("Pass 1:")
    return bool(found and started) and all(line.startswith("Pass ") for line in passes.splitlines()[1:] if line.strip())


def judge_ext(*, boot: int | None, full: int, output: str) -> Judgement | None:
    """What two runs of e2fsck say, each by its exit code as in :class:`Checked`."""
    if boot is not None and boot & UNCORRECTED:
        repairable = "physical size of the device" not in output
        return Judgement("critical", "high", "is damaged, and a check at boot stops for it", repairable)
    if full & UNCORRECTED:
        if boot is None and "skipping journal recovery" in output:
            return Judgement("info", "low", "cannot be judged: its journal was not replayed", repairable=False)
        return Judgement("error", "high", "is damaged, though nothing at boot notices")
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

    boot, told = run("-p") if item.writable else (None, "")
    full, output = run("-f", "-n")
    stops = boot is not None and bool(boot & UNCORRECTED)
    lines = problems(output) or problems(told)
    # It has asked already where it stops, and has nothing to do where nothing is wrong.
    tries = boot is not None and not stops and bool(full & UNCORRECTED)
    preen = tries and run("-f", "-p")[0] < UNCORRECTED
    return Checked(boot, full, told if stops else output, tuple(lines[:MAX_EVIDENCE]), preen)


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
