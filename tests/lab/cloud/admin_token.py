# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""admin_token.py AUTH_URL: prints a token of the administrator, whose password comes by stdin.

Run by the Python that keystoneauth is installed in. The clouds.yaml is not there yet when this is needed.
"""

from __future__ import annotations

import sys

from keystoneauth1.identity import v3
from keystoneauth1.session import Session

admin = {"username": "admin", "user_domain_id": "default", "project_name": "admin", "project_domain_id": "default"}
print(Session(auth=v3.Password(auth_url=sys.argv[1], password=sys.stdin.read().strip(), **admin)).get_token())
