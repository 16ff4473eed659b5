# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept with a server while it is rescued, whatever the provider: each adds what only it has to remember.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

__all__ = ("Marker",)


@dataclasses.dataclass(frozen=True)
class Marker:
    """What the next run must know to finish or to put back what this one has begun.

    :param id: another one for each rescue.
    :param image: the rescue image, by the name that its provider knows for ever.
    :param since: when the rescue began, in UTC.
    :param power: the power state from before, which unrescue restores; empty where there was none.
    :param asked: the image as the user called it.
    """

    id: str
    image: str
    since: str
    power: str
    asked: str = ""

    @property
    def previous(self) -> dict[str, t.Any]:
        """What unrescue restores, as modules return it."""
        return {"power_state": self.power, "autostart": False}

    @property
    def details(self) -> dict[str, t.Any]:
        """What modules return of the rescue beyond what all providers know of it."""
        return {}
