# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The buttons, their questions and the workflow agree with the playbooks and roles, and are what AWX takes."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml
from openrescue_lab import awx

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = yaml.safe_load((awx.PROJECT / "job_templates.yml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((awx.PROJECT / "workflow.yml").read_text(encoding="utf-8"))["awx_recovery"]
BUTTONS = {button["name"]: button for button in DATA["awx_buttons"]}
#: Questions that no role takes: what only a playbook knows.
PLAYBOOKS_OWN = {"rescue_hosts", "recover_running", "recover_keep_rescued", "recover_serial"}
#: What may be left empty, which means something.
MAY_BE_EMPTY = {"undo", "collect_dest"}

MAY_ASK = {name for entry in (*BUTTONS.values(), WORKFLOW) for name in entry["may_ask"]}


@pytest.fixture(scope="session")
def surveys(full: awx.Applied) -> dict[str, dict[str, t.Any]]:
    made = [*full.of("job_template"), *full.of("workflow_job_template")]
    return {given["name"]: given["survey_spec"] for given in made}


def options() -> dict[str, dict[str, t.Any]]:
    """Every input of every role, by name."""
    files = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
    specs = [yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"] for path in files]
    entries = [entry["options"] for spec in specs for entry in reversed(spec.values())]
    return {name: about for entry in entries for name, about in entry.items()}


@pytest.mark.parametrize("name", BUTTONS)
def test_a_button_is_one_playbook_of_the_collection(name: str) -> None:
    [play] = yaml.safe_load((awx.PROJECT / BUTTONS[name]["playbook"]).read_text(encoding="utf-8"))
    playbook = play["ansible.builtin.import_playbook"].removeprefix("openrescue.server.")
    assert f"{playbook}.yml" == BUTTONS[name]["playbook"] == f"{name.lower()}.yml"
    assert (ROOT / f"playbooks/{playbook}.yml").is_file()


def test_every_playbook_of_the_collection_has_a_button() -> None:
    assert {path.stem for path in ROOT.glob("playbooks/*.yml")} == {name.lower() for name in BUTTONS}


@pytest.mark.parametrize("name", BUTTONS)
def test_a_button_says_only_what_is_its_own(name: str) -> None:
    base = DATA["awx_base"]
    said = {key: value for key, value in BUTTONS[name].items() if key in base and key != "labels"}
    assert not {key for key, value in said.items() if value == base[key]}
    assert not set(BUTTONS[name]["labels"]) & set(base["labels"])


def test_what_all_have_in_common_reaches_each(full: awx.Applied) -> None:
    for given in full.of("job_template"):
        wanted = {**DATA["awx_base"], **{k: v for k, v in BUTTONS[given["name"]].items() if k in DATA["awx_base"]}}
        wanted["labels"] = DATA["awx_base"]["labels"] + BUTTONS[given["name"]]["labels"]
        assert {key: given[key] for key in wanted} == wanted


def test_what_only_reads_is_not_offered_a_check() -> None:
    for name, button in BUTTONS.items():
        reads = button["labels"] == ["reads only"]
        assert button.get("ask_job_type_on_launch", True) is not reads, name
        assert button.get("diff_mode", True) is not reads, name


@pytest.mark.parametrize("name", [*BUTTONS, WORKFLOW["name"]])
def test_a_survey_is_one_that_awx_takes(name: str, surveys: dict[str, dict[str, t.Any]]) -> None:
    entry = BUTTONS.get(name, WORKFLOW)
    assert awx.check_survey(surveys[name]) == len(entry["asks"]) + len(entry["may_ask"])
    wrong = {"rescue_hosts": "", "verify_by": "pigeon", "rescue_timeout": "1", "repair_faults": ""}
    for variable, answer in wrong.items():
        for question in (one for one in surveys[name]["spec"] if one["variable"] == variable):
            with pytest.raises(awx.Refused):
                awx.check_answer(question, answer)


def test_who_starts_a_job_by_the_api_says_only_which_servers(full: awx.Applied) -> None:
    assert set(full.templates()) == set(BUTTONS)
    for template in full.templates().values():
        given = awx.answered(template, {"rescue_hosts": "web1"})
        assert {question["variable"] for question in template["survey_spec"]["spec"]} - set(given) <= MAY_BE_EMPTY
        with pytest.raises(awx.Refused, match="rescue_hosts is required"):
            awx.answered(template, {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"required": True}, "by the API"),
        ({"default": 5}, "its default"),
        ({"default": "x" * 9}, "is no answer"),
        ({"min": 0}, "emptied"),
        ({"max": "8"}, "its limits"),
        ({"type": "words"}, "its fields"),
        ({"choices": ["a"]}, "its choices"),
        ({"required": "false"}, "whether"),
        ({"hint": ""}, "its fields"),
    ],
)
def test_a_question_that_awx_does_not_take_is_seen(change: dict[str, t.Any], said: str) -> None:
    question = {
        "variable": "v",
        "question_name": "",
        "type": "text",
        "required": False,
        "min": 1,
        "max": 8,
        "default": "x",
    }
    survey = {"name": "", "description": "", "spec": [question]}
    assert awx.check_survey(survey) == 1
    with pytest.raises(awx.Refused, match=said):
        awx.check_survey({**survey, "spec": [{**question, **change}]})


@pytest.mark.parametrize("name", sorted(set(DATA["awx_questions"]) - MAY_BE_EMPTY))
def test_a_question_agrees_with_what_is_asked_for(name: str) -> None:
    question, about = DATA["awx_questions"][name], options().get(name)
    if about is None:
        assert name in PLAYBOOKS_OWN
    elif about["type"] == "bool":
        assert question["choices"] == ["false", "true"]
        assert question["default"] == str(about["default"]).lower()
    elif about["type"] == "raw":
        words = re.findall(r"V\((\w+)\)", " ".join(about["description"]))
        assert set(question["choices"]) <= set(words)
        assert question["default"] == about["default"]
    else:
        kind = "multiplechoice" if "choices" in about else {"str": "text", "int": "integer"}[about["type"]]
        assert question["type"] == kind
        assert question.get("choices") == about.get("choices")
        assert question.get("default") == about.get("default")


def test_questions_that_are_a_playbooks_own_are_used_there() -> None:
    files = [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")]
    used = "".join(path.read_text(encoding="utf-8") for path in files)
    for name in set(DATA["awx_questions"]) - set(options()) - {"rescue_hosts"} - MAY_BE_EMPTY:
        [default] = set(re.findall(rf"\b{name} \| default\(([^)]*)\)", used))
        assert default.strip("'") == DATA["awx_questions"][name]["default"]
    # An answer that is left empty reaches the playbook, which takes it for none.
    assert set(re.findall(r"(?<![.\w])undo \| default\(([^)]*)\)", used)) == {"'', true"}
    assert "default" not in DATA["awx_questions"]["rescue_hosts"], "silence never touches a server"


def test_every_question_is_asked_somewhere() -> None:
    asked = {name for button in BUTTONS.values() for name in button["asks"]} | MAY_ASK
    assert asked == set(DATA["awx_questions"])
    assert all("rescue_hosts" in button["asks"] for button in BUTTONS.values())


def test_the_inventory_of_the_cloud_loads_beside_a_current_sdk() -> None:
    wanted = yaml.safe_load((awx.PROJECT / "collections/requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert {"name": "openstack.cloud", "version": ">=2.6.0"} in wanted


def test_the_workflow_leads_from_the_first_node_to_all_others() -> None:
    nodes = {node["identifier"]: node for node in WORKFLOW["nodes"]}
    then = {name: {after for names in node.get("then", {}).values() for after in names} for name, node in nodes.items()}
    seen, ahead = set(), [WORKFLOW["nodes"][0]["identifier"]]
    while ahead:
        name = ahead.pop()
        assert name not in seen or name == "give-back", "no node is come to twice but the last"
        seen.add(name)
        ahead += then[name]
    assert seen == set(nodes)


def test_whatever_the_workflow_has_rescued_it_gives_back() -> None:
    for node in WORKFLOW["nodes"]:
        if node["identifier"] not in ("triage", "give-back"):
            assert node["then"]["failure"] == ["give-back"]
    answers = {node["identifier"]: node.get("answers", {}) for node in WORKFLOW["nodes"]}
    assert answers["look"]["repair_faults"] == "none", "nothing is written before somebody has approved"
    assert answers["repair"]["recover_keep_rescued"] == "false"
    # One that is up may stand in the pattern: neither the look nor the repair stops it.
    assert {answers[name]["recover_running"] for name in ("look", "repair")} == {"false"}


def test_the_nodes_of_the_workflow_answer_what_their_buttons_ask(full: awx.Applied) -> None:
    templates = full.templates()
    made = [given for given in full.of("workflow_job_template_node") if "unified_job_template" in given]
    assert len(made) == 4
    for node in made:
        given = {"rescue_hosts": "web1", **node.get("extra_data", {})}
        assert awx.answered(templates[node["unified_job_template"]], given).items() >= given.items()
    links = [given for given in full.of("workflow_job_template_node") if "always_nodes" in given]
    assert not any("approval_node" in given for given in links), "an approval and its links in one call fail"
