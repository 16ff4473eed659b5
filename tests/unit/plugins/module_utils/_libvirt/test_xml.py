# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import xml as libvirt_xml

from .domains import AGENT, MARKER, disk, domain


def test_marker_in_a_definition() -> None:
    bare = domain(disk("vda", "virtio"))
    wrapped = libvirt_xml.marker_to_metadata(MARKER)
    assert libvirt_xml.marker_from_metadata(wrapped) == MARKER
    assert libvirt_xml.marker_in(bare, live=True) is None
    running = domain(disk("vda", "virtio"), metadata="<metadata/>")
    metadata = running.find("metadata")
    assert metadata is not None
    metadata.append(libvirt_xml.live_marker_element(MARKER))
    assert libvirt_xml.marker_in(running) is None
    assert libvirt_xml.marker_in(running, live=True) == MARKER
    assert (libvirt_xml.has_marker(running), libvirt_xml.has_marker(running, live=True)) == (False, True)


def test_the_hash_is_blind_for_the_marker_alone() -> None:
    plain = ET.tostring(domain(disk("vda", "virtio")), encoding="unicode")
    element = f"<o:rescue xmlns:o='{libvirt_xml.NAMESPACE}' version='1'/>"
    marked = ET.tostring(domain(disk("vda", "virtio"), metadata=f"<metadata>{element}</metadata>"), encoding="unicode")
    other = ET.tostring(domain(disk("vdb", "virtio")), encoding="unicode")
    kept = ET.tostring(
        domain(disk("vda", "virtio"), metadata="<metadata><a:b xmlns:a='http://a'/></metadata>"), encoding="unicode"
    )
    assert libvirt_xml.definition_hash(marked) == libvirt_xml.definition_hash(plain)
    assert len({libvirt_xml.definition_hash(text) for text in (plain, other, kept)}) == 3


FOREIGN = {
    "the same": (disk("vda", "virtio"), "", False),
    "one more disk, plugged in": (disk("vda", "virtio") + disk("vdb", "virtio"), "", False),
    "another root": (disk("vda", "virtio", path="/install.iso"), "", True),
    "another kernel": (disk("vda", "virtio"), "<kernel>/install</kernel>", True),
    "no disk of its own": (disk("vdz", "virtio"), "", True),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_started_from_another_definition(case: str) -> None:
    devices, system, foreign = FOREIGN[case]
    persistent = domain(disk("vda", "virtio"))
    assert libvirt_xml.is_foreign(domain(devices, os=system), persistent) is foreign


@pytest.mark.parametrize(
    ("devices", "active", "state"),
    [
        ("", True, "none"),
        (AGENT.format("connected"), True, "connected"),
        (AGENT.format("connected"), False, "disconnected"),
        (AGENT.format("disconnected"), True, "disconnected"),
    ],
)
def test_agent_state(devices: str, *, active: bool, state: str) -> None:
    assert libvirt_xml.agent_state(domain(devices), active=active) == state


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.0"])
def test_domains_of_any_nova_are_known(version: str) -> None:
    """The namespace was 1.0 until Wallaby."""
    metadata = f"<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/{version}'/></metadata>"
    assert libvirt_xml.is_of_nova(domain(disk("vda", "virtio"), metadata=metadata))


def test_domains_of_others_are_not() -> None:
    for other in ("http://example.com/xmlns/libvirt/nova/1.0", "http://openstack.org/xmlns/other/1.0"):
        metadata = f"<metadata><n:instance xmlns:n='{other}'/></metadata>"
        assert not libvirt_xml.is_of_nova(domain(disk("vda", "virtio"), metadata=metadata))
