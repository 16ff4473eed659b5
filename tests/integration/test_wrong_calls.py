# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Wrong uses of the playbooks: each is one short error that says what to do, and no server is touched."""

from __future__ import annotations

import gzip
import pathlib
import re
import typing as t

import pytest
from openrescue_lab.disk import blank, sha256
from openrescue_lab.domain import Domain

from playbooks import Outcome, Play

NO_LIBVIRT = "qemu+unix:///system?socket=/no/such/socket"
STORY = {"ANSIBLE_STDOUT_CALLBACK": "openrescue.server.story"}
MOST_LINES = 6


class Wrong(t.NamedTuple):
    """What is given wrongly for one server, and the words of its error: the cause, and what to do."""

    variables: dict[str, t.Any]
    words: tuple[str, ...]


#: of servers that are off, and would be recovered
SERVERS = {
    "no-server": Wrong({"rescue_server": "no-such-server"}, ("no domain of that name", "no-such-server")),
    "empty-server": Wrong({"rescue_server": ""}, ("rescue_server must be a name",)),
    "no-image": Wrong({"rescue_image": "/no/such/image.qcow2"}, ("/no/such/image.qcow2",)),
    "no-image-given": Wrong({"rescue_image": None}, ("read rescue_image: it is not set", "builds one")),
    "image-directory": Wrong({"rescue_image": "/etc"}, ("/etc",)),
    "image-damaged": Wrong({"rescue_image": "DAMAGED"}, ("damaged.qcow2", "qcow2 header makes no sense")),
    "image-packed": Wrong({"rescue_image": "PACKED"}, ("packed.img.gz", "packed by gzip", "Unpack it")),
    "image-page": Wrong({"rescue_image": "PAGE"}, ("page.raw", "neither a boot sector")),
    "no-volume": Wrong({"rescue_image": "nopool/novolume"}, ("nopool",)),
    "no-libvirt": Wrong({"rescue_libvirt_uri": NO_LIBVIRT}, ("cannot connect to libvirt", "libvirt_uri")),
    "nonsense-uri": Wrong({"rescue_libvirt_uri": "nonsense:///x"}, ("cannot connect to libvirt", "libvirt_uri")),
    "no-access": Wrong({"rescue_access": "pigeon"}, ("rescue_access", "pigeon")),
    "no-provider": Wrong({"rescue_provider": "azure"}, ("rescue_provider", "azure")),
    "no-cloud": Wrong({"rescue_provider": "openstack"}, ("openstack",)),
    "unknown-cloud": Wrong({"rescue_provider": "openstack", "rescue_cloud": "nimbus"}, ("nimbus",)),
    "agent-on-openstack": Wrong({"rescue_provider": "openstack", "rescue_access": "agent"}, ("rescue_access",)),
    "no-proof": Wrong({"verify_by": "ping"}, ("verify_by must be one of agent, ssh, console",)),
    "no-number": Wrong({"verify_timeout": "two"}, ("verify_timeout must be of the type int",)),
    "no-time": Wrong({"rescue_timeout": 0}, ("rescue_timeout must be more than 0",)),
    "less-than-no-time": Wrong({"recover_probe_timeout": -1}, ("recover_probe_timeout",)),
    "no-fault": Wrong({"repair_faults": ["fstab-sintax"]}, ("did you mean fstab-syntax?",)),
    "al": Wrong({"repair_faults": "al"}, ("did you mean all?",)),
    "no-bus": Wrong({"rescue_bus": "ide"}, ("rescue_bus must be one of",)),
    "no-device": Wrong({"rescue_device": "floppy"}, ("rescue_device must be one of",)),
    "no-disk-access": Wrong({"rescue_disk_access": "sideways"}, ("rescue_disk_access must be one of",)),
    "misspelled": Wrong({"rescue_imag": "/x"}, ("did you mean rescue_image?",)),
    "undefined": Wrong({"rescue_reason": "{{ no_such_variable }}"}, ("no_such_variable",)),
    "no-tasks": Wrong({"recover_tasks": "/no/such/tasks.yml"}, ("/no/such/tasks.yml", "Nothing was begun")),
    "tasks-no-yaml": Wrong({"recover_tasks": "NO_YAML"}, ("no_yaml.yml", "Nothing was begun")),
    "no-key": Wrong(
        {"rescue_access": "ssh", "rescue_ssh_key": "/no/such/key"}, ("/no/such/key", "Nothing was stopped")
    ),
    "no-bastion": Wrong({"rescue_delegate_to": "nowhere.invalid"}, ("nowhere.invalid",)),
}


