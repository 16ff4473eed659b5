# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs that were killed have left: found here and on the patient, and brought to an end before anything else.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._errors import OpenRescueError
from .bundles import here, is_of, litter, named, on_patient
from .home import Home, fetch, forget, tidy
from .revert import finish_entry
from .undo import BUNDLES, Bundle, DeviceEntry, Entry

if t.TYPE_CHECKING:
    from ..opening import View

__all__ = ("finish_here", "finish_on_patient")


def finish_here(make_view: t.Callable[[bool], View], *, check: bool) -> list[dict[str, t.Any]]:
    """Bring to an end what killed runs of this rescue system have left of this patient."""
    todo = [bundle for bundle in here() if bundle.unfinished]
    return _finish(make_view, lambda _view: todo, check=check) if todo else []


def finish_on_patient(
    make_view: t.Callable[[bool], View], ids: t.Collection[str], *, check: bool
) -> list[dict[str, t.Any]]:
    """The same for bundles that only the patient has: those of an earlier rescue."""

    def find(view: View) -> list[Bundle]:
        view.mount()
        known = {bundle.id for bundle in here()}
        return [bundle for bundle in on_patient(view) if bundle.id in ids and bundle.id not in known]

    return _finish(make_view, find, check=check, bring=True)


def _finish(
    make_view: t.Callable[[bool], View], find: t.Callable[[View], list[Bundle]], *, check: bool, bring: bool = False
) -> list[dict[str, t.Any]]:
    told: list[dict[str, t.Any]] = []
    with make_view(check).opened() as view:
        for bundle in find(view):
            mine = [entry for entry in bundle.unfinished if is_of(view, entry)]
            if not mine:
                continue
            if check:
                done = [f"{named(entry)}: a killed run wrote here, and would be brought to its end" for entry in mine]
            else:
                done = _end(view, bundle, mine, bring=bring)
            told.append({"undo": bundle.id, "done": done})
        if bring:
            told += _tidied(view, check=check)
    return told


def _tidied(view: View, *, check: bool) -> list[dict[str, t.Any]]:
    if not view.is_mounted:
        view.mount()
    told = []
    for name in litter(view):
        if not check:
            tidy(view, name)
        done = "the remains of a killed run would be removed" if check else "the remains of a killed run were removed"
        told.append({"undo": name, "done": [done]})
    return told


def _end(view: View, bundle: Bundle, entries: t.Sequence[Entry], *, bring: bool) -> list[str]:
    try:
        if bring:
            fetch(view, bundle)
        done = [_try(view, bundle, entry) for entry in entries]
        _settle(view, bundle)
    except OpenRescueError as exc:
        return [f"left as it is: {exc.message}"]
    return done


def _try(view: View, bundle: Bundle, entry: Entry) -> str:
    try:
        return finish_entry(view, bundle, entry)
    except OpenRescueError as exc:
        return f"{named(entry)}: left as it is: {exc.message}"


def _settle(view: View, bundle: Bundle) -> None:
    """Tell the patient's copy what came of it; of a bundle in which nothing was written, nothing stays."""
    if any(isinstance(entry, DeviceEntry) for entry in bundle.entries) and not view.is_mounted:
        return
    if not view.is_mounted:
        view.mount()
    if not bundle.entries:
        forget(view, bundle.id)
        bundle.remove()
        return
    if view.is_mounted and view.patient.tree.lstat(f"{BUNDLES}/{bundle.id}") is not None:
        Home(view=view, bundle=bundle, begun=True).finish()
