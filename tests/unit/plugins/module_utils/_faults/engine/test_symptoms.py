# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import re

from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.symptoms import SYMPTOMS


def test_symptoms_are_told_from_faults_by_their_names() -> None:
    for name, signature in SYMPTOMS:
        assert re.fullmatch(r"boot(?:-[a-z]+)+", name)
        assert signature.summary.startswith("the server ")
        assert signature.severity in ("critical", "error")
