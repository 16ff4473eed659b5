# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._openstack.model import NovaMarker


@pytest.mark.parametrize(("text", "size"), [("1048576", 1048576), ("", None), ("-1", None), ("1.5", None), ("²", None)])
def test_size_of_the_rescue_image(text: str, size: int | None) -> None:
    """Whoever may write the server's metadata may have written anything."""
    marker = NovaMarker(id="1", image="rescue", since="now", power="running", image_size=text)
    assert marker.details == {"image_size": size}
