# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What awx/README.md tells a user to do is what can be done."""

from __future__ import annotations

import pathlib
import re
import subprocess
import textwrap

import yaml
from openrescue_lab import awx

TEXT = (awx.PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [
        textwrap.dedent(block)
        for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", TEXT, re.DOTALL | re.MULTILINE)
    ]


def test_its_commands_are_ones_that_the_modules_take(tmp_path: pathlib.Path) -> None:
    commands = [block for block in blocks("bash") if "--module-name awx.awx." in block]
    modules = ("organization", "credential", "inventory_source_update")
    env = awx.stand_ins(tmp_path, *modules)
    (tmp_path / "rescue_key").write_text("-----BEGIN\nkey\n", encoding="utf-8")
    for command in commands:
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    made = dict(awx.calls(tmp_path))
    assert tuple(made) == modules
    assert made["credential"]["inputs"]["ssh_key_data"] == "-----BEGIN\nkey\n"


def test_its_settings_are_ones_that_apply_takes(tmp_path: pathlib.Path, full: awx.Applied) -> None:
    [block] = blocks("yaml")
    mine = yaml.safe_load(block)
    has = {"organizations": ["Operations"], "credentials": ["rescue key"], "notification_templates": ["chat"]}
    openstack = {"host": "https://cloud.example:5000/v3", "username": "u", "password": "p", "project": "web"}
    done = awx.apply(tmp_path, has=has, vaulted_openstack=openstack, **mine)
    assert {name for name, _given in done.must_end_well().calls} <= {name for name, _given in full.calls}
    [credential] = done.of("credential")
    assert credential["inputs"] == openstack


def test_it_tells_of_every_button_and_of_nothing_else() -> None:
    rows = re.findall(r"^\| (\w+) \|", TEXT[TEXT.index("## Press") : TEXT.index("*Which servers*")], re.MULTILINE)
    buttons = yaml.safe_load((awx.PROJECT / "job_templates.yml").read_text(encoding="utf-8"))["awx_buttons"]
    assert rows == ["button", *(button["name"] for button in buttons)]
