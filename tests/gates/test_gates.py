# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gates take for a finding."""

from __future__ import annotations

import gates
import pytest


@pytest.mark.parametrize(
    ("line", "elsewhere"),
    [
        ("x.rst:985: WARNING: undefined label: 'common_return_values' [ref.ref]", True),
        ("x.rst:55: WARNING: undefined label: 'ansible_collections.ansible.builtin.add_host_module' [ref.ref]", True),
        ("x.rst:78: WARNING: 'envvar' reference target not found: ANSIBLE_STDOUT_CALLBACK [ref.envvar]", True),
        ("x.rst:78: WARNING: 'envvar' reference target not found: OPENRESCUE_STORY [ref.envvar]", False),
        ("x.rst:5: WARNING: undefined label: 'ansible_collections.openrescue.server.docsite.gone' [ref.ref]", False),
        ("x.rst:9: WARNING: Title underline too short. [docutils]", False),
        ("x.rst: WARNING: document isn't included in any toctree [toc.not_included]", False),
    ],
)
def test_only_what_other_documentation_explains_may_be_missing_from_ours(line: str, elsewhere: bool) -> None:
    assert bool(gates.ELSEWHERE.search(line)) == elsewhere
