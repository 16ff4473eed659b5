# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What awx/apply.yml tells AWX, by the real modules' own specifications, and what AWX takes of a survey."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import pathlib
import subprocess
import sys
import typing as t
from unittest import mock

import yaml

from .base import LAB_DIR

__all__ = (
    "MODULES",
    "PROJECT",
    "Applied",
    "Refused",
    "answered",
    "apply",
    "argument_specs",
    "calls",
    "check_answer",
    "check_survey",
    "complaints",
    "stand_ins",
)

PROJECT = LAB_DIR.parent.parent / "awx"
#: the modules of awx.awx that apply.yml may call
MODULES = (
    "credential",
    "execution_environment",
    "inventory",
    "inventory_source",
    "job_template",
    "label",
    "notification_template",
    "project",
    "role",
    "schedule",
    "team",
    "workflow_job_template",
    "workflow_job_template_node",
)

#: Stands for every module of awx.awx: checks what it is given as the real one does, and writes it down.
ACTION = """\
import json
import os

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        name = os.path.basename(__file__)[: -len(".py")]
        with open(os.environ["AWX_SPECS"]) as file:
            spec = json.load(file)[name]
        checked = ArgumentSpecValidator(spec.pop("argument_spec"), **spec).validate(self._task.args)
        if checked.error_messages:
            return {"failed": True, "msg": f"awx.awx.{name}: " + "; ".join(checked.error_messages)}
        given = {key: value for key, value in checked.validated_parameters.items() if value is not None}
        with open(os.environ["AWX_CALLS"], "a") as file:
            file.write(json.dumps([name, given]) + "\\n")
        return {"changed": True}
"""

#: Stands for the lookup: says of each name whether AWX has it.
LOOKUP = """\
import json
import os

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    def run(self, terms, variables=None, query_params=None):
        [endpoint] = terms
        has = json.loads(os.environ["AWX_HAS"])[endpoint]
        return [{"name": query_params["name"]}] if query_params["name"] in has else []
"""

#: What each type of question takes as its default.
TYPES: dict[str, type] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
FIELDS = {"question_name", "question_description", "variable", "type", "required", "default", "choices", "min", "max"}

Given = dict[str, t.Any]
#: names by endpoint
Has = t.Mapping[str, t.Sequence[str]]


class Refused(Exception):
    """AWX would not take this."""


class _Seen(Exception):
    """A module has said what it takes."""


class _Asked:
    """Stands for what the modules are built on, and stops them there."""

    def __init__(self, **given: t.Any) -> None:
        raise _Seen(given)


def argument_specs(*names: str) -> dict[str, Given]:
    """What modules of awx.awx take, as they say themselves."""
    found = {}
    for name in names:
        module = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{name}")
        with mock.patch.object(module, "ControllerAPIModule", _Asked):
            try:
                module.main()
            except _Seen as seen:
                found[name] = seen.args[0]
    return found


@dataclasses.dataclass(frozen=True)
class Applied:
    """How apply.yml ended, and which modules it has called with what, in order."""

    code: int
    text: str
    calls: list[tuple[str, Given]]

    def must_end_well(self) -> Applied:
        if self.code:
            raise Refused(self.text)
        return self

    def of(self, module: str) -> list[Given]:
        """What one module was given, call by call."""
        return [given for name, given in self.calls if name == module]

    def templates(self) -> dict[str, Given]:
        return {given["name"]: given for given in self.of("job_template")}


def apply(directory: pathlib.Path, *, has: Has | None = None, **settings: t.Any) -> Applied:
    """Run apply.yml with these settings.

    :param has: what AWX has already, names by endpoint; an organization "Default" unless others are named.
    """
    return _run(directory, PROJECT / "apply.yml", has=has, settings=settings)


def complaints(directory: pathlib.Path, wrong: t.Sequence[Given]) -> list[str]:
    """What the check of apply.yml says of each of these settings, all in one run; nothing where they pass."""
    [play] = yaml.safe_load((PROJECT / "apply.yml").read_text(encoding="utf-8"))
    checks = [task["ansible.builtin.import_tasks"] for task in play["tasks"] if "ansible.builtin.import_tasks" in task]
    assert checks == ["tasks/check.yml"]
    assert "ansible.builtin.import_tasks" in play["tasks"][0], "it comes before everything else"
    said = directory / "said"
    play["vars_files"] = [str(PROJECT / name) for name in play["vars_files"]]
    play["tasks"] = [{"ansible.builtin.set_fact": {"said": []}}]
    for settings in wrong:
        check = {"ansible.builtin.include_tasks": str(PROJECT / checks[0]), "vars": settings}
        play["tasks"].append({
            "block": [check, {"ansible.builtin.set_fact": {"said": "{{ said + [''] }}"}}],
            "rescue": [{"ansible.builtin.set_fact": {"said": "{{ said + [ansible_failed_result | to_json] }}"}}],
        })  # fmt: skip
    play["tasks"].append(
        {"ansible.builtin.copy": {"content": "{{ said | to_json }}", "dest": str(said), "mode": "0600"}}
    )
    playbook = directory / "check.json"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    _run(directory, playbook, has=None, settings={}).must_end_well()
    return t.cast("list[str]", json.loads(said.read_text(encoding="utf-8")))


