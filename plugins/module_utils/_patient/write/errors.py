# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong in writing to a patient and in taking it back.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..._errors import OpenRescueError

__all__ = ("NoRoom", "PatientFull", "UndoBroken", "UndoNotFound", "UndoRefused", "WriteFailed", "WriteRefused")


class NoRoom(OpenRescueError):
    """The rescue system has no room for what was there before, so it is not changed."""

    code = "undo_no_room"


class PatientFull(OpenRescueError):
    """The patient's own file system has no room for what is to be written."""

    code = "patient_full"


class WriteFailed(OpenRescueError):
    """The patient's file system did not take what was written."""

    code = "patient_io"


class WriteRefused(OpenRescueError):
    """What stands at a path of the patient is nothing that may be replaced."""

    code = "patient_path_refused"


class UndoNotFound(OpenRescueError):
    """There is no such bundle."""

    code = "undo_not_found"


class UndoBroken(OpenRescueError):
    """The bundle is not what was written down."""

    code = "undo_broken"


class UndoRefused(OpenRescueError):
    """Putting back would overwrite what came after."""

    code = "undo_refused"
