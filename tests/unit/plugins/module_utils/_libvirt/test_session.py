# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Against libvirt's own test driver: real metadata and definitions, and no machine."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import Held, StateChanged
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtMarker, Worker
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.provider import LibvirtProvider
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.run import (
    draft_marker,
    log_directory,
    write_marker,
)
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.session import LibvirtSession
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.storage import RescueImage
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Hold
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job, Wish
from ansible_collections.openrescue.server.plugins.module_utils._server.refusals import at_work, time_is_up
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline

IMAGE = RescueImage("/images/rescue.qcow2", "qcow2", 1, "/images")


@pytest.fixture
def provider() -> t.Iterator[LibvirtProvider]:
    made = LibvirtProvider("test:///default", clock=Clock())
    made.connect(Deadline(Clock(), seconds=30))
    yield made
    made.close()


@pytest.fixture
def session(provider: LibvirtProvider) -> LibvirtSession:
    return provider.session(Deadline(Clock(), seconds=30))


def marked(session: LibvirtSession, **more: t.Any) -> str:
    """The test driver's one domain, with a marker."""
    server, _name = session.find("test")
    values: dict[str, t.Any] = {"id": "1", "image": "/i", "since": "now", "power": "running", **more}
    write_marker(session.domain(server), LibvirtMarker(**values))
    return server


def test_by_name_and_by_uuid(session: LibvirtSession) -> None:
    server, name = session.find("test")
    assert session.find(server) == session.find(server.upper()) == (server, name)


def test_a_hold_is_seen_and_kept(provider: LibvirtProvider, session: LibvirtSession) -> None:
    server = marked(session, hold=Hold("alice", run="elsewhere/1/1", until=1.0))
    now = session.observe(server)
    assert (now.hold and now.hold.owner, now.hold_alive) == ("alice", False)
    assert session.keep_hold(now, Hold("bob")) is None
    again = session.observe(server)
    assert (again.hold, again.hold_alive) == (Hold("bob"), None)
    assert dataclasses.replace(again.marker, hold=None) == dataclasses.replace(now.marker, hold=None)  # type: ignore[type-var]
    deadline = Deadline(Clock(), seconds=30)
    assert provider.rescued(deadline) == [server]
    assert provider.leftovers(deadline) == []


def test_a_hold_that_is_kept_overwrites_no_call_that_began_meanwhile(session: LibvirtSession) -> None:
    server = marked(session, hold=Hold("alice"))
    now = session.observe(server)
    marked(session, hold=Hold("bob"), worker=Worker.here("another call", now=Clock().wall()))
    with pytest.raises(StateChanged):
        session.keep_hold(now, Hold("carol"))
    again = session.observe(server)
    assert again.marker is not None and again.marker.worker is not None
    assert again.hold == Hold("bob")


def test_nothing_is_rescued_at_first(provider: LibvirtProvider, session: LibvirtSession) -> None:
    server, _name = session.find("test")
    assert provider.rescued(Deadline(Clock(), seconds=30)) == []
    now = session.observe(server)
    assert (now.hold, now.state, now.at_work) == (None, "unrescued", "")
    life = session.life(now)
    assert (life.state, life.by) == ("unknown", None)
    assert "no guest agent" in life.evidence


def test_a_call_at_work_is_seen_by_others_and_not_by_itself(provider: LibvirtProvider, session: LibvirtSession) -> None:
    worker = Worker.here(session.token, now=Clock().wall())
    server = marked(session, phase="stop_server", worker=worker)
    assert session.observe(server).at_work == ""
    other = provider.session(session.deadline)
    seen = other.observe(server)
    assert str(worker.who) == seen.at_work
    assert seen.state == "rescuing"
    job = Job(asked="test", wish=Wish(state="unrescued"))
    plan = other.way_back(seen, job.wish)
    assert plan is not None
    with pytest.raises(Held):
        other.begin(seen, plan, job)


@pytest.mark.parametrize(
    ("uri", "missing", "directory"),
    [
        ("qemu:///system", False, "/var/log/libvirt/qemu"),
        ("qemu+ssh://root@h/system", False, "/var/log/libvirt/qemu"),
        ("qemu:///system", True, "/images"),
        ("qemu:///session", False, "/images"),
    ],
)
def test_where_the_log_goes(
    uri: str, directory: str, provider: LibvirtProvider, monkeypatch: pytest.MonkeyPatch, *, missing: bool
) -> None:
    """Beside the image virtlogd may not write under SELinux; what is not there is seen before the stop."""
    monkeypatch.setattr(provider.storage, "is_missing", lambda _directory: missing)
    logs = log_directory(uri, IMAGE, provider.storage)
    assert logs == directory
    wish = Wish(state="rescued", image=IMAGE.path)
    marker = draft_marker(wish, IMAGE, logs=logs, needs_nvram=False, server="u")
    assert marker.log == f"{directory}/openrescue-u-{marker.id}-console.log"
    assert marker.layer.startswith("/images/openrescue-u-")


def test_refusals_say_what_to_do() -> None:
    for error in (at_work("x", step="s", server="web1"), time_is_up(5.0, step="s", server="web1")):
        assert error.retryable
        assert error.hint
        assert "web1" in str(error)
