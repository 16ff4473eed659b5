# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has a server from its rescue to its unrescue, and who else may change it meanwhile.

A hold is a run's where it names the ansible-playbook process that took it, else a person's. It is kept with the
server, by its provider.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from .._errors import Held
from .._text import printable

__all__ = ("LEASE", "Claim", "Hold", "NotOurs", "Verdict", "is_alive", "is_mine", "judge", "needs_writing", "taken")

#: seconds for which a run's hold counts where nobody can look at its process; each call of the run renews it
LEASE = 7200.0

#: ``take``: it is free, or about to be ours for the first time. ``keep``: it is ours. ``take_over``: it was another's.
#: ``leave``: it was rescued by other means and stays without a hold.
Verdict = t.Literal["take", "keep", "take_over", "leave"]


class NotOurs(Held):
    """It was rescued by other means: no run gives it back by itself."""

    code = "not_ours"


@dataclasses.dataclass(frozen=True)
class Claim:
    """Who wants to change a server, and as what: the user's options.

    :param phase: what is about to be done, for others to read.
    :param force: whether another's hold is taken over.
    """

    owner: str = ""
    reason: str = ""
    run: str = ""
    phase: str = ""
    force: bool = False


@dataclasses.dataclass(frozen=True)
class Hold:
    """Who has a server, and what for.

    :param run: the process of the run (:mod:`.process`); empty where a person holds it.
    :param since: when it was taken, in UTC.
    :param until: when a run counts as dead for those who cannot look at its process, in seconds since the epoch.
    """

    owner: str
    reason: str = ""
    run: str = ""
    since: str = ""
    phase: str = ""
    until: float = 0.0

    def to_flat(self) -> dict[str, str]:
        """The hold as flat text, without what is empty."""
        flat = {key: str(value) for key, value in dataclasses.asdict(self).items() if key != "until"}
        flat["until"] = f"{self.until:.0f}" if self.until else ""
        return {key: value for key, value in flat.items() if value}

    @classmethod
    def from_flat(cls, flat: t.Mapping[str, t.Any]) -> Hold | None:
        """The hold from flat text; None where there is none. What cannot be read is still somebody's."""
        if not flat.get("owner"):
            return None
        known = {field.name for field in dataclasses.fields(cls)} - {"until"}
        words = {key: str(value) for key, value in flat.items() if key in known}
        return cls(**words, until=_seconds(flat.get("until")))

    def __str__(self) -> str:
        by = f"held by {printable(self.owner)}" + (f" since {printable(self.since)}" if self.since else "")
        doing = f", at {printable(self.phase)}" if self.phase else ""
        return by + doing + (f": {printable(self.reason)}" if self.reason else "")


def _seconds(value: t.Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def is_mine(hold: Hold, claim: Claim) -> bool:
    """Whether who asks is who holds it: the same run, or the same person."""
    return hold.run == claim.run if hold.run else hold.owner == claim.owner


def is_alive(hold: Hold | None, *, running: bool | None, now: float) -> bool | None:
    """Whether the run that holds it can still be at work; None where nobody can tell, and for a person.

    :param running: whether its process runs, None where that cannot be seen from here.
    """
    if hold is None or not hold.run:
        return None
    if running is None and now >= hold.until:
        return False
    return running


def judge(hold: Hold | None, claim: Claim, *, alive: bool | None, state: str, wanted: str, server: str = "") -> Verdict:
    """Whether a server may be changed, and what becomes of its hold; raises :class:`Held` where it may not.

    :param alive: see :func:`is_alive`.
    :param state: the state of the server, of which ``unrescued`` is the one at rest.
    :param wanted: ``rescued`` or ``unrescued``.
    """
    if hold is not None:
        return _judge_held(hold, claim, alive=alive, wanted=wanted, server=server)
    if state == "unrescued" or claim.force:
        return "take"
    if wanted == "rescued":
        # What is in between is brought to its end, and that is ours.
        return "leave" if state == "rescued" else "take"
    if claim.run:
        raise NotOurs(
            "it was rescued by other means, and nobody is known to hold it",
            hint="Unrescue it by hand, or take it over with force_takeover: true",
            step=wanted,
            server=server,
        )
    return "take"


def _judge_held(hold: Hold, claim: Claim, *, alive: bool | None, wanted: str, server: str) -> Verdict:
    if is_mine(hold, claim):
        # A person's own hold becomes the run's: another run of the same person has to keep away.
        return "keep" if hold.run == claim.run else "take_over"
    if claim.force or alive is False:
        return "take_over"
    wait = "Wait until that run has ended" if hold.run else "Ask who holds it to unrescue it"
    raise Held(
        f"it is {hold}",
        hint=f"{wait}, or take it over with force_takeover: true",
        step=wanted,
        server=server,
        retryable=bool(hold.run),
    )


def taken(hold: Hold | None, claim: Claim, verdict: Verdict, *, now: float) -> Hold | None:
    """The hold that a server has while it is rescued; None where it has none."""
    if verdict == "leave":
        return None
    kept = hold if verdict == "keep" else None
    return Hold(
        owner=kept.owner if kept else claim.owner,
        reason=claim.reason or (kept.reason if kept else ""),
        run=claim.run,
        since=kept.since if kept else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        phase=claim.phase or (kept.phase if kept else ""),
        until=now + LEASE if claim.run else 0.0,
    )


def needs_writing(before: Hold | None, after: Hold | None) -> bool:
    """Whether that differs by more than a little of its lease."""
    if before is None or after is None:
        return before is not after
    return dataclasses.replace(before, until=after.until) != after or after.until - before.until > LEASE / 4
