# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server as Nova shows it, and what is kept in its metadata while it is rescued.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._server.marker import Marker
from .._server.model import Situation

__all__ = ("NovaMarker", "NovaSituation")


@dataclasses.dataclass(frozen=True)
class NovaMarker(Marker):
    """See :class:`Marker`.

    :param image_size: bytes of the disk that the rescue image is, where Glance knows it.
    """

    image_size: str = ""

    @property
    def details(self) -> dict[str, t.Any]:
        return {"image_size": int(self.image_size) if self.image_size.isdecimal() else None}


@dataclasses.dataclass(frozen=True)
class NovaSituation(Situation):
    """See :class:`Situation`.

    :param vm_state: Nova's own state, which is finer than its status.
    :param fault: why it is in ERROR, as far as Nova says so.
    :param declared: the state as modules return it.
    """

    marker: NovaMarker | None = None
    vm_state: str = ""
    fault: str = ""
    declared: str = ""

    @property
    def state(self) -> str:
        return self.declared
