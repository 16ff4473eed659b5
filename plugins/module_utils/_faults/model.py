# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault is, what it finds, and what the engine asks of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

if t.TYPE_CHECKING:
    from .._patient.patient import Patient
    from .._patient.write.change import Change

__all__ = ("Confidence", "Evidence", "Fault", "Finding", "NotApplicable", "Severity", "Signature", "Stage", "Words")

Severity = t.Literal["critical", "error", "warning", "info"]
Confidence = t.Literal["high", "medium", "low"]
Stage = t.Literal["device", "tree"]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Where a finding was seen. Text is the patient's: untrusted, cut to a line and printable."""

    path: str | None = None
    line: int | None = None
    text: str | None = None
    device: str | None = None


@dataclasses.dataclass(frozen=True)
class Finding:
    """One instance of a fault on one patient.

    :param key: what makes it the same one before and after a repair, and in two calls: unique among the findings of
        one diagnosis. Where a fault gives none it is made of the first evidence, without the line's number, since
        other repairs move lines.
    :param remedy_safe: whether the remedy loses nothing that could be wanted; never where the confidence is below high.
    :param causes: keys of the findings that only follow from this one.
    """

    fault: str
    severity: Severity
    summary: str
    evidence: tuple[Evidence, ...] = ()
    remedy: str | None = None
    remedy_safe: bool = False
    confidence: Confidence = "high"
    key: str = ""
    causes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.confidence != "high":  # what is not certain is for a person to decide
            object.__setattr__(self, "remedy_safe", False)
        if not self.key:
            first = self.evidence[0] if self.evidence else Evidence()
            parts = (self.fault, first.path, first.device, first.text)
            object.__setattr__(self, "key", "|".join(part for part in parts if part))

    def as_dict(self) -> dict[str, t.Any]:
        result = dataclasses.asdict(self)
        result["evidence"] = [dataclasses.asdict(item) for item in self.evidence]
        result["causes"] = list(self.causes)
        return result


@dataclasses.dataclass(frozen=True)
class Signature:
    """A line of console text that points to a fault.

    :param pattern: a regular expression, looked for anywhere in one line, which is stripped of terminal escapes.
    :param summary: one sentence; ``{0}``, ``{1}`` stand for the groups of the pattern.
    :param survives_boot: the line still counts when the boot succeeded after it: a full disk stays full.
    :param after_initramfs: the line means something else while the initramfs still looks for the root file system.
    """

    pattern: str
    summary: str
    severity: Severity = "critical"
    confidence: Confidence = "high"
    survives_boot: bool = False
    after_initramfs: bool = False

    @functools.cached_property
    def search(self) -> t.Callable[[str], re.Match[str] | None]:
        """Compiled at its first need: only who reads a console has one."""
        return re.compile(self.pattern).search


class NotApplicable(Exception):
    """Raised by a detection: this patient has nothing that the fault could be in. Its text says why."""


@dataclasses.dataclass(frozen=True)
class Words:
    """What people are told of a fault, each in whole sentences of reStructuredText. Its page is made of them.

    :param meaning: what is wrong, and how a server comes to it.
    :param effect: what the server does then, and what its console ends in.
    :param detection: what is looked at, and what is not taken for it.
    :param scope: the layouts, file systems and distributions that it is looked for on.
    :param remedy: what is changed. Empty if there is no remedy.
    :param safety: where the remedy is marked safe, and where a person has to decide. Empty if there is no remedy.
    :param undo: how long the remedy can be taken back, where that is not as for its stage.
    """

    meaning: str
    effect: str
    detection: str
    scope: str
    remedy: str = ""
    safety: str = ""
    undo: str = ""


@dataclasses.dataclass(frozen=True)
class Fault:
    """A kind of defect, declared: its console signatures, its detection and its remedy in one short file.

    :param id: the name that users type, such as ``fstab-missing-device``.
    :param title: one line for people: what is wrong where this fault is found.
    :param detect: yields what is wrong. It writes nothing that reaches a disk and runs nothing of the patient's. What
        it has yielded counts, whatever it raises afterwards. It raises :class:`NotApplicable` where there is nothing to
        look at, and any other error where it cannot tell.
    :param repair: removes one finding that ``detect`` has just yielded, through the ``Change`` only, which keeps what
        it replaces; in check mode it only shows what it would do. None if there is no remedy.
    :param safe: whether the remedy may be applied without being asked for by name, where its finding is certain.
    :param stage: ``device``: looked for before anything is mounted; ``tree``: in the patient's mounted tree.
    :param tools: tools of the rescue system without which the check is skipped.
    :param weigh: of a fault of the stage ``device``: given the mounted patient and what was found before the mount,
        returns what that means for this server. A remedy is then chosen by what it returns.
    :param judged_last: other remedies can undo this one, so it is judged once more after all of them.
    :param words: for people. Every fault of the catalogue has them.
    """

    id: str
    title: str
    detect: t.Callable[[Patient], t.Iterator[Finding]]
    repair: t.Callable[[Patient, Finding, Change], None] | None = None
    safe: bool = False
    stage: Stage = "tree"
    tools: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()
    weigh: t.Callable[[Patient, t.Sequence[Finding]], t.Iterator[Finding]] | None = None
    judged_last: bool = False
    words: Words | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """What users are told of it before it is looked for."""
        return {
            "fault": self.id,
            "title": self.title,
            "remedy": self.repair is not None,
            "remedy_safe": self.safe,
            "tools": list(self.tools),
            "words": dataclasses.asdict(self.words) if self.words else {},
        }
