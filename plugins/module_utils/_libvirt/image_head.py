# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the first bytes of a rescue image say of whether anything can boot from it. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import struct

__all__ = ("HEAD", "cannot_boot")

#: bytes that are looked at: up to the first descriptor of an ISO 9660 file system
HEAD = 32768 + 6
_QCOW2 = b"QFI\xfb"
#: magic, version, offset and size of the backing file's name, bits of a cluster, size: docs/interop/qcow2.rst of QEMU
_QCOW2_HEADER = struct.Struct(">4sIQIIQ")
#: what is often downloaded, and has to be unpacked before it is an image
_PACKED = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "zstd", b"BZh": "bzip2", b"PK\x03\x04": "zip"}
#: a boot record of s390x, which has no signature of a PC: of a SCSI disk, and in EBCDIC of a DASD
_ZIPL = (b"zIPL", b"\xc9\xd7\xd3")


def cannot_boot(head: bytes, form: str, *, direct: bool) -> str:
    """Why nothing can boot from it, in words; empty where something may.

    :param head: the first :data:`HEAD` bytes, or the whole of a smaller file.
    :param form: ``qcow2`` or ``raw``, as libvirt takes it.
    :param direct: whether the kernel comes from elsewhere, so that the image needs no boot sector.
    """
    if form == "qcow2" or head.startswith(_QCOW2):
        return "" if _is_qcow2(head) else "it is damaged: its qcow2 header makes no sense"
    packed = next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")
    if packed:
        return f"it is packed by {packed}"
    if direct or head[510:512] == b"\x55\xaa" or head[32769:32774] == b"CD001" or head.startswith(_ZIPL):
        return ""
    return "it has neither a boot sector nor an ISO 9660 file system"


def _is_qcow2(head: bytes) -> bool:
    if len(head) < _QCOW2_HEADER.size:
        return False
    magic, version, _backing, _length, cluster_bits, size = _QCOW2_HEADER.unpack_from(head)
    return magic == _QCOW2 and version in (2, 3) and 9 <= cluster_bits <= 21 and size > 0