def error_of(name: str, text: str) -> list[str]:
    """The lines that the story tells of why a server is not as asked."""
    lines = text.splitlines()
    found = [number for number, line in enumerate(lines) if re.match(rf"{name}(: |  failed  )", line)]
    assert len(found) == 1, f"{name}: {found} in\n{text}"
    rest = lines[found[0] + 1 :]
    more = next((number for number, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return lines[found[0] : found[0] + 1 + more]


def test_wrong_values_of_servers(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    disk = blank(tmp_path / "disk.raw")
    patient.define(disk)
    before = (sha256(disk), patient.virsh("dumpxml", "--inactive"), patient.state())
    (tmp_path / "damaged.qcow2").write_bytes(b"QFI\xfb" + b"\xff" * 5000)
    (tmp_path / "no_yaml.yml").write_text("- name: [\n", encoding="utf-8")
    (tmp_path / "packed.img.gz").write_bytes(gzip.compress(b"image"))
    (tmp_path / "page.raw").write_text("<!DOCTYPE html><title>404 Not Found</title>", encoding="utf-8")
    names = {"DAMAGED": "damaged.qcow2", "PACKED": "packed.img.gz", "PAGE": "page.raw", "NO_YAML": "no_yaml.yml"}
    files = {word: str(tmp_path / name) for word, name in names.items()}
    common = {"rescue_server": patient.name, "rescue_libvirt_uri": play.uri, "rescue_image": str(play.image),
              "rescue_provider": "libvirt"}  # fmt: skip
    hosts = {}
    for name, wrong in SERVERS.items():
        given = {
            key: files.get(value, value) if isinstance(value, str) else value for key, value in wrong.variables.items()
        }
        hosts[name] = {key: value for key, value in {**common, **given}.items() if value is not None}

    unset = dict.fromkeys(("rescue_provider", "rescue_libvirt_uri", "rescue_image"))
    outcome = play("recover", hosts=hosts, environment=STORY, **unset)

    assert outcome.code != 0, outcome.text
    for name, wrong in SERVERS.items():
        said = error_of(name, outcome.text)
        assert len(said) <= MOST_LINES, said
        words = " ".join(" ".join(said).split())
        for word in wrong.words:
            assert word in words, f"{word!r} is not in: {words}"
        assert hosts[name]["rescue_server"] in words, words
    assert (sha256(disk), patient.virsh("dumpxml", "--inactive"), patient.state()) == before, outcome.text


#: playbook, variables, arguments -> words of the error
CALLS: dict[str, tuple[str, dict[str, t.Any], tuple[str, ...], str]] = {
    "nobody is named": ("recover", {"rescue_hosts": None}, (), "rescue_hosts is not set"),
    "a host that is none": ("triage", {"rescue_hosts": "wbe*"}, (), "no host of the inventory fits"),
    "a pattern of nobody": ("undo", {"rescue_hosts": "servers:!servers"}, (), "no host of the inventory fits"),
    "an empty pattern": ("recover", {"rescue_hosts": ""}, (), "no host of the inventory fits"),
    "a limit of nobody": ("recover", {}, ("--limit", "localhost"), "no hosts to target"),
    "a misspelled variable": ("recover", {"rescue_imag": "/x"}, (), "did you mean rescue_image?"),
    "tags of nothing": ("recover", {}, ("--tags", "repiar"), "run it without --tags"),
}


@pytest.mark.parametrize("case", CALLS)
def test_wrong_calls(case: str, play: Play) -> None:
    playbook, variables, arguments, words = CALLS[case]
    outcome = play(playbook, "untouched", arguments=arguments, environment=STORY, **variables)
    assert_short(outcome, words)
    assert "untouched" not in outcome.text


def test_an_empty_inventory(play: Play) -> None:
    assert_short(play("unrescue", rescue_hosts="all", environment=STORY), "no host of the inventory fits")


def assert_short(outcome: Outcome, words: str) -> None:
    outcome.must_fail_naming(words)
    said = [line for line in outcome.text.splitlines() if line.strip() and not line.startswith("[WARNING]")]
    assert len(said) <= MOST_LINES, outcome.text
