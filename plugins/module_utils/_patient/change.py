# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only way in which a remedy writes to the patient.

What stands there before is kept in the undo bundle, durably, before anything is changed. In check mode the
same code runs on a throw-away layer, so that the diff shows exactly what would be written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .patient import Filesystem
from .tools import Completed

__all__ = ("DEVICE", "Change")

#: stands in ``argv`` of :meth:`Change.run_on_device` for the device
DEVICE = "{device}"


class Change:
    """The changes of one remedy. Every method takes paths of the patient and follows links inside it."""

    def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Replace a regular file, or create it, atomically.

        An existing file keeps owner, mode and extended attributes; a new one is root's with ``mode`` and
        the SELinux label of its directory. If ``data`` is what stands there, nothing happens.
        """
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """Remove a regular file or a symbolic link (the link itself). Absent is fine."""
        raise NotImplementedError

    def move_out(self, path: str) -> None:
        """Move a regular file, large maybe, off the patient into the undo bundle. Absent is fine.

        The bundle is on the rescue system and must have room; if not, raises with code ``undo_no_room``.
        """
        raise NotImplementedError

    def run_on_device(
        self, filesystem: Filesystem, argv: t.Sequence[str], *, timeout: float, ok: t.Container[int] = (0,)
    ) -> Completed:
        """Run a tool of e2fsprogs that keeps an undo file (``e2fsck``, ``tune2fs``) on an unmounted device.

        ``argv`` holds :data:`DEVICE` where the device belongs: ``["e2fsck", "-f", "-y", "{device}"]``;
        ``-z <undo file>`` is added here. For device-stage faults only.
        """
        raise NotImplementedError

    def run_in_patient(
        self,
        argv: t.Sequence[str],
        *,
        outputs: t.Sequence[str],
        timeout: float,
        ok: t.Container[int] = (0,),
    ) -> Completed:
        """Run one of the patient's own programs (``update-initramfs``) in a chroot and keep its ``outputs``.

        It runs on a throw-away layer over the patient's tree, in its own mount namespace, with minimal
        /dev, /proc and /sys and without network; of what it wrote only the regular files named in
        ``outputs`` reach the patient, each as by :meth:`write` with owner and mode as the program left
        them. An output that is missing afterwards, or was not written, is left as it is on the patient.
        Symbolic links among the outputs are not taken over. The patient's binaries run here: only remedies
        may call this, never a detection.
        """
        raise NotImplementedError

    def note(self, text: str) -> None:
        """Add one line to the diff of this remedy, for what a diff cannot show."""
        raise NotImplementedError
