# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared import mentions
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.mentions import is_mentioned

from ...fakes import FakePatient


@pytest.mark.parametrize(
    ("path", "text", "mentioned"),
    [
        ("/etc/exports", "/mnt/data/share *(rw)", True),
        ("/etc/systemd/system/a.service", "RequiresMountsFor=/mnt/data", True),
        ("/var/lib/docker/containers/0a/config.v2.json", '{"Source":"/mnt/data/pg"}', True),
        ("/opt/app/docker-compose.yml", "  - /mnt/data:/var/lib/postgresql", True),
        ("/var/spool/cron/crontabs/root", "0 3 * * * rsync -a /srv /mnt/data", True),
        ("/etc/exports", "/mnt/data2 *(rw)", False),
        ("/etc/exports", "/mnt *(rw)", False),
        ("/etc/fstab", "UUID=1 /mnt/data ext4", False),
        ("/etc/updatedb.conf", 'PRUNEPATHS="/mnt/data"', False),
        ("/srv/readme", "/mnt/data", False),
    ],
)
def test_who_names_a_path(patient: FakePatient, path: str, text: str, mentioned: bool) -> None:
    patient.put(path, text)
    assert is_mentioned(patient, "/mnt/data") == mentioned


def test_where_there_is_too_much_to_look_at_it_counts_as_named(
    patient: FakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "_MAX_FILES", 3)
    for number in range(5):
        patient.put(f"/etc/f{number}", "x")
    assert is_mentioned(patient, "/mnt/data")
