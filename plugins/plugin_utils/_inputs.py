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
import typing as t

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openrescue.server.plugins.module_utils._text import printable

__all__ = ("PLAYBOOKS", "inputs", "misspelled", "wrong_values")

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
#: what only the playbooks know
PLAYBOOKS = frozenset({"rescue_hosts", "recover_serial"})
#: A user may have variables of a like beginning; what differs from ours by a letter or two is meant to be ours.
NEAR = 0.9
#: seconds of which there may be none
MAY_BE_0 = {
    "recover_probe_timeout": 0,
    "common_lock_timeout": 0,
    "rescue_shutdown_timeout": 0,
    "unrescue_shutdown_timeout": 0,
}


@functools.cache
def _options() -> dict[str, dict[str, t.Any]]:
    """What the roles take, as they say it."""
    found: dict[str, dict[str, t.Any]] = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        for spec in specs.values():
            found.update(spec.get("options") or {})
    return found


@functools.cache
def inputs() -> frozenset[str]:
    """Every variable that a role or a playbook takes."""
    return frozenset({*PLAYBOOKS, *_options()})


def wrong_values(values: collections.abc.Mapping[str, t.Any]) -> list[str]:
    """What of these values its role would refuse, as ``verify_by must be one of agent, ssh, and is 'ping'``."""
    told = []
    for name in sorted(set(values) & set(_options())):
        about, value = _options()[name], values[name]
        secret = bool(about.get("no_log"))
        if about.get("choices") and value not in about["choices"]:
            told.append(
                f"{name} must be one of {', '.join(map(str, about['choices']))}, and is {_shown(value, secret)}"
            )
            continue
        kept = {key: item for key, item in about.items() if key in ("type", "elements")}
        checked = ArgumentSpecValidator({name: kept}).validate({name: value})
        if checked.error_messages:
            told.append(f"{name} must be of the type {about.get('type', 'str')}, and is {_shown(value, secret)}")
        elif name.endswith(("_timeout", "_interval")) and checked.validated_parameters[name] < MAY_BE_0.get(name, 1):
            told.append(f"{name} must be more than 0, and is {_shown(value, secret)}")
    return told


def _shown(value: t.Any, secret: bool) -> str:
    return "something else, which is secret" if secret else f"'{printable(str(value), limit=60)}'"


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
