# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Giving access to a patient, in the way in which remedies are applied: damage is looked for first, all can be undone.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ..._errors import OpenRescueError
from ..._patient.opening import View
from ..._patient.write.access import Wanted, grant
from ..._patient.write.bundles import unfinished_on_patient
from ..._patient.write.change import Change
from ..._patient.write.home import Home
from ..._patient.write.recover import finish_here, finish_on_patient
from ..._patient.write.revert import revert_entries
from ..._patient.write.undo import Bundle
from ..._time import TimeBudget
from .diagnose import Faults, diagnose

__all__ = ("Access", "give_access")

#: what bundles of this are called where they are listed
NAME = "disk_access"


@dataclasses.dataclass
class Access:
    """What came of it.

    :param recovered: what was brought to an end of runs that were killed before.
    """

    changed: bool = False
    undo: str | None = None
    diff: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    recovered: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    access: dict[str, str] = dataclasses.field(default_factory=dict)


def give_access(
    make_view: t.Callable[[bool], View], wanted: Wanted, *, faults: Faults, check: bool, budget: TimeBudget, today: int
) -> Access:
    """Bring to an end what killed runs have left, then let the user in.

    :param make_view: makes a view; its argument says whether writes are only tried.
    :param faults: of which those on devices say what must not be written to.
    :param check: change nothing: everything happens in layers that are thrown away.
    """
    told = Access(recovered=finish_here(make_view, check=check))
    damaged, left = _looked(make_view, faults, told, budget)
    if left:
        told.recovered += finish_on_patient(make_view, left, check=check)
        damaged, _left = _looked(make_view, faults, told, budget)
    began = time.monotonic()
    with make_view(check).opened() as view:
        view.patient.damaged = damaged
        view.mount()
        if view.patient.root is None:
            raise view.patient.no_root
        _apply(view, wanted, told, today=today)
        view.check_layers()
    told.changed = bool(told.diff or told.recovered)
    told.notes += [f"{item['undo']}: {line}" for item in told.recovered for line in item["done"]]
    budget.lap("write", began)
    return told


def _looked(
    make_view: t.Callable[[bool], View], faults: Faults, told: Access, budget: TimeBudget
) -> tuple[dict[str, str], list[str]]:
    """What must not be written to, and the bundles on the disks whose run was killed."""
    with make_view(True).opened() as view:
        report = diagnose(view, faults=faults, budget=budget, wanted=())
        told.access, told.notes = view.access, list(view.patient.notes)
        return dict(report.damaged), unfinished_on_patient(view)


def _apply(view: View, wanted: Wanted, told: Access, *, today: int) -> None:
    bundle = Bundle.new(keep=not view.is_trial)
    bundle.faults = [NAME]
    home = Home(view=view, bundle=bundle)
    change = Change(view=view, bundle=bundle, home=home)
    try:
        told.notes += grant(view.patient, wanted, change, today=today)
        told.diff = change.diff
    except OpenRescueError as exc:
        if revert_entries(view, bundle, bundle.entries if bundle.is_kept else ()):
            raise exc.told_of("", also=f"What was written can be put back with 'undo: {bundle.id}'") from exc
        bundle.entries.clear()
        raise
    finally:
        home.finish()
        if bundle.is_kept and bundle.entries:
            told.undo = bundle.id
            told.notes += home.notes
        else:
            bundle.remove()
