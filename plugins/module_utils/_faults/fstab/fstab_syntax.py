# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/fstab that cannot be read, or ask for what mount does not know.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature, Words
from .shared.findings import detector, repairer
from .shared.reading import judge_syntax

__all__ = ("FSTAB_SYNTAX",)

ID = "fstab-syntax"

FSTAB_SYNTAX = Fault(
    id=ID,
    title="A line of /etc/fstab cannot be read, or asks for what mount does not know",
    signatures=(
        Signature(
            r"/etc/fstab: parse error at line (\d{1,6})",
            "line {0} of /etc/fstab cannot be parsed",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            r"systemd-fstab-generator\[\d{1,8}\]: Mount point (\S{1,200}) is not a valid path, ignoring",
            "/etc/fstab names {0} as a mount point, which is no absolute path",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            r"(?:EXT4-fs|ext4|XFS|xfs|BTRFS|btrfs|vfat|FAT-fs)[^:]{0,40}: "
            r"(?:Unknown parameter|Unrecognized mount option|unrecognized mount option) ['\"]?([\w=-]{1,60})",
            "a file system is mounted with the option {0}, which it does not know",
        ),
    ),
    detect=detector(ID, judge_syntax),
    repair=repairer(ID, judge_syntax),
    safe=True,
    words=Words(
        meaning="A line of ``/etc/fstab`` lacks a space or a field, has a bare space in a name, a word where a number "
        "belongs, or a misspelled option, such as ``defualts``.",
        effect="What cannot be read is left out: the server boots without that mount, and a service may start on an "
        "empty directory. Where the line can be read and asks for what does not exist, the mount fails, and the boot "
        "ends in emergency mode.",
        detection="Each line is read as mount reads it. An option counts as misspelled only where no file system "
        "knows it and it is close to one that is often used.",
        scope="Every distribution. Options are judged for ext, xfs, btrfs, vfat and ``auto``, which refuse what they "
        "do not know.",
        remedy=r"The line is written as it was meant: with the space between device and mount point, with ``\040`` "
        "for a space in a name, with the type ``auto``, with ``0`` for a number, with the option as it is spelled. "
        "The line of the root file system is written anew. What else cannot be read is commented out.",
        safety="Safe where it is plain what was meant. Commenting a line out is not: a person may know what it should "
        "say.",
    ),
)
