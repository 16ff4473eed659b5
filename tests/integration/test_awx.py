# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The buttons of awx/, each pressed as AWX presses it. What AWX is told of them, tests/unit/awx looks at."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import tempfile
import typing as t

import awx_job as awx
import pytest
import yaml
from openrescue_lab import breakage
from openrescue_lab.awx import PROJECT, Refused, apply
from openrescue_lab.base import run
from openrescue_lab.cloud import Cloud
from openrescue_lab.domain import Domain
from openrescue_lab.guest import ssh_key
from openrescue_lab.rescue import RescueImage

# One process has the lab's libvirt.
pytestmark = pytest.mark.xdist_group("lab")

ROOT = PROJECT.parent

Templates = dict[str, dict[str, t.Any]]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The job templates as they are when nothing but the project is set."""
    done = apply(tmp_path_factory.mktemp("apply"), awx_prefix="", awx_project_url="https://git.example/rescue.git")
    return done.must_end_well().templates()


def test_the_execution_environment_has_what_the_collection_asks_for(tmp_path: pathlib.Path) -> None:
    context = tmp_path / "context"
    definition = PROJECT / "execution-environment.yml"
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


def test_a_pattern_that_fits_no_server_is_not_green(tmp_path: pathlib.Path, templates: Templates) -> None:
    job = awx.Awx(tmp_path, templates, {"web": {"hosts": {"web1": {}}}})
    pressed = [name for name, template in templates.items() if (ROOT / "playbooks" / template["playbook"]).exists()]
    assert len(pressed) >= 7
    for button in pressed:
        ended = job.press(button, rescue_hosts="wbe*")
        assert ended.code != 0, ended.text
        assert (ended.status, ended.artifacts) == ("failed", {}), ended.text
        assert "no host of the inventory fits" in ended.text
    with pytest.raises(Refused, match="rescue_hosts is required"):
        job.press("Recover")
    with pytest.raises(Refused, match="not asked for"):
        job.press("Recover", rescue_hosts="web1", ansible_connection="local")


@pytest.mark.parametrize("asked", [{"rescue_hosts": "web1:wbe2"}, {"rescue_hosts": "web", "limit": "web1,wbe2"}])
def test_a_typo_beside_a_server_is_not_green(
    asked: dict[str, str], tmp_path: pathlib.Path, templates: Templates
) -> None:
    ended = awx.Awx(tmp_path, templates, {"web": {"hosts": {"web1": {}}}}).press("Triage", **asked)
    assert (ended.status, ended.artifacts) == ("failed", {}), ended.text
    assert "is called wbe2" in ended.text


def test_text_of_a_console_is_never_a_template(tmp_path: pathlib.Path) -> None:
    """The result is made from what modules return; an expression in that stays the text that it is."""
    evil = "{{7*191}}"
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.include_role": {"name": "openrescue.server.recover", "tasks_from": "begin"}},
                {
                    "openrescue.server.console_diagnose": {"path": str(tmp_path / "console")},
                    "register": "triage_result",
                },
                {"ansible.builtin.include_role": {"name": "openrescue.server.recover", "tasks_from": "record"}},
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
    templates: Templates,
    on_libvirt: dict[str, t.Any],
    patient: Domain,
    guest_disk: t.Callable[[], pathlib.Path],
) -> None:
    """Each step first as check, which touches nothing; and what fails is told."""
    patient.define(guest_disk())
    site = awx.Awx(jobs, templates, {"dead": {"hosts": {"web1": on_libvirt}}})
    asked = {"rescue_hosts": "all"}
    checked = site.press("Rescue", job_type="check", **asked).must_end_well().server("web1")
    assert (checked["outcome"], checked["check"], checked["changed"]) == ("checked", True, True)
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


def test_look_and_repair_step_by_step_and_take_it_back(
    jobs: pathlib.Path,
    templates: Templates,
    on_libvirt: dict[str, t.Any],
    patient: Domain,
    guest_disk: t.Callable[[], pathlib.Path],
) -> None:
    """The nodes of the workflow, with the buttons for one step each between them, on a server that is off."""
    disk = guest_disk()
    broken = breakage.apply("fstab-missing-device", disk)
    patient.define(disk)
    site = awx.Awx(jobs, templates, {"dead": {"hosts": {"web1": on_libvirt}}})
    nodes = {node["identifier"]: node.get("answers", {}) for node in awx.workflow()["nodes"]}

    def press(button: str, **answers: str) -> dict[str, t.Any]:
        return site.press(button, rescue_hosts="web1", **answers).must_end_well().server("web1")

    looked = press("Recover", **nodes["look"])
    assert (looked["outcome"], looked["state"], looked["applied"]) == ("rescued", "rescued", [])
    assert set(broken.faults) <= {finding["fault"] for finding in looked["findings"]}

    diagnosed = press("Diagnose")
    assert (diagnosed["outcome"], diagnosed["changed"], diagnosed["verdict"]) == ("diagnosed", False, "unbootable")
    assert set(broken.faults) <= {finding["fault"] for finding in diagnosed["findings"]}

    repaired = press("Repair")
    assert (repaired["outcome"], repaired["changed"], repaired["error"]) == ("repaired", True, None)
    assert set(broken.faults) <= set(repaired["applied"])

    back = press("Recover", **nodes["repair"])
    assert (back["outcome"], back["state"], back["applied"]) == ("off", "unrescued", [])
    assert patient.state() == "shut off"

    undone = site.press("Undo", rescue_hosts="web1", undo=repaired["undo"]).must_end_well()
    assert "+UUID=deadbeef" in undone.text, "the change is shown"
    assert (undone.server("web1")["outcome"], undone.server("web1")["state"]) == ("off", "unrescued")
    assert patient.state() == "shut off"


def test_triage_and_recover_servers_of_both_kinds(
    jobs: pathlib.Path,
    templates: Templates,
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
