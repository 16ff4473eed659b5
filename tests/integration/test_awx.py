# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The buttons of awx/: what AWX is told, and each pressed as AWX presses it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import subprocess
import tempfile
import typing as t

import awx_job as awx
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from openrescue_lab import breakage
from openrescue_lab.base import run
from openrescue_lab.cloud import Cloud
from openrescue_lab.domain import Domain
from openrescue_lab.guest import ssh_key
from openrescue_lab.rescue import RescueImage

# One process has the lab's libvirt.
pytestmark = pytest.mark.xdist_group("lab")

ROOT = awx.PROJECT.parent
BUTTONS = ("Triage", "Rescue", "Unrescue", "Recover")
DATA = yaml.safe_load((awx.PROJECT / "job_templates.yml").read_text(encoding="utf-8"))
MODULES = ("label", "credential", "execution_environment", "inventory", "inventory_source", "project", "job_template")

Calls = list[tuple[str, dict[str, t.Any]]]


def options() -> dict[str, dict[str, t.Any]]:
    """Every input of every role, by name."""
    files = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
    specs = [yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"] for path in files]
    return {name: about for spec in specs for name, about in spec.items()}


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """What apply.yml tells AWX when everything that can be set is set."""
    return awx.applied(
        tmp_path_factory.mktemp("apply"),
        MODULES,
        awx_prefix="",
        awx_project_url="https://git.example/rescue.git",
        awx_image="registry.example/openrescue:1",
        awx_credentials=["rescue key"],
        awx_openstack={"host": "https://cloud.example:5000/v3", "username": "u", "password": "p", "project": "web"},
        awx_ask={**dict.fromkeys(may_ask()), "rescue_image": "rescue-2026", "verify_by": "ssh"},
    )


def may_ask() -> set[str]:
    return {name for button in DATA["awx_buttons"] for name in button["may_ask"]}


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    """The job templates as they are when nothing but the project is set."""
    made = awx.applied(
        tmp_path_factory.mktemp("apply"), MODULES, awx_prefix="", awx_project_url="https://git.example/rescue.git"
    )
    assert {name for name, _given in made} == {"label", "inventory", "project", "job_template"}
    return {given["name"]: given for name, given in made if name == "job_template"}


def test_every_call_is_one_that_the_modules_of_awx_take(calls: Calls) -> None:
    specs = awx.argument_specs(*MODULES)
    assert [name for name, _given in calls if name == "job_template"] == ["job_template"] * len(BUTTONS)
    assert {name for name, _given in calls} == set(MODULES)
    for name, given in calls:
        assert not ArgumentSpecValidator(specs[name]).validate(given).error_messages, (name, given)
    wrong = ArgumentSpecValidator(specs["job_template"]).validate({"name": "x", "job_type": "fly", "no_such": 1})
    assert len(wrong.error_messages) == 2


def test_apply_refuses_what_it_does_not_ask(tmp_path: pathlib.Path) -> None:
    with pytest.raises(awx.Refused, match="awx_ask takes recover_serial"):
        awx.applied(tmp_path, MODULES, awx_project_url="https://git.example/r.git", awx_ask={"ansible_user": "root"})


def test_labels_exist_before_templates_carry_them(calls: Calls) -> None:
    made = [given["name"] for name, given in calls if name == "label"]
    used = {label for name, given in calls if name == "job_template" for label in given["labels"]}
    assert set(made) == used
    assert max(n for n, call in enumerate(calls) if call[0] == "label") < min(
        n for n, call in enumerate(calls) if call[0] == "job_template"
    )


@pytest.mark.parametrize("button", BUTTONS)
def test_a_survey_is_one_that_awx_takes(button: str, calls: Calls) -> None:
    [template] = [given for name, given in calls if name == "job_template" and given["name"] == button]
    entry = next(entry for entry in DATA["awx_buttons"] if entry["name"] == button)
    assert awx.check_survey(template["survey_spec"]) == len(entry["asks"]) + len(entry["may_ask"])
    assert (awx.PROJECT / template["playbook"]).is_file()
    for name, answer in {"rescue_hosts": "", "verify_by": "pigeon", "rescue_timeout": "1"}.items():
        for question in (one for one in template["survey_spec"]["spec"] if one["variable"] == name):
            with pytest.raises(awx.Refused):
                awx.check_answer(question, answer)


def test_questions_agree_with_the_roles() -> None:
    known = options()
    agreed = 0
    for name, question in DATA["awx_questions"].items():
        about = known.get(name, {})
        if about.get("type") in ("str", "int"):
            kind = "multiplechoice" if "choices" in about else {"str": "text", "int": "integer"}[about["type"]]
            assert question["type"] == kind, name
            assert question.get("choices") == about.get("choices"), name
            assert question.get("default") == about.get("default"), name
            agreed += 1
    assert agreed == 6
    words = re.findall(r"V\((\w+)\)", " ".join(known["repair_faults"]["description"]))
    assert set(DATA["awx_questions"]["repair_faults"]["choices"]) == set(words)
    assert DATA["awx_questions"]["repair_faults"]["default"] == known["repair_faults"]["default"]


def test_questions_that_are_a_playbooks_own_are_used_there() -> None:
    """Those that no role has: rescue_hosts and what only recover.yml knows."""
    rest = set(DATA["awx_questions"]) - set(options())
    used = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/**/*.yml"))
    assert rest == {"rescue_hosts", "recover_running", "recover_keep_rescued", "recover_serial"}
    for name in rest - {"rescue_hosts"}:
        [default] = set(re.findall(rf"\b{name} \| default\(([^)]*)\)", used))
        assert default.strip("'") == DATA["awx_questions"][name]["default"]
    assert "default" not in DATA["awx_questions"]["rescue_hosts"], "silence never touches a server"


def test_every_question_is_asked_somewhere() -> None:
    asked = {name for button in DATA["awx_buttons"] for name in button["asks"]} | may_ask()
    assert asked == set(DATA["awx_questions"])
    assert all("rescue_hosts" in button["asks"] for button in DATA["awx_buttons"])


def test_the_execution_environment_has_what_the_collection_asks_for(tmp_path: pathlib.Path) -> None:
    context = tmp_path / "context"
    definition = awx.PROJECT / "execution-environment.yml"
    run(awx.BIN / "ansible-builder", "create", "--file", definition, "--context", context)
    galaxy = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))
    assert "openrescue.server" in {entry["name"] for entry in galaxy["collections"]}

    # What the build does once the collections are installed.
    script = context / "_build/scripts/introspect.py"
    found = yaml.safe_load(run(awx.BIN / "python", script, "introspect", awx.tree()))
    for kind, file in (("python", "ee-requirements.txt"), ("system", "ee-bindep.txt")):
        lines = (ROOT / "meta" / file).read_text(encoding="utf-8").splitlines()
        wanted = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
        assert wanted
        assert wanted == {entry.split("  # from collection openrescue.server")[0] for entry in found[kind]}


