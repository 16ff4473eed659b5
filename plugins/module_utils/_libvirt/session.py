# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One domain within one call: what is seen of it, what stands in the way, and what is to be done.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import typing as t
import uuid
import xml.etree.ElementTree as ET

from .._errors import ConnectionLost, OpenRescueError
from .._server import refusals
from .._server.hold import is_alive
from .._server.model import Life, Problem
from .._server.process import is_running
from .._server.provider import Session
from . import plan as planning
from . import xml as libvirt_xml
from .connection import libvirt
from .console import begins_anew, log_path, read_log, require_local
from .image_head import HEAD, cannot_boot
from .life import ask_agent
from .model import LibvirtSituation
from .preflight import Facts, blockers, warnings
from .rescue_xml import readiness
from .run import LOG_DIRECTORY, LibvirtRun, draft_marker, read_marker, temporary_definition, write_marker
from .seed import require_pycdlib

if t.TYPE_CHECKING:
    from .._server.hold import Hold
    from .._server.model import Job, Runs, Wish
    from .._server.plan import Plan
    from .._time import Deadline
    from .model import LibvirtMarker
    from .provider import LibvirtProvider
    from .storage import RescueImage

__all__ = ("LibvirtSession", "read_xml")

#: libvirt's states by number: virsh's word, and the power state that all providers share
_STATES = {
    0: ("no state", "unknown"),
    1: ("running", "running"),
    2: ("idle", "running"),
    3: ("paused", "paused"),
    4: ("in shutdown", "running"),
    5: ("shut off", "shutdown"),
    6: ("crashed", "crashed"),
    7: ("pmsuspended", "suspended"),
}


