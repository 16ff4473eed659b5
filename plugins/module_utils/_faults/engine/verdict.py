# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a patient boots: only what is shown, link by link, from the boot loader to init, is called bootable.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..model import Finding

if t.TYPE_CHECKING:
    from ..._patient.patient import Patient

__all__ = ("Answer", "Follow", "Link", "Verdict", "ask_all", "message_of", "nearest_to_boot", "verdict_of")

Status = t.Literal["ok", "broken", "unknown"]
Verdict = t.Literal["bootable", "unbootable", "unknown"]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one link of the chain is: ``broken`` only if the server certainly does not boot for it."""

    status: Status
    evidence: str


@dataclasses.dataclass(frozen=True)
class Link:
    """One link, as results show it."""

    link: str
    status: Status
    evidence: str


#: a chain to follow: the name of each link, and the question whether it holds
Follow = t.Sequence[tuple[str, t.Callable[["Patient"], Answer]]]


def ask_all(patient: Patient, links: Follow) -> tuple[Link, ...]:
    """Ask every link; one that cannot be asked is unknown, with the reason."""
    return tuple(_ask(patient, name, ask) for name, ask in links)


def _ask(patient: Patient, name: str, ask: t.Callable[[Patient], Answer]) -> Link:
    try:
        answer = ask(patient)
    except OpenRescueError as exc:
        answer = Answer("unknown", exc.message)
    except Exception as exc:  # the content of a hostile disk must not hide what the other links show
        answer = Answer("unknown", f"this could not be read: {type(exc).__name__}: {printable(str(exc))}")
    return Link(name, answer.status, printable(answer.evidence))


def nearest_to_boot(chains: t.Sequence[tuple[Link, ...]]) -> tuple[Link, ...]:
    """The chain that comes nearest to a boot: a server boots if one of its ways to boot does."""

    def lacks(chain: tuple[Link, ...]) -> tuple[int, int]:
        return (
            sum(link.status == "broken" for link in chain),
            sum(link.status == "unknown" for link in chain),
        )

    return min(chains, key=lacks, default=())


def verdict_of(findings: t.Sequence[Finding], chain: t.Sequence[Link], *, unchecked: int) -> Verdict:
    """``bootable`` only if every link holds, every check ran, and none found what blocks a boot."""
    if any(finding.severity == "critical" for finding in findings) or any(link.status == "broken" for link in chain):
        return "unbootable"
    whole = bool(chain) and all(link.status == "ok" for link in chain)
    return "bootable" if whole and not unchecked else "unknown"


def message_of(findings: t.Sequence[Finding], chain: t.Sequence[Link], *, unchecked: int) -> str:
    """The verdict and its reason in one sentence."""
    critical = sum(finding.severity == "critical" for finding in findings)
    if critical:
        return f"The patient does not boot, {critical} critical finding{'s' if critical > 1 else ''}"
    for status, words in (("broken", "The patient does not boot"), ("unknown", "Whether it boots cannot be told")):
        first = next((link for link in chain if link.status == status), None)
        if first is not None:
            return f"{words}: {first.link}: {first.evidence}"
    if unchecked:
        return f"Nothing that blocks the boot was found, but {unchecked} checks did not run"
    if not chain:
        return "Nothing that blocks the boot was found, but whether it boots was not asked"
    return "Nothing that blocks the boot was found"