def test_a_pattern_that_fits_no_server_is_not_green(
    tmp_path: pathlib.Path, templates: dict[str, dict[str, t.Any]]
) -> None:
    job = awx.Awx(tmp_path, templates, {"web": {"hosts": {"web1": {}}}})
    for button in BUTTONS:
        ended = job.press(button, rescue_hosts="wbe*")
        assert ended.code != 0, ended.text
        assert (ended.status, ended.artifacts) == ("failed", {}), ended.text
        assert "no host of the inventory fits" in ended.text
    with pytest.raises(awx.Refused, match="rescue_hosts is required"):
        job.press("Recover")
    with pytest.raises(awx.Refused, match="not asked for"):
        job.press("Recover", rescue_hosts="web1", ansible_connection="local")


def test_text_of_a_console_is_never_a_template(tmp_path: pathlib.Path) -> None:
    """The result is made from what modules return; an expression in that stays the text that it is."""
    evil = "{{7*191}}"
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/begin.yml")},
                {
                    "openrescue.server.console_diagnose": {"path": str(tmp_path / "console")},
                    "register": "triage_result",
                },
                {"ansible.builtin.include_tasks": str(ROOT / "playbooks/tasks/result.yml")},
            ],
        }
    ]
    (tmp_path / "console").write_text(
        f"[ TIME ] Timed out waiting for device /dev/disk/by-uuid/{evil}.\nYou are in emergency mode.\n",
        encoding="utf-8",
    )
    (tmp_path / "play.json").write_text(json.dumps(play), encoding="utf-8")
    done = subprocess.run(
        [awx.BIN / "ansible-playbook", tmp_path / "play.json"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": awx.tree(),
             "ANSIBLE_SHOW_CUSTOM_STATS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert evil in done.stdout
    assert "1337" not in done.stdout


@pytest.fixture
def jobs() -> t.Iterator[pathlib.Path]:
    """Where the jobs are. Their paths are short, as AWX's are: the sockets of SSH are in there."""
    with tempfile.TemporaryDirectory(prefix="awx_") as directory:
        yield pathlib.Path(directory)


@pytest.fixture
def on_libvirt(lab: str, rescue_image: RescueImage, patient: Domain) -> dict[str, t.Any]:
    """What the inventory says of a guest of the lab's libvirt."""
    return {
        "rescue_server": patient.name,
        "rescue_provider": "libvirt",
        "rescue_libvirt_uri": lab,
        "rescue_image": str(rescue_image.qcow2),
        "rescue_shutdown_timeout": 1,
        "recover_probe_timeout": 2,
    }


@pytest.fixture
def on_openstack(jobs: pathlib.Path, cloud: Cloud) -> t.Callable[[t.Any], dict[str, t.Any]]:
    """What the inventory says of a server of the cloud, which is reached by the keys that AWX has."""

    def of(server: t.Any) -> dict[str, t.Any]:
        port = cloud.ssh_port(server.id)
        return {
            "rescue_server": server.id,
            "rescue_image": "rescue",
            "rescue_system_timeout": 150,
            "rescue_ssh_host": "127.0.0.1",
            "rescue_ssh_port": port,
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_user": "root",
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={jobs}/known_hosts",
        }

    return of


def credential(cloud: Cloud) -> dict[str, t.Any]:
    """The inputs of AWX's credential for OpenStack, of a member of the project."""
    auth = cloud.connect().config.auth
    return {
        "host": auth["auth_url"],
        "username": auth["username"],
        "password": auth["password"],
        "project": auth["project_name"],
        "domain": "Default",
    }


def test_rescue_and_unrescue_a_server(
    jobs: pathlib.Path,
    templates: dict[str, dict[str, t.Any]],
    on_libvirt: dict[str, t.Any],
    patient: Domain,
    guest_disk: t.Callable[[], pathlib.Path],
) -> None:
    """Each step first as check, which touches nothing; and what fails is told."""
    patient.define(guest_disk())
    site = awx.Awx(jobs, templates, {"dead": {"hosts": {"web1": on_libvirt}}})
    asked = {"rescue_hosts": "all"}
    checked = site.press("Rescue", job_type="check", **asked).must_end_well().server("web1")
    assert (checked["outcome"], checked["check"], checked["changed"]) == ("rescued", True, True)
    assert patient.state() == "shut off"

    broken = {"dead": {"hosts": {"web1": {**on_libvirt, "rescue_image": "/no-such-image"}}}}
    failed = dataclasses.replace(site, inventory=broken).press("Rescue", **asked)
    assert (failed.code, failed.status) == (2, "failed")
    assert "no-such-image" in failed.server("web1")["error"]
    assert failed.server("web1")["outcome"] == "failed"
    assert patient.state() == "shut off"

    rescued = site.press("Rescue", **asked).must_end_well().server("web1")
    assert (rescued["outcome"], rescued["state"], rescued["changed"]) == ("rescued", "rescued", True)
    assert patient.state() == "running"

    unrescued = site.press("Unrescue", **asked).must_end_well().server("web1")
    assert (unrescued["outcome"], unrescued["state"], unrescued["changed"]) == ("unrescued", "unrescued", True)
    assert patient.state() == "shut off"
    again = site.press("Unrescue", **asked).must_end_well().server("web1")
    assert (again["outcome"], again["changed"], again["error"]) == ("unrescued", False, None)


def test_triage_and_recover_servers_of_both_kinds(
    jobs: pathlib.Path,
    templates: dict[str, dict[str, t.Any]],
    cloud: Cloud,
    on_openstack: t.Callable[[t.Any], dict[str, t.Any]],
    on_libvirt: dict[str, t.Any],
    patient: Domain,
    guest_disk: t.Callable[[], pathlib.Path],
) -> None:
    """One inventory, one press: neither boots, and both come back."""
    disk = guest_disk()
    broken = breakage.apply("fstab-missing-device", disk)
    with cloud.server("awx-broken", "guest-broken-fstab", config_drive=True) as server:
        patient.define(disk).start()
        cloud.wait_for_console(server.id, broken.console)
        patient.wait_for_console(broken.console)
        inventory = {"dead": {"hosts": {"nova1": on_openstack(server), "virt1": on_libvirt}}}
        key = ssh_key().read_text("ascii")
        buttons = awx.Awx(jobs, templates, inventory, openstack=credential(cloud), ssh_key=key)

        triaged = buttons.press("Triage", rescue_hosts="dead").must_end_well()
        for name, provider in (("nova1", "openstack"), ("virt1", "libvirt")):
            told = triaged.server(name)
            assert (told["outcome"], told["provider"], told["changed"]) == ("triaged", provider, False)
            assert told["console"] == "failed"
            assert set(broken.faults) <= {finding["fault"] for finding in told["findings"]}

        ended = buttons.press("Recover", rescue_hosts="dead").must_end_well()
        for name, called in (("nova1", server.name), ("virt1", patient.name)):
            back = ended.server(name)
            assert (back["name"], back["outcome"], back["state"]) == (called, "back", "unrescued")
            assert (back["power_state"], back["changed"], back["error"]) == ("running", True, None)
            assert set(broken.faults) <= set(back["applied"]) and back["undo"]
        assert ended.text.count("-UUID=deadbeef") == 2, "the change is shown for both"
        assert {event["event"] for event in ended.events} >= {"playbook_on_start", "runner_on_ok", "playbook_on_stats"}
        now = cloud.connect().compute.get_server(server.id)
        assert (now.status, now.task_state, now.metadata) == ("ACTIVE", None, {})
        options = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-i", ssh_key())
        login = ("ssh", *options, "-p", str(cloud.ssh_port(server.id)), "root@127.0.0.1")
        assert "/boot" in run(*login, "findmnt -no TARGET /boot")

        again = buttons.press("Recover", rescue_hosts="dead").must_end_well()
        for name in ("nova1", "virt1"):
            left = again.server(name)
            assert (left["outcome"], left["changed"], left["applied"]) == ("left_alone", False, [])
