# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of the lab's cloud, and a member of the project that they are in."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from member import Member
from openrescue_lab.cloud import Cloud


@pytest.fixture(scope="session")
def member(cloud: Cloud) -> Member:
    """A member of the project that the servers are in."""
    return Member(cloud)


@pytest.fixture
def image() -> str:
    """What the server is made of; here it is off at once when asked."""
    return "blank-quick"


@pytest.fixture
def fake(cloud: Cloud) -> t.Iterator[str]:
    """The ID of a server that costs nothing: all of Nova is real but the hypervisor, which takes what it is asked."""
    with cloud.server(f"fake-{uuid.uuid4().hex[:6]}", "blank-quick", flavor="fake") as made:
        yield made.id


@pytest.fixture
def server(cloud: Cloud, image: str) -> t.Iterator[str]:
    """The ID of a server without a system, on the emulated hypervisor."""
    with cloud.server(f"server-{uuid.uuid4().hex[:6]}", image) as made:
        yield made.id
