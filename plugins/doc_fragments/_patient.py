# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that run on the rescue system.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    """Must be kept in sync with ``disk_argument_spec`` in ``plugins/module_utils/_patient/session.py``."""

    DOCUMENTATION = r"""
options:
  devices:
    description:
      - The patient's disks, partitions or volumes, as the rescue system names them.
      - Empty means all disks but those that the rescue system itself uses. Name them where disks of others are attached
        too, and then all that belong to one volume group or array.
      - A device that is in use by the running system is refused.
    type: list
    elements: path
    default: []
  root:
    description:
      - The device that holds the patient's root file system, such as V(/dev/vdb3).
      - Needed only where several devices hold an operating system and nothing tells which of them the server boots. The
        message says so, and names them.
    type: path
  luks_passphrases:
    description:
      - Passphrases of the patient's LUKS containers. Each is tried on each container. Needed wherever the root or
        C(/boot) is encrypted.
      - Without the right one a container stays locked, and what may be in it counts as unknown.
    type: list
    elements: str
    default: []
  server_disks:
    description:
      - The server's disks as M(openrescue.server.server_rescue) returns them in C(rescue.disks). The roles of this
        collection give them. Do so in a playbook of your own, too, since the rescue system cannot know the following.
      - A disk with C(hidden) is not seen by the rescue system, so that what may be on it counts as unknown.
      - A disk with C(shared) is used by other servers at this moment. It is read at most, and never written to.
    type: list
    elements: dict
    default: []
  timeout:
    description:
      - Seconds after which no further check begins and no tool goes on.
      - What is being written by then is written to its end. So this has to be a little less than the task's own
        C(timeout), which ends the task and not the module.
      - SIGTERM, SIGINT and SIGHUP ask the module to stop in the same way, between two steps.
    type: int
    default: 1800
  lock_timeout:
    description:
      - Only one of these modules works on the disks of one rescue system at a time. This is how many seconds another
        one waits for that, before it fails with the code V(busy) and says which process works, since when and on what.
      - It is a part of O(timeout). Give some where an earlier call may still be at work, as after a lost connection.
    type: int
    default: 0
requirements:
  - Runs on the rescue system, as root, with Python 3.9 or later.
  - util-linux (C(blkid), C(unshare)) and the tools of the file systems in question.
  - device-mapper with C(dmsetup), if journals are to be replayed in a throw-away layer; without it they are left alone.
"""
