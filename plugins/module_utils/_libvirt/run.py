# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One domain held by this run: each step of a plan as libvirt does it.

Before each step the marker in the domain's persistent metadata says which one it is. The persistent definition
is otherwise never written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
import typing as t
import urllib.parse
import xml.etree.ElementTree as ET

from .._errors import ConnectionLost, OpenRescueError
from .._server import refusals
from .._server.model import Problem
from .._server.provider import Run
from .._time import wait_until
from . import xml as libvirt_xml
from .connection import libvirt
from .model import AT_REST, WORKER_LEASE, LibvirtMarker, Worker
from .own_disks import drives
from .rescue_xml import RescueDisk, default_bus, has_nvram, rescue_domain
from .seed import START, fingerprint, is_config_drive, seed_image
from .stop import stop_domain
from .xml import NAMESPACE, PREFIX

if t.TYPE_CHECKING:
    from .._server.model import Job, Wish
    from .._server.plan import Plan
    from .model import LibvirtSituation
    from .session import LibvirtSession
    from .storage import RescueImage, Storage

__all__ = (
    "LOG_DIRECTORY",
    "LibvirtRun",
    "draft_marker",
    "log_directory",
    "read_marker",
    "temporary_definition",
    "write_marker",
)

#: Two runs that write their names at the same moment: the later one stays, and after this pause both see which.
_CLAIM_PAUSE = 0.1
#: A rescue system that ends within this time has died at once.
_SETTLE = 0.5
#: where virtlogd, which writes the log, may do so under SELinux as well
LOG_DIRECTORY = "/var/log/libvirt/qemu"
#: what virtlogd calls the older parts of a log
_ROTATED = ("", ".0", ".1", ".2")
#: seconds for what is cleared away when the server is back
_CLEARING = 30.0


_DRIVES_LEFT_OUT = "the rescue system does not get what is in {}: it cannot be read, and could be orders for cloud-init"
_ABOUT_DRIVES = "The server has it again after the rescue"
_ABOUT_LEFTOVERS = "Remove it by hand; openrescue.server.server_rescue_info without a server lists what is left"


def draft_marker(wish: Wish, image: RescueImage, *, logs: str, needs_nvram: bool, server: str) -> LibvirtMarker:
    """A marker for a rescue that begins, with the names of the files that it will make; the log goes to ``logs``."""
    key = secrets.token_hex(4)
    base = f"{image.directory}/{PREFIX}-{server}-{key}"
    return LibvirtMarker(
        id=key,
        phase="create_disks",
        image=image.path,
        asked=wish.image,
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        power="",
        autostart=False,
        definition="",
        disk_access=wish.disk_access,
        kernel=wish.kernel,
        layer=f"{base}.qcow2" if wish.device != "cdrom" else "",
        seed=f"{base}-seed.iso" if wish.ssh_authorized_keys or wish.user_data else "",
        seed_holds=fingerprint(wish.ssh_authorized_keys, wish.user_data),
        nvram=f"{base}-nvram.fd" if needs_nvram else "",
        log=f"{logs}/{PREFIX}-{server}-{key}-console.log",
    )


def log_directory(uri: str, image: RescueImage, storage: Storage) -> str:
    """Where the system's libvirt keeps its logs, but beside the image where that is not there or not ours to write."""
    of_a_user = urllib.parse.urlsplit(uri).path == "/session"
    return image.directory if of_a_user or storage.is_missing(LOG_DIRECTORY) else LOG_DIRECTORY


def temporary_definition(
    persistent: ET.Element, marker: LibvirtMarker, wish: Wish, image: RescueImage, *, left_out: t.Container[str]
) -> str:
    """What the rescue system is started from."""
    device = wish.device or "disk"
    disk = RescueDisk(
        path=marker.layer or image.path,
        format="qcow2" if marker.layer else image.format,
        device=device,
        bus=wish.bus or default_bus(persistent, device=device),
        kernel=wish.kernel,
        ramdisk=wish.ramdisk,
        cmdline=wish.cmdline,
    )
    if not has_nvram(persistent):
        marker = dataclasses.replace(marker, nvram="")
    element = libvirt_xml.live_marker_element(dataclasses.replace(marker, phase=AT_REST, worker=None))
    return rescue_domain(libvirt_xml.without_marker(persistent), marker, disk, live_marker=element, left_out=left_out)


def read_marker(domain: t.Any) -> LibvirtMarker | None:
    """The marker in the domain's persistent metadata."""
    try:
        text = domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            raise
        return None
    return libvirt_xml.marker_from_metadata(text)