class LibvirtSession(Session[LibvirtSituation]):
    """See :class:`Session`."""

    def __init__(self, provider: LibvirtProvider, deadline: Deadline) -> None:
        self.provider = provider
        self.deadline = deadline
        self.connection = provider.connection
        self.storage = provider.storage
        self.clock = provider.clock
        #: by which this call knows its own mark on a domain
        self.token = secrets.token_hex(8)

    def find(self, asked: str) -> tuple[str, str]:
        with self.connection.explain("look for it", server=asked):
            found = {}
            for domain in self.connection.handle.listAllDomains(0):
                # A domain can vanish while the list is read.
                with contextlib.suppress(libvirt.libvirtError):
                    found[domain.UUIDString()] = domain.name()
        fitting = [(key, name) for key, name in found.items() if asked == name or _same_uuid(asked, key)]
        return refusals.the_one(
            fitting,
            asked=asked,
            kind="domain",
            key="UUID",
            place=f"at '{self.connection.uri}'",
            names=found.values,
            listing="virsh list --all",
        )

    def domain(self, server: str) -> t.Any:
        """libvirt's own object for an ID."""
        return self.provider.domain(server)

    def observe(self, server: str) -> LibvirtSituation:
        with self.connection.explain("look at it", server=server):
            domain = self.domain(server)
            name = domain.name()
            number = domain.state(0)[0]
            autostart = bool(domain.autostart()) if domain.isPersistent() else False
            persistent_xml, live_xml = read_xml(domain)
        persistent = ET.fromstring(persistent_xml)  # noqa: S314
        live = None if live_xml is None else ET.fromstring(live_xml)  # noqa: S314
        live_marker = None if live is None else libvirt_xml.marker_in(live, live=True)
        marker = libvirt_xml.marker_in(persistent) or live_marker
        hold = None if marker is None else marker.hold
        status, power_state = _STATES.get(number, _STATES[0])
        shown = live if live is not None else persistent
        return LibvirtSituation(
            name=name,
            id=server,
            provider="libvirt",
            status=status,
            power_state=power_state,
            runs=_what_runs(live, persistent, live_marker),
            autostart=autostart,
            task_state=None if marker is None or marker.at_rest else marker.phase,
            marker=marker,
            hold=hold,
            hold_alive=None if hold is None else is_alive(hold, running=is_running(hold.run), now=self.clock.wall()),
            at_work=self._at_work(marker),
            agent=libvirt_xml.agent_state(shown, active=live is not None),
            disks=tuple(libvirt_xml.disks(shown)),
            reach=libvirt_xml.reach(shown, uri=self.connection.uri),
            definition=libvirt_xml.definition_hash(persistent_xml),
        )

    def console_log(self, server: str) -> str:
        with self.connection.explain("read the console", server=server):
            domain = self.domain(server)
            name = domain.name()
            xml = domain.XMLDesc(0)
        require_local(self.connection.uri, name)
        return read_log(log_path(ET.fromstring(xml)), name)  # noqa: S314

    def life(self, now: LibvirtSituation) -> Life:
        told = super().life(now)
        if now.power_state != "running" or now.runs == "rescue":
            return told
        if now.agent == "connected":
            with self.connection.explain("ask its guest agent", server=now.name):
                answer = ask_agent(self.domain(now.id))
            return answer or Life("unknown", "its guest agent is connected and does not answer")
        said = {"none": "it has no guest agent", "disconnected": "its guest agent is not connected"}
        return Life("unknown", f"it is switched on, and {said[now.agent]}")

    def console_begins_anew(self, server: str) -> bool:
        with self.connection.explain("look at its console", server=server):
            return begins_anew(ET.fromstring(self.domain(server).XMLDesc(0)))  # noqa: S314

    def _at_work(self, marker: LibvirtMarker | None) -> str:
        worker = None if marker is None else marker.worker
        if worker is None or worker.token == self.token or not worker.is_alive(now=self.clock.wall()):
            return ""
        return worker.who

    def plan(self, now: LibvirtSituation, wish: Wish) -> Plan:
        if wish.state == "rescued":
            wish = dataclasses.replace(wish, image=self._image_path(wish, now))
        return planning.plan(now, wish)

    def _image_path(self, wish: Wish, now: LibvirtSituation) -> str:
        """The image by its path, by which the marker knows it: the same image has several names."""
        try:
            return self.storage.image(wish.image, deadline=self.deadline).path
        except OpenRescueError as exc:
            if isinstance(exc, ConnectionLost):
                raise
            # The image may be gone while a server is rescued with it.
            return wish.image if now.marker is None or wish.image != now.marker.asked else now.marker.image

    def unheeded(self, now: LibvirtSituation, wish: Wish) -> list[Problem]:
        return planning.unheeded(now, wish)

    def predict(self, now: LibvirtSituation, plan: Plan, wish: Wish) -> LibvirtSituation:
        return planning.predict(now, plan, wish)

    def way_back(self, now: LibvirtSituation, wish: Wish) -> Plan | None:
        return planning.plan_unrescue(now, wish)

    def begin(self, now: LibvirtSituation, plan: Plan, job: Job) -> LibvirtRun:
        return LibvirtRun(self, now, plan, job)

    def keep_hold(self, now: LibvirtSituation, hold: Hold | None) -> Problem | None:
        if now.marker is not None:
            with self.connection.explain("note who has it", server=now.name):
                domain = self.domain(now.id)
                if read_marker(domain) not in (None, now.marker):
                    raise refusals.changed_meanwhile(step="note who has it", server=now.name)
                write_marker(domain, dataclasses.replace(now.marker, hold=hold))
        return None

    def preflight(self, now: LibvirtSituation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        with self.connection.explain("check it", server=now.name):
            facts = self._facts(self.domain(now.id), wish)
        return blockers(now, wish, facts), warnings(now, wish, facts)

    def _facts(self, domain: t.Any, wish: Wish) -> Facts:
        persistent_xml, live_xml = read_xml(domain)
        persistent = ET.fromstring(persistent_xml)  # noqa: S314
        live = None if live_xml is None else ET.fromstring(live_xml)  # noqa: S314
        facts = Facts(
            persistent=bool(domain.isPersistent()),
            managed_save=bool(domain.isPersistent()) and bool(domain.hasManagedSaveImage(0)),
            block_jobs=tuple(_block_jobs(domain, live)),
            busy=live is not None and _busy(domain),
            live_only_disks=() if live is None else tuple(libvirt_xml.live_only_disks(live, persistent)),
            internal_snapshots=_internal_snapshots(domain),
            **readiness(persistent),
        )
        if wish.state != "rescued" or not wish.image:
            return facts
        return self._with_image(domain, facts, wish, persistent, live)

    def _with_image(
        self, domain: t.Any, facts: Facts, wish: Wish, persistent: ET.Element, live: ET.Element | None
    ) -> Facts:
        try:
            image = self.storage.image(wish.image, deadline=self.deadline)
            self._require_bootable(wish, image)
            if wish.ssh_authorized_keys or wish.user_data:
                require_pycdlib()
            self._require_kernel(wish)
        except OpenRescueError as exc:
            if isinstance(exc, ConnectionLost):
                raise
            return dataclasses.replace(facts, image_problem=Problem(exc.code, exc.message, exc.hint))
        own = [disk for disk in libvirt_xml.disks(persistent) if disk["kind"] in ("disk", "lun")]
        marker = draft_marker(wish, image, logs=LOG_DIRECTORY, needs_nvram=True, server=domain.UUIDString())
        return dataclasses.replace(
            facts,
            image_is_disk=next((disk["target"] for disk in own if disk["source"] == image.path), ""),
            image_is_backing=next((path for path in libvirt_xml.backing_files(live) if path == image.path), ""),
            definition_problem=self._refused(temporary_definition(persistent, marker, wish, image, left_out=())),
        )

    def _require_bootable(self, wish: Wish, image: RescueImage) -> None:
        """Refuse an image from which nothing can boot, before the server is stopped for it."""
        head = self.storage.read(image.path, length=HEAD, deadline=self.deadline)
        # One that cannot be read here may be readable for QEMU.
        wrong = "" if head is None else cannot_boot(head, image.format, direct=bool(wish.kernel))
        if wrong:
            raise OpenRescueError(
                f"nothing can boot from the rescue image '{wish.image}': {wrong}",
                code="image_not_bootable",
                hint="Unpack it or fetch it again; the role rescue_image builds one",
            )

    def _require_kernel(self, wish: Wish) -> None:
        for path in filter(None, (wish.kernel, wish.ramdisk)):
            if not self.storage.exists(path, deadline=self.deadline):
                raise OpenRescueError(
                    f"there is no file '{path}' on the hypervisor",
                    code="kernel_missing",
                    hint="Give rescue_kernel and rescue_ramdisk as paths on the hypervisor",
                )

    def _refused(self, xml: str) -> str:
        """What libvirt has against a definition, found without starting anything."""
        try:
            self.connection.handle.domainXMLToNative("qemu-argv", xml, 0)
        except libvirt.libvirtError as exc:
            # Only what is wrong with the definition itself: the layer does not exist yet.
            wrong = (libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_ERR_XML_DETAIL)
            if exc.get_error_code() in wrong:
                return str(exc.get_error_message())
        return ""


def read_xml(domain: t.Any) -> tuple[str, str | None]:
    """The persistent definition, with its secrets, and the live one where the domain is active."""
    secret = libvirt.VIR_DOMAIN_XML_SECURE
    live = domain.XMLDesc(secret) if domain.isActive() else None
    return domain.XMLDesc(secret | libvirt.VIR_DOMAIN_XML_INACTIVE), live


def _what_runs(live: ET.Element | None, persistent: ET.Element, live_marker: LibvirtMarker | None) -> Runs:
    if live is None:
        return "off"
    if live_marker is not None:
        return "rescue"
    return "foreign" if libvirt_xml.is_foreign(live, persistent) else "own"


def _same_uuid(asked: str, known: str) -> bool:
    try:
        return uuid.UUID(asked) == uuid.UUID(known)
    except ValueError:
        return False


def _block_jobs(domain: t.Any, live: ET.Element | None) -> t.Iterator[str]:
    for disk in () if live is None else libvirt_xml.disks(live):
        # Not every kind of disk can be asked.
        with contextlib.suppress(libvirt.libvirtError):
            if domain.blockJobInfo(disk["target"], 0):
                yield disk["target"]


def _busy(domain: t.Any) -> bool:
    try:
        return bool(domain.jobInfo()[0] != libvirt.VIR_DOMAIN_JOB_NONE)
    except libvirt.libvirtError:
        return False


def _internal_snapshots(domain: t.Any) -> int:
    try:
        return int(domain.snapshotNum(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL))
    except libvirt.libvirtError:
        return 0
