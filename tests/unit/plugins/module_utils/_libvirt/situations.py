# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in the states that a run can find them in."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtMarker, LibvirtSituation
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Wish

RESCUED = Wish(state="rescued", image="/i")
UNRESCUED = Wish(state="unrescued")
MARKER = LibvirtMarker(
    id="1", phase="rescued", image="/i", since="now", power="running", autostart=True, definition="d", asked="/i"
)
OFF = dataclasses.replace(MARKER, power="shutdown", autostart=False)
CUT = dataclasses.replace(MARKER, phase="stop_server")
ENDING = dataclasses.replace(MARKER, phase="stop_rescue", ending=True)


def seen(runs: t.Any = "off", marker: LibvirtMarker | None = None, **more: t.Any) -> LibvirtSituation:
    status = "shut off" if runs == "off" else "running"
    values: dict[str, t.Any] = {"status": status, "power_state": "shutdown" if runs == "off" else "running"}
    values.update({"definition": "d", **more})
    return LibvirtSituation(name="web1", id="u", provider="libvirt", runs=runs, marker=marker, **values)