def stand_ins(directory: pathlib.Path, *modules: str, has: Has | None = None) -> dict[str, str]:
    """Put stand-ins for these modules into a directory, and give the environment that has Ansible take them."""
    plugins = directory / "collections/ansible_collections/awx/awx/plugins"
    for kind in ("action", "lookup"):
        (plugins / kind).mkdir(parents=True)
    for name in modules:
        (plugins / f"action/{name}.py").write_text(ACTION, encoding="utf-8")
    (plugins / "lookup/controller_api.py").write_text(LOOKUP, encoding="utf-8")
    (directory / "specs").write_text(json.dumps(argument_specs(*modules)), encoding="utf-8")
    (directory / "calls").touch()
    there = {"organizations": ["Default"], "credentials": [], "notification_templates": [], **(has or {})}
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "AWX_CALLS": str(directory / "calls"),
        "AWX_HAS": json.dumps(there),
        "AWX_SPECS": str(directory / "specs"),
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def calls(directory: pathlib.Path) -> list[tuple[str, Given]]:
    """What the stand-ins in this directory were called with."""
    return [tuple(json.loads(line)) for line in (directory / "calls").read_text(encoding="utf-8").splitlines()]


def _run(directory: pathlib.Path, playbook: pathlib.Path, *, has: Has | None, settings: Given) -> Applied:
    done = subprocess.run(
        ["ansible-playbook", playbook, f"--extra-vars={json.dumps(settings)}"],
        env=stand_ins(directory, *MODULES, has=has),
        capture_output=True,
        text=True,
        check=False,
    )
    return Applied(done.returncode, done.stdout + done.stderr, calls(directory))


def check_survey(survey: Given) -> int:
    """Refuse a survey that AWX refuses, and one that would hand on an answer that nobody gave; count its questions."""
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(field), kind):
            raise Refused(f"the survey's {field}")
    variables = [question["variable"] for question in survey["spec"]]
    if len(set(variables)) != len(variables) or not variables:
        raise Refused("each variable is asked once")
    for question in survey["spec"]:
        _check_question(question)
    return len(variables)


def _check_question(question: Given) -> None:
    name, kind = question["variable"], question["type"]
    if set(question) - FIELDS or not isinstance(question["question_name"], str) or kind not in TYPES:
        raise Refused(f"{name}: its fields")
    if not isinstance(question["required"], bool):
        raise Refused(f"{name}: whether it is required")
    if any(type(question.get(limit, 0)) is not int for limit in ("min", "max")):
        raise Refused(f"{name}: its limits")
    choices = question.get("choices")
    if kind.startswith("multi") != isinstance(choices, list) or any(
        type(choice) is not str for choice in choices or ()
    ):
        raise Refused(f"{name}: its choices")
    if "default" in question:
        if type(question["default"]) is not TYPES[kind]:
            raise Refused(f"{name}: its default")
        check_answer(question, question["default"])
        if question["required"]:
            raise Refused(f"{name}: who starts the job by the API would have to answer it all the same")
        if kind == "text" and question["min"] < 1:
            raise Refused(f"{name}: AWX hands on an answer that was emptied, and that overrides the inventory")


def check_answer(question: Given, answer: t.Any) -> None:
    """Refuse an answer that AWX refuses."""
    kind, low, high = question["type"], question.get("min", 0), question.get("max", 0)
    if kind == "multiplechoice":
        good = answer in question["choices"]
    elif kind == "integer":
        good = type(answer) is int and low <= answer <= high
    else:
        good = isinstance(answer, str) and low <= len(answer) <= high
    if not good:
        raise Refused(f"{question['variable']}: {answer!r} is no answer")


def answered(template: Given, answers: Given) -> Given:
    """The extra variables that AWX makes of these answers to a template's survey."""
    questions = {question["variable"]: question for question in template["survey_spec"]["spec"]}
    if set(answers) - set(questions) and not template["ask_variables_on_launch"]:
        raise Refused(f"not asked for: {set(answers) - set(questions)}")
    for name, question in questions.items():
        if name in answers:
            check_answer(question, answers[name])
        elif question["required"]:
            raise Refused(f"{name} is required")
    return {name: question["default"] for name, question in questions.items() if "default" in question} | answers
