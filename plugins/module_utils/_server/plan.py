# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done with a server, in order, whatever the provider.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

__all__ = ("Plan",)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps in order; none means that nothing is to be done.

    :param power: the power state that unrescue will restore.
    :param autostart: whether unrescue will switch it on again.
    :param begins_anew: whether the rescue begins anew, with disks of its own.
    """

    steps: tuple[str, ...] = ()
    ending: bool = False
    power: str = ""
    autostart: bool = False
    begins_anew: bool = False
    #: set where the marker alone is to be put right
    corrects_marker: bool = False
    #: whether the marker is written around the steps, and not by one of them
    marker_around_steps: bool = False

    @property
    def changes(self) -> bool:
        return bool(self.steps) or self.corrects_marker

    @property
    def actions(self) -> list[str]:
        """The plan as modules return it."""
        if not self.changes:
            return []
        return [*self.opening, *self.steps, *self.closing]

    @property
    def opening(self) -> list[str]:
        """What taking hold of the server does."""
        return ["write_marker"] if self.marker_around_steps and self.steps else []

    @property
    def closing(self) -> list[str]:
        """What letting go of it does."""
        if not self.marker_around_steps:
            return []
        return ["remove_marker"] if self.ending else ["write_marker"]
