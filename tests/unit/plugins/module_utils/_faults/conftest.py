# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

if t.TYPE_CHECKING:
    import pathlib

    from .fakes import FakePatient


@pytest.fixture
def patient(tmp_path: pathlib.Path) -> FakePatient:
    # The collection is importable only after the outer conftest has been configured.
    from .fakes import FakePatient

    return FakePatient(tmp_path)
