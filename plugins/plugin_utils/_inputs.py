# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that a user sets, by the roles' own specifications, and names that are nearly theirs.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections.abc
import difflib
import functools
import pathlib

import yaml
from ansible_collections.openrescue.server.plugins.module_utils._text import printable

__all__ = ("PLAYBOOKS", "inputs", "misspelled")

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
#: what only the playbooks know
PLAYBOOKS = frozenset({"rescue_hosts", "recover_serial"})
#: A user may have variables of a like beginning; what differs from ours by a letter or two is meant to be ours.
NEAR = 0.9


@functools.cache
def inputs() -> frozenset[str]:
    """Every variable that a role or a playbook takes."""
    found = set(PLAYBOOKS)
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        found.update(name for spec in specs.values() for name in spec.get("options") or ())
    return frozenset(found)


def misspelled(names: collections.abc.Iterable[str]) -> list[str]:
    """What of these is no variable of ours and nearly one, as ``rescue_imag (did you mean rescue_image?)``."""
    beginnings = tuple(sorted({f"{name.partition('_')[0]}_" for name in inputs()}))
    told = []
    for name in sorted(set(names) - inputs()):
        # What the roles keep for themselves while they run is near to its own kind only.
        near = difflib.get_close_matches(name, inputs(), n=1, cutoff=NEAR) if name.startswith(beginnings) else []
        if near:
            told.append(f"{printable(name, limit=60)} (did you mean {near[0]}?)")
    return told