def write_marker(domain: t.Any, marker: LibvirtMarker) -> None:
    """Keep it in the domain's persistent metadata, of which nothing else changes."""
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        libvirt_xml.marker_to_metadata(marker),
        PREFIX,
        NAMESPACE,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    )


class LibvirtRun(Run):
    """See :class:`Run`. Making one takes hold of the domain."""

    def __init__(self, session: LibvirtSession, now: LibvirtSituation, plan: Plan, job: Job) -> None:
        self._session = session
        self._connection = session.connection
        self._clock = session.clock
        self._plan = plan
        self._job = job
        self._name = now.name
        self._id = now.id
        self._temporary = ""
        self._off_since: float | None = None
        self._steps: dict[str, t.Callable[[], None]] = {
            "remove_disks": self._remove_disks,
            "create_disks": self._create_disks,
            "disable_autostart": lambda: self._set_autostart(0),
            "stop_server": self._stop,
            "start_rescue": self._start_rescue,
            "stop_rescue": self._stop,
            "start_server": self._start_server,
            "enable_autostart": lambda: self._set_autostart(1),
        }
        marker = now.marker or self._draft()
        bare = now.marker.bare if now.marker else ET.fromstring(self._persistent()).find("metadata") is None  # noqa: S314
        self._marker = dataclasses.replace(
            marker,
            phase=plan.steps[0] if plan.steps else AT_REST,
            ending=plan.ending,
            power=plan.power,
            autostart=plan.autostart,
            definition=marker.definition or now.definition,
            bare=bare,
            # On the way back it stays held until the end, by whom it was.
            hold=job.hold or marker.hold,
        )
        self._claim()

    # -- hold and marker

    def _claim(self) -> None:
        # A takeover by force does not ask who is at work: that one stops before its next step.
        if not self._job.wish.claim.force:
            self._refuse_if_at_work()
        self._write_marker()
        self._clock.sleep(_CLAIM_PAUSE)
        self._refuse_if_at_work()

    def _refuse_if_at_work(self) -> None:
        known = self._read_marker()
        worker = None if known is None else known.worker
        if worker is None or worker.token == self._session.token or not worker.is_alive(now=self._clock.wall()):
            return
        raise refusals.at_work(worker.who, step="take hold of it", server=self._name)

    def _read_marker(self) -> LibvirtMarker | None:
        with self._connection.explain("read its marker", server=self._name):
            return read_marker(self._domain())

    def _write_marker(self, *, at_work: bool = True) -> None:
        worker = Worker.here(self._session.token, now=self._clock.wall()) if at_work else None
        self._marker = dataclasses.replace(self._marker, worker=worker)
        with self._connection.explain("write its marker", server=self._name):
            write_marker(self._domain(), self._marker)

    def _show_life(self) -> None:
        """Show that this call is at work, for those who cannot see its process."""
        worker = self._marker.worker
        if worker is None or worker.until - self._clock.wall() < WORKER_LEASE / 2:
            # It may have been taken over by force.
            self._refuse_if_at_work()
            self._write_marker()

    def _domain(self) -> t.Any:
        return self._session.domain(self._id)

    def _persistent(self) -> str:
        with self._connection.explain("read its definition", server=self._name):
            flags = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE
            return str(self._domain().XMLDesc(flags))

    # -- steps

    def do(self, step: str) -> bool:
        self._refuse_if_at_work()
        self._marker = dataclasses.replace(self._marker, phase=step)
        self._write_marker()
        if self._session.deadline.left <= 0:
            raise refusals.time_is_up(self._job.wish.timeout, step=step, server=self._name)
        self._steps[step]()
        return True

    def _remove_disks(self) -> None:
        """What cannot be removed now stays as a leftover: the server does not need it any more, and is not kept up."""
        deadline = self._session.deadline.within(_CLEARING)
        left = []
        for kind, path in self._marker.files.items():
            for part in _ROTATED if kind == "log" else ("",):
                try:
                    self._session.storage.remove(path + part, deadline=deadline)
                except ConnectionLost:
                    raise
                except OpenRescueError as exc:
                    left.append(f"{path + part} ({exc.message})")
        if left:
            self._job.warnings.append(Problem("leftovers", f"left behind: {'; '.join(left)}", _ABOUT_LEFTOVERS))

    def _draft(self) -> LibvirtMarker:
        wish, storage = self._job.wish, self._session.storage
        persistent = ET.fromstring(self._persistent())  # noqa: S314
        image = storage.image(wish.image, deadline=self._session.deadline)
        logs = log_directory(self._connection.uri, image, storage)
        return draft_marker(wish, image, logs=logs, needs_nvram=has_nvram(persistent), server=self._id)

    def _create_disks(self) -> None:
        """Everything that the rescue system is started from, while the server still runs."""
        wish, storage = self._job.wish, self._session.storage
        image = storage.image(wish.image, deadline=self._session.deadline)
        if "remove_disks" in self._plan.steps:
            anew = self._draft()
            old = self._marker
            self._marker = dataclasses.replace(
                anew,
                power=old.power,
                autostart=old.autostart,
                definition=old.definition,
                bare=old.bare,
                hold=old.hold,
            )
            self._write_marker()
        marker = self._marker
        persistent = ET.fromstring(self._persistent())  # noqa: S314
        if marker.layer:
            storage.create_layer(marker.layer, image, deadline=self._session.deadline)
        if marker.seed:
            storage.create_file(
                marker.seed,
                seed_image(
                    instance_id=f"{PREFIX}-{marker.id}",
                    hostname="rescue",
                    keys=wish.ssh_authorized_keys,
                    user_data=wish.user_data,
                ),
                deadline=self._session.deadline,
            )
        left_out = self._drives_left_out(persistent)
        self._temporary = temporary_definition(persistent, marker, wish, image, left_out=left_out)

    def _drives_left_out(self, persistent: ET.Element) -> set[str]:
        """Drives with orders for cloud-init, which are the server's, and those of which nobody can say that."""
        known, unknown = set(), set()
        for drive in drives(persistent):
            start = None
            if drive.path:
                start = self._session.storage.read(drive.path, length=START, deadline=self._session.deadline)
            if start is not None and is_config_drive(start):
                known.add(drive.target)
            elif start is None and drive.removable:
                unknown.add(drive.target)
        if unknown:
            named = ", ".join(sorted(unknown))
            self._job.warnings.append(Problem("drives_left_out", _DRIVES_LEFT_OUT.format(named), _ABOUT_DRIVES))
        return known | unknown

    def _set_autostart(self, value: int) -> None:
        with self._connection.explain("set its autostart", server=self._name):
            self._domain().setAutostart(value)

    def _stop(self) -> None:
        self._job.stopped_by = stop_domain(
            self._domain(),
            connection=self._connection,
            server=self._name,
            deadline=self._session.deadline.within(self._job.wish.shutdown_timeout),
            clock=self._clock,
            poll_interval=self._job.wish.poll_interval,
            tick=self._show_life,
        )
        self._off_since = self._clock.monotonic()

    def _start_rescue(self) -> None:
        with self._connection.explain("start the rescue system", server=self._name, code="start_failed"):
            self._connection.handle.createXML(self._temporary, 0)
        self._note_switch()
        if self._job.wish.wait:
            self._see_it_live()

    def _see_it_live(self) -> None:
        def gone() -> bool:
            with self._connection.explain("look at the rescue system", server=self._name):
                return bool(self._domain().state(0)[0] != libvirt.VIR_DOMAIN_RUNNING)

        settled = self._session.deadline.within(_SETTLE)
        if wait_until(gone, deadline=settled, clock=self._clock, poll_interval=self._job.wish.poll_interval):
            raise OpenRescueError(
                "the rescue system ended as soon as it was started",
                code="rescue_died",
                hint="See the hypervisor's log of this domain, /var/log/libvirt/qemu",
                step="start the rescue system",
                server=self._name,
            )

    def _start_server(self) -> None:
        with self._connection.explain("start it from its own definition", server=self._name, code="start_failed"):
            domain = self._domain()
            if not domain.isActive():
                domain.create()
        self._note_switch()

    def _note_switch(self) -> None:
        """Our own share of the downtime: from one system's end to the other's start."""
        if self._off_since is not None:
            self._job.timings["switch"] = round(self._clock.monotonic() - self._off_since, 3)
            self._off_since = None

    # -- the end

    def finish(self) -> None:
        if not self._plan.ending:
            self._marker = dataclasses.replace(self._marker, phase=AT_REST, ending=False)
            self._write_marker(at_work=False)
        else:
            self._remove_marker()

    def _remove_marker(self) -> None:
        with self._connection.explain("remove its marker", server=self._name):
            domain = self._domain()
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG
            if domain.isActive():
                # It was started while the marker was there, and has a copy.
                flags |= libvirt.VIR_DOMAIN_AFFECT_LIVE
            domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, None, None, NAMESPACE, flags)
            if not self._marker.bare:
                return
            # libvirt leaves an empty element where there was none: only the same text without it removes that.
            left = self._persistent()
            text = left.replace("  <metadata/>\n", "", 1)
            if text != left and libvirt_xml.definition_hash(text) == libvirt_xml.definition_hash(left):
                with contextlib.suppress(libvirt.libvirtError):
                    self._connection.handle.defineXML(text)
