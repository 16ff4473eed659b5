# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Rescue systems as hosts of their own, with an ssh that writes down its options and runs the command here."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import subprocess
import typing as t

import pytest
from openrescue_lab.base import LAB_DIR, run
from stand_ins import ansible_playbook

SSH = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$SSH_LOG"
case "$*" in *bad.example*) echo 'ssh: refused' >&2; exit 255 ;; esac
for last; do :; done
exec /bin/sh -c "$last"
"""
SUDO = """\
#!/bin/sh
for last; do :; done
exec /bin/sh -c "$last"
"""
TASKS = """---
- name: Work on the rescue system
  ansible.builtin.command: echo {{ inventory_hostname }}
  register: there
  changed_when: false

- name: Work on the controller
  ansible.builtin.command: sh -c 'echo controller >> {{ log_directory }}/{{ inventory_hostname }}'
  delegate_to: localhost
  changed_when: false
"""
PLAY: list[dict[str, t.Any]] = [
    {
        "hosts": "web1:web2:bad",
        "gather_facts": False,
        "tasks": [
            {
                "openrescue.server.rescue_host": {
                    "server": {"name": "{{ inventory_hostname }}", "id": "id-{{ inventory_hostname }}",
                               "rescue": {"since": "{{ since }}"}},
                    "access": "ssh",
                    "ssh_user": "rescuer",
                    "ssh_port": 2222,
                    # As the roles give it, where the user has said nothing.
                    "ssh_key": "{{ rescue_ssh_key | default(omit) }}",
                },
                "register": "added",
                "changed_when": False,
            },
            {
                "ansible.builtin.include_tasks": {
                    "file": "{{ log_directory }}/tasks.yml",
                    "apply": {
                        "delegate_to": "{{ added.rescue_host }}",
                        "delegate_facts": True,
                        "ignore_unreachable": True,
                    },
                },
            },
            {
                "ansible.builtin.debug": {
                    "msg": "{{ inventory_hostname }} via {{ added.rescue_host }}: "
                    "{{ 'unreachable' if there is unreachable else there.stdout }}",
                },
            },
        ],
    }
]  # fmt: skip


@pytest.fixture
def ssh(tmp_path: pathlib.Path) -> pathlib.Path:
    for name, text in {"ssh": SSH, "sudo": SUDO}.items():
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o755)
    return tmp_path / "ssh"


def played(tmp_path: pathlib.Path, ssh: pathlib.Path, *, core: str = "main", **play: t.Any) -> tuple[str, list[str]]:
    """What Ansible printed, and each call of ssh."""
    (tmp_path / "tasks.yml").write_text(TASKS, encoding="utf-8")
    (tmp_path / "play.json").write_text(json.dumps([{**PLAY[0], **play}]), encoding="utf-8")
    names = {name: {"ansible_host": f"{name}.example"} for name in ("web1", "web2", "bad")}
    # A host of the user's own that is called as a rescue system would be.
    names["web2-rescue"] = {"ansible_host": "somebody-elses.example"}
    variables = {
        "ansible_ssh_executable": str(ssh),
        "ansible_ssh_common_args": "-o ProxyJump=jump.example",
        "ansible_ssh_user": "admin",
        "ansible_ssh_port": 22022,
        "log_directory": str(tmp_path),
        # What a provider says is never a template.
        "since": "2026-11-25T10:00:00Z",
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": names, "vars": variables}}), encoding="utf-8")
    done = subprocess.run(
        [
            ansible_playbook(core),
            "-i",
            tmp_path / "hosts.json",
            tmp_path / "play.json",
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": run(LAB_DIR / "venv", "tree").strip(),
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_SSH_RETRIES": "0",
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "SSH_LOG": str(tmp_path / "ssh.log"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return text, (tmp_path / "ssh.log").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("core", "play"),
    [("main", {}), ("main", {"strategy": "free"}), ("main", {"serial": 1}), ("oldest", {})],
    ids=["linear", "free", "serial", "oldest"],
)
def test_each_host_gets_its_own_and_a_bad_one_stops_no_other(
    core: str, play: dict[str, t.Any], ssh: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    text, calls = played(tmp_path, ssh, core=core, **play)

    assert "web1 via web1-rescue: web1" in text
    assert "web2 via web2-rescue-system: web2" in text, "the name was taken"
    assert "bad via bad-rescue: unreachable" in text
    for name in ("web1", "web2", "bad"):
        assert (tmp_path / name).read_text(encoding="ascii") == "controller\n", "delegate_to holds"
    assert not [call for call in calls if "somebody-elses" in call]
    # An option that is not given is none, and no file that is called like the word that stands for it.
    assert not [call for call in calls if re.search(r"(^| )-i |IdentityFile|omit", call)]


def test_the_way_there_is_the_users_and_the_rest_the_rescue_systems(ssh: pathlib.Path, tmp_path: pathlib.Path) -> None:
    _text, calls = played(tmp_path, ssh)
    options = [word for call in calls for word in shlex.split(call) if "=" in word]
    assert {"ProxyJump=jump.example", "Port=2222", "StrictHostKeyChecking=accept-new"} <= set(options)
    assert any(re.fullmatch(r"User=\"?rescuer\"?", option) for option in options), options
    aliases = {option for option in options if option.startswith("HostKeyAlias=")}
    assert aliases == {f"HostKeyAlias=id-{name}.2026-11-25T10-00-00Z" for name in ("web1", "web2", "bad")}
    assert not [call for call in calls if "22022" in call or "admin" in call]
