# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module of this collection says about itself, in the words that ansible-doc shows.

Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations


class ModuleDocFragment:
    """Each module extends the standard fragment and says `support` for each attribute."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode, where it says what it would change and changes nothing.
  diff_mode:
    description: In diff mode it returns what changed, or in check mode what would change.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
"""

    # For modules that only read.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""

    # For modules that are members of the action group, so that common options are set once for all.
    ACTIONGROUP_RESCUE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/openrescue.server.rescue) in C(module_defaults) to set the provider's options once.
    support: full
    membership:
      - openrescue.server.rescue
"""
