# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from _formats.grub_samples import DEBIAN
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub_config_missing import (
    GRUB_CONFIG_MISSING,
)

from ..fakes import FakePatient
from .patients import (
    GRUB_CFG,
    with_grub,
)


def test_grub_without_its_configuration(patient: FakePatient) -> None:
    with_grub(patient, None)
    (finding,) = GRUB_CONFIG_MISSING.detect(patient)
    assert (finding.severity, finding.evidence[0].path) == ("critical", GRUB_CFG)
    patient.put(GRUB_CFG, DEBIAN)
    assert list(GRUB_CONFIG_MISSING.detect(patient)) == []
