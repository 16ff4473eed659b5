# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtSituation
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.preflight import Facts, blockers, warnings

from .situations import MARKER, RESCUED, UNRESCUED, seen

BLOCKED: list[tuple[str, LibvirtSituation, Facts]] = [
    ("owned_by_nova", seen("own"), Facts(owned_by_nova=True)),
    ("transient", seen("own"), Facts(persistent=False)),
    ("definition_gone", seen("rescue", MARKER), Facts(persistent=False)),
    ("foreign_definition", seen("foreign"), Facts()),
    ("paused", seen("own", status="paused"), Facts()),
    ("pmsuspended", seen("own", status="pmsuspended"), Facts()),
    ("managed_save_image", seen(), Facts(managed_save=True)),
    ("block_job", seen("own"), Facts(block_jobs=("vda",))),
    ("busy", seen("own"), Facts(busy=True)),
    ("image_is_disk", seen(), Facts(image_is_disk="vda")),
    ("shared_writable", seen("own"), Facts(shared_disks=("sda",), shared_writable=("sda",))),
    ("definition_refused", seen(), Facts(definition_problem="no such bus")),
]


@pytest.mark.parametrize(("code", "now", "facts"), BLOCKED, ids=[row[0] for row in BLOCKED])
def test_blockers(code: str, now: LibvirtSituation, facts: Facts) -> None:
    found = blockers(now, RESCUED, facts)
    assert [problem.code for problem in found] == [code]
    assert found[0].hint


def test_nothing_blocks_a_plain_server() -> None:
    for wish in (RESCUED, UNRESCUED):
        for now in (seen(), seen("own"), seen("rescue", MARKER), seen("own", status="crashed")):
            assert blockers(now, wish, Facts(not_read_only=("hda",))) == []
            assert warnings(now, wish, Facts()) == []


def test_read_only_is_refused_where_it_cannot_be() -> None:
    wish = dataclasses.replace(RESCUED, disk_access="read_only")
    assert [found.code for found in blockers(seen(), wish, Facts(not_read_only=("hda",)))] == ["read_only_impossible"]


def test_warnings_have_codes_and_come_before_the_rescue_only() -> None:
    facts = Facts(
        image_is_backing="/i",
        internal_snapshots=2,
        tpm=True,
        host_devices=1,
        secure_boot=True,
        live_only_disks=("vdb",),
        shared_disks=("vdc",),
        transient_disks=("vdd",),
    )
    wish = dataclasses.replace(RESCUED, admin_password="p")
    codes = [found.code for found in warnings(seen(), wish, facts)]
    assert len(codes) == len(set(codes)) == 9
    assert warnings(seen("rescue", MARKER), wish, facts) == []
    changed = warnings(seen("rescue", MARKER, definition="other"), UNRESCUED, facts)
    assert [found.code for found in changed] == ["definition_changed"]
