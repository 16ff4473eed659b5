# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what answers is the rescue system, and not the server's own system."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rescue_proof
short_description: Whether what answers is the rescue system
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - The disks of a server can carry the same UUIDs and labels as the rescue image, and then the wrong one may have
    booted. Its serial number tells the rescue disk on libvirt, the size of the image that was used tells it on
    OpenStack.
  - That a system says to be a rescue image proves it on libvirt only where its root is on no disk, as in memory, since
    a server may have been made of such an image itself.
  - What neither of them proves is not proven. It never counts as proof that nothing speaks against it.
positional: server
options:
  _input:
    description:
      - What the running system says of itself, one thing a line. C(release) where it is an image of the role
        P(openrescue.server.rescue_image#role). C(disk), a name, a size in sectors and serial numbers, for each disk
        below its root.
    type: str
    required: true
  server:
    description: The server, as M(openrescue.server.server_rescue) returns it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Make sure that it is the rescue system
  ansible.builtin.assert:
    that: (booted.stdout | openrescue.server.rescue_proof(rescue_result.server)).proven
"""

RETURN = r"""
_value:
  description: C(proven), and the C(reason) in words.
  type: dict
  sample: {proven: true, reason: its root is on the rescue disk vdb}
"""

import typing as t

__all__ = ("FilterModule", "rescue_proof")

#: the serial number that the rescue disk has on libvirt
RESCUE_SERIAL = "openrescue-rescue"
_SECTOR = 512


def rescue_proof(said: str, server: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """See above."""
    lines = [line.split() for line in said.splitlines()]
    disks = [words[1:] for words in lines if len(words) >= 3 and words[0] == "disk" and words[2].isdecimal()]
    own_image = ["release"] in lines
    if server["provider"] == "libvirt":
        in_memory = own_image and not any(words[:1] == ["disk"] for words in lines)
        proven, reason = _by_serial(disks, in_memory=in_memory)
    else:
        size = (server.get("rescue") or {}).get("image_size")
        proven, reason = _by_size(disks, int(size or 0), own_image=own_image)
    return {"proven": proven, "reason": reason}


def _by_serial(disks: list[list[str]], *, in_memory: bool) -> tuple[bool, str]:
    ours = [name for name, _size, *serials in disks if RESCUE_SERIAL in serials]
    others = [f"{name} ({', '.join(sorted(set(serials)))})" for name, _size, *serials in disks if serials]
    if ours:
        return True, f"its root is on the rescue disk {', '.join(ours)}"
    if others:
        return False, f"its root is on {', '.join(others)}, not on the disk with the serial number {RESCUE_SERIAL}"
    if in_memory:
        return True, "it is an image of the role rescue_image, in memory"
    return False, "no serial number of the disk below its root can be read"


def _by_size(disks: list[list[str]], size: int, *, own_image: bool) -> tuple[bool, str]:
    sizes = [int(sectors) * _SECTOR for _name, sectors, *_serials in disks]
    if size and size in sizes:
        return True, f"its root is on a disk of the rescue image's size, {size} bytes"
    if size and sizes:
        return False, f"its root is on a disk of {', '.join(map(str, sizes))} bytes, and the rescue image has {size}"
    if own_image:
        return True, "it is an image of the role rescue_image"
    return False, "the size of the rescue image or of the disk below its root is not known"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"rescue_proof": rescue_proof}
