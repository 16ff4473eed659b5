# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What AWX does with the directory awx/: takes its job templates, asks their surveys, runs them by ansible-runner."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import sys
import tempfile
import typing as t

import ansible_runner
import yaml
from openrescue_lab.awx import PROJECT, Refused, answered
from openrescue_lab.base import LAB_DIR, run

BIN = pathlib.Path(sys.executable).parent


def workflow() -> dict[str, t.Any]:
    """The workflow, as data."""
    text = (PROJECT / "workflow.yml").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", yaml.safe_load(text)["awx_recovery"])


def tree() -> str:
    """Where this collection is importable."""
    return run(LAB_DIR / "venv", "tree").strip()


class _Unsafe(yaml.SafeDumper):
    """AWX marks every text of an answer, so that Ansible takes it as it is."""


_Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a job ended."""

    code: int
    status: str
    text: str
    events: list[dict[str, t.Any]]
    artifacts: dict[str, t.Any]

    def must_end_well(self) -> Ended:
        assert (self.code, self.status) == (0, "successful"), self.text
        return self

    def server(self, name: str) -> dict[str, t.Any]:
        """What the artifacts say of one server."""
        assert list(self.artifacts) == ["openrescue"], self.text
        return t.cast("dict[str, t.Any]", self.artifacts["openrescue"]["servers"][name])


@dataclasses.dataclass(frozen=True)
class Awx:
    """An AWX with our buttons: an inventory, a credential, and what is to be kept of its jobs."""

    directory: pathlib.Path
    templates: dict[str, dict[str, t.Any]]
    inventory: dict[str, t.Any]
    openstack: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    ssh_key: str = ""

    def press(self, button: str, *, job_type: str = "run", limit: str = "", **answers: t.Any) -> Ended:
        """Press a button, answer its survey, and wait for the end of the job."""
        template = self.templates[button]
        if job_type != template["job_type"] and not template["ask_job_type_on_launch"]:
            raise Refused(f"{button} is always {template['job_type']}")
        if limit and not template["ask_limit_on_launch"]:
            raise Refused(f"{button} asks for no limit")
        home = pathlib.Path(tempfile.mkdtemp(prefix="job-", dir=self.directory))
        shutil.copytree(PROJECT, home / "project")
        for name in ("inventory", "env", "home", "cp"):
            (home / name).mkdir()
        (home / "inventory/hosts.json").write_text(json.dumps(self.inventory), encoding="utf-8")
        flags = [f"--forks={template['forks']}"]
        flags += ["--check"] if job_type == "check" else []
        flags += ["--diff"] if template["diff_mode"] else []
        (home / "env/cmdline").write_text(" ".join(flags), encoding="ascii")
        given = answered(template, answers)
        (home / "env/extravars").write_text(yaml.dump(given, Dumper=_Unsafe), encoding="utf-8")
        (home / "env/envvars").write_text(yaml.safe_dump(self._environment(home)), encoding="utf-8")
        if self.ssh_key:
            # A machine credential: ansible-runner gives the key to an agent of its own.
            (home / "env/ssh_key").write_text(self.ssh_key, encoding="ascii")
        done = ansible_runner.run(
            private_data_dir=str(home),
            playbook=template["playbook"],
            inventory=str(home / "inventory"),
            limit=limit or None,
            verbosity=template["verbosity"] or None,
            quiet=True,
            settings={"suppress_ansible_output": True, "idle_timeout": 0, "job_timeout": template["timeout"]},
        )
        events = list(done.events)
        last = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        text = pathlib.Path(done.config.artifact_dir, "stdout").read_text(encoding="utf-8")
        return Ended(done.rc, done.status, text, events, last[0].get("artifact_data", {}) if last else {})

    def _environment(self, home: pathlib.Path) -> dict[str, str]:
        variables = {
            "ANSIBLE_COLLECTIONS_PATH": tree(),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(home / "cp"),
            "HOME": str(home / "home"),
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }
        if self.openstack:
            variables["OS_CLIENT_CONFIG_FILE"] = str(credential_file(home / "env", self.openstack))
        return variables


def credential_file(directory: pathlib.Path, inputs: dict[str, t.Any]) -> pathlib.Path:
    """What AWX makes of an OpenStack credential: a clouds.yaml with one cloud that it calls devstack."""
    names = {"host": "auth_url", "project": "project_name", "domain": "domain_name"}
    auth = {names.get(key, key): value for key, value in inputs.items() if key not in ("region", "verify_ssl")}
    cloud = {"auth": auth, "verify": inputs.get("verify_ssl", True)}
    if "region" in inputs:
        cloud["region_name"] = inputs["region"]
    handle, path = tempfile.mkstemp(dir=directory)
    with open(handle, "w", encoding="utf-8") as file:
        yaml.safe_dump({"clouds": {"devstack": cloud}}, file)
    return pathlib.Path(path)
