# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What AWX does with the directory awx/: takes its job templates, asks their surveys, runs them by ansible-runner."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

import ansible_runner
import yaml
from openrescue_lab.base import LAB_DIR, run

PROJECT = LAB_DIR.parent.parent / "awx"
BIN = pathlib.Path(sys.executable).parent

#: stands for a module of awx.awx: checks its parameters as the real one does, and writes them down
STAND_IN = """\
import json
import os

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec=json.loads({spec!r}), supports_check_mode=True)
given = {{key: value for key, value in module.params.items() if value is not None}}
with open(os.environ["AWX_CALLS"], "a") as file:
    file.write(json.dumps([{name!r}, given]) + "\\n")
module.exit_json(changed=True)
"""


class Refused(Exception):
    """AWX would not take this."""


def tree() -> str:
    """Where this collection is importable."""
    return run(LAB_DIR / "venv", "tree").strip()


def argument_specs(*names: str) -> dict[str, dict[str, t.Any]]:
    """The argument specs of modules of awx.awx, from their documentation."""
    text = run(BIN / "ansible-doc", "--type", "module", "--json", *(f"awx.awx.{name}" for name in names))
    kept = ("type", "elements", "required", "default", "choices", "aliases")
    return {
        name.removeprefix("awx.awx."): {
            option: {key: value for key, value in about.items() if key in kept and value is not None}
            for option, about in found["doc"]["options"].items()
        }
        for name, found in json.loads(text).items()
    }


def applied(directory: pathlib.Path, modules: t.Sequence[str], **settings: t.Any) -> list[tuple[str, dict[str, t.Any]]]:
    """Run apply.yml, and say which modules it called with what, in order."""
    calls = directory / "calls"
    plugins = directory / "collections/ansible_collections/awx/awx/plugins/modules"
    plugins.mkdir(parents=True)
    for name, spec in argument_specs(*modules).items():
        (plugins / f"{name}.py").write_text(STAND_IN.format(spec=json.dumps(spec), name=name), encoding="utf-8")
    done = subprocess.run(
        [BIN / "ansible-playbook", PROJECT / "apply.yml", f"--extra-vars={json.dumps(settings)}"],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "AWX_CALLS": str(calls),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return [tuple(json.loads(line)) for line in calls.read_text(encoding="utf-8").splitlines()]


def check_survey(survey: dict[str, t.Any]) -> int:
    """Refuse a survey that AWX refuses, and one that would hand on an answer that nobody gave; count its questions."""
    types = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": str}
    types |= {"integer": int, "float": float}
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(field), kind):
            raise Refused(f"the survey's {field}")
    variables = [question["variable"] for question in survey["spec"]]
    if len(set(variables)) != len(variables) or not variables:
        raise Refused("each variable is asked once")
    for question in survey["spec"]:
        name = question["variable"]
        if not isinstance(question["question_name"], str) or question["type"] not in types:
            raise Refused(f"{name}: its name or type")
        if not isinstance(question["required"], bool) or set(question) - {
            "question_name", "question_description", "variable", "type", "required", "default", "choices", "min", "max"
        }:  # fmt: skip
            raise Refused(f"{name}: its fields")
        if any(not isinstance(question.get(limit, 0), int) for limit in ("min", "max")):
            raise Refused(f"{name}: its limits")
        if question["type"].startswith("multi") != ("choices" in question):
            raise Refused(f"{name}: its choices")
        if not question["required"] or (question["type"] == "text" and question.get("min", 0) < 1):
            raise Refused(f"{name}: AWX hands on an empty answer, and that overrides the inventory")
        if "default" in question:
            check_answer(question, question["default"])
    return len(variables)


def check_answer(question: dict[str, t.Any], answer: t.Any) -> None:
    """Refuse an answer that AWX refuses."""
    kind, low, high = question["type"], question.get("min"), question.get("max")
    if kind == "multiplechoice":
        good = answer in question["choices"]
    elif kind == "integer":
        good = type(answer) is int and low <= answer <= high
    else:
        good = isinstance(answer, str) and low <= len(answer) <= high
    if not good:
        raise Refused(f"{question['variable']}: {answer!r} is no answer")


def extra_vars(template: dict[str, t.Any], answers: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a press of the button with these answers hands to the playbook."""
    questions = {question["variable"]: question for question in template["survey_spec"]["spec"]}
    if set(answers) - set(questions) and not template["ask_variables_on_launch"]:
        raise Refused(f"not asked for: {set(answers) - set(questions)}")
    given = {name: question["default"] for name, question in questions.items() if "default" in question} | answers
    for name, question in questions.items():
        if name not in given:
            raise Refused(f"{name} is required")
        check_answer(question, given[name])
    return given


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

    def press(self, button: str, *, job_type: str = "run", **answers: t.Any) -> Ended:
        """Press a button, answer its survey, and wait for the end of the job."""
        template = self.templates[button]
        if job_type != template["job_type"] and not template["ask_job_type_on_launch"]:
            raise Refused(f"{button} is always {template['job_type']}")
        home = pathlib.Path(tempfile.mkdtemp(prefix="job-", dir=self.directory))
        shutil.copytree(PROJECT, home / "project")
        for name in ("inventory", "env", "home", "cp"):
            (home / name).mkdir()
        (home / "inventory/hosts.json").write_text(json.dumps(self.inventory), encoding="utf-8")
        flags = [f"--forks={template['forks']}"]
        flags += ["--check"] if job_type == "check" else []
        flags += ["--diff"] if template["diff_mode"] else []
        (home / "env/cmdline").write_text(" ".join(flags), encoding="ascii")
        given = extra_vars(template, answers)
        (home / "env/extravars").write_text(yaml.dump(given, Dumper=_Unsafe), encoding="utf-8")
        (home / "env/envvars").write_text(yaml.safe_dump(self._environment(home)), encoding="utf-8")
        if self.ssh_key:
            # A machine credential: ansible-runner gives the key to an agent of its own.
            (home / "env/ssh_key").write_text(self.ssh_key, encoding="ascii")
        done = ansible_runner.run(
            private_data_dir=str(home),
            playbook=template["playbook"],
            inventory=str(home / "inventory"),
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
