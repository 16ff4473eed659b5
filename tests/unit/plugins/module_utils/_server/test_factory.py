# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._server.factory import create_provider


def test_the_option_provider_chooses() -> None:
    params: dict[str, t.Any] = {"provider": "openstack", "libvirt_uri": "qemu:///system"}
    assert create_provider(params).name == "openstack"
    assert create_provider({**params, "provider": "libvirt"}).name == "libvirt"


PROGRAM = """
import sys
from ansible_collections.openrescue.server.plugins.module_utils._server.factory import create_provider
create_provider({"provider": "libvirt", "libvirt_uri": "test:///default"})
print(sorted(name for name in sys.modules if name.split(".")[0] in ("openstack", "keystoneauth1")))
"""


def test_a_run_on_libvirt_never_loads_openstacksdk() -> None:
    env = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", PROGRAM], env=env, check=True, stdout=subprocess.PIPE, text=True)
    assert ended.stdout == "[]\n"
