# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's cloud is a real one: it passes the tests of rescue that OpenStack's own clouds have to pass."""

from __future__ import annotations

from openrescue_lab.cloud import Cloud
from openrescue_lab.cloud_tempest import tempest

# Test -> why the lab cannot run it. Another one that is skipped is an error here.
SKIPPED = {"test_rescued_vm_associate_dissociate_floating_ip": "The public_network_id option must be specified."}
# A tempest that finds fewer than these has lost some.
PASSED = 14


def test_tempest_passes_on_this_cloud(cloud: Cloud) -> None:
    outcome = tempest()
    assert not outcome.failed, outcome
    assert len(outcome.passed) >= PASSED, outcome
    skipped = {name.rpartition(".")[2]: why for name, why in outcome.skipped.items()}
    assert set(skipped) == set(SKIPPED), outcome
    assert all(why in skipped[name] for name, why in SKIPPED.items()), outcome
