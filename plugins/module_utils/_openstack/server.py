# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers and images as the APIs show them, as values.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._server.hold import Hold
from .._text import printable
from .model import NovaMarker, NovaSituation
from .plan import state_of

if t.TYPE_CHECKING:
    from .._server.model import Runs

__all__ = (
    "HOLD_KEY",
    "METADATA_KEY",
    "DiskFacts",
    "Json",
    "disk_facts_in",
    "hold_from_metadata",
    "hold_to_metadata",
    "is_partial",
    "local_extras_of",
    "marker_from_metadata",
    "marker_to_metadata",
    "situation",
    "versions_in",
    "volumes_of",
)

Json = t.Mapping[str, t.Any]

#: the keys of the server's metadata that are ours: what unrescue restores, and who has the server
METADATA_KEY = "openrescue"
HOLD_KEY = "openrescue_hold"
#: Nova's limit for a value of the metadata
_LONGEST = 255
_SCHEMA = "1"
#: Nova's power states by number (nova/objects/fields.py, InstancePowerState)
_POWER = {0: "unknown", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
_RUNS: dict[str, Runs] = {"active": "own", "rescued": "rescue", "stopped": "off"}


@dataclasses.dataclass(frozen=True)
class DiskFacts:
    """What has to be known of the disks of a rescued server, and cannot be seen in Nova's answer.

    :param hidden: whether the rescue system sees the root disk only.
    :param shared: volumes that other servers may have as well; None where all of them have to be taken for such.
    """

    hidden: bool = False
    shared: frozenset[str] | None = frozenset()

    def is_shared(self, volume: str) -> bool:
        return self.shared is None or any(volume.startswith(one) for one in self.shared)


#: so much of a volume's ID is kept in the marker
_ENOUGH = 8
_ALL = "*"


def marker_to_metadata(marker: NovaMarker, disks: DiskFacts) -> str:
    """The marker as one value of at most 255 characters.

    What does not fit is left out: the name of the image, whose ID stays, then which volumes are shared.
    """
    kept = {"version": _SCHEMA, "id": marker.id, "power": marker.power, "since": marker.since, "image": marker.image}
    if marker.image_size:
        kept["size"] = marker.image_size
    kept["hidden"] = str(int(disks.hidden))
    shared = _ALL if disks.shared is None else " ".join(sorted(one[:_ENOUGH] for one in disks.shared))
    for more in ({"shared": shared, "asked": marker.asked}, {"shared": shared}, {"shared": _ALL if shared else ""}):
        text = json.dumps({**kept, **more}, separators=(",", ":"), ensure_ascii=False)
        if len(text) <= _LONGEST:
            break
    return text


#: What of a hold is cut where it does not fit, and to how much: who and which run have to be told apart.
_CUTS = (("reason", 40), ("phase", 20), ("reason", 0), ("owner", 60), ("phase", 0))


def hold_to_metadata(hold: Hold) -> str:
    """The hold as one value of at most 255 characters."""
    kept = hold.to_flat()
    text = _compact(kept)
    for key, length in _CUTS:
        if len(text) <= _LONGEST:
            break
        kept[key] = kept.get(key, "")[:length]
        text = _compact(kept)
    return text


def _compact(values: Json) -> str:
    filled = {key: value for key, value in values.items() if value}
    return json.dumps(filled, separators=(",", ":"), ensure_ascii=False)


def hold_from_metadata(metadata: Json) -> Hold | None:
    """The hold; None where there is none. One that cannot be read is somebody's, nobody knows whose."""
    text = metadata.get(HOLD_KEY)
    if text is None:
        return None
    try:
        found = json.loads(text)
        hold = Hold.from_flat(found)
    except (AttributeError, TypeError, ValueError):
        hold = None
    return hold or Hold(owner=f"nobody knows whom ({printable(str(text), limit=60)})")


def disk_facts_in(metadata: Json) -> DiskFacts | None:
    """What the marker says of the disks; None where it says nothing."""
    try:
        found = json.loads(metadata[METADATA_KEY])
        hidden, shared = found["hidden"] == "1", str(found["shared"])
    except (KeyError, TypeError, ValueError):
        return None
    return DiskFacts(hidden=hidden, shared=None if shared == _ALL else frozenset(shared.split()))


def marker_from_metadata(metadata: Json) -> NovaMarker | None:
    """The marker; None where there is none, or none that makes sense: in RESCUE nobody could put it right."""
    try:
        found = json.loads(metadata[METADATA_KEY])
        if found["version"] != _SCHEMA:
            return None
        return NovaMarker(
            id=str(found["id"]),
            image=str(found["image"]),
            asked=str(found.get("asked", "")),
            image_size=str(found.get("size", "")),
            since=str(found["since"]),
            power=str(found["power"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def is_partial(server: Json) -> bool:
    """Whether that is all that Nova knows of a server whose cell does not answer (api-ref, Handling Down Cells)."""
    return "name" not in server


def situation(server: Json, *, disks: DiskFacts | None = None) -> NovaSituation:
    """A server as Nova shows it (api-ref, Show Server Details)."""
    vm_state = str(server.get("OS-EXT-STS:vm_state") or "")
    task_state = server.get("OS-EXT-STS:task_state")
    power_state = _POWER.get(t.cast("int", server.get("OS-EXT-STS:power_state")), "unknown")
    marker = marker_from_metadata(server.get("metadata") or {})
    return NovaSituation(
        name=str(server["name"]),
        id=str(server["id"]),
        provider="openstack",
        status=str(server["status"]),
        power_state=power_state,
        runs=_RUNS.get(vm_state, "off"),
        task_state=task_state,
        marker=marker,
        hold=hold_from_metadata(server.get("metadata") or {}),
        disks=tuple(_disks(server, disks or DiskFacts())),
        reach=_reach(server),
        vm_state=vm_state,
        fault=str((server.get("fault") or {}).get("message") or ""),
        declared=state_of(vm_state=vm_state, task_state=task_state, power_state=power_state, marked=marker is not None),
    )


def _reach(server: Json) -> dict[str, t.Any]:
    """How a system on the server is reached: by the addresses of the server, with the key pair of the server."""
    addresses = [
        {"network": network, "address": port.get("addr"), "type": port.get("OS-EXT-IPS:type")}
        for network, ports in (server.get("addresses") or {}).items()
        for port in ports
    ]
    return {
        "addresses": addresses,
        "access_ipv4": server.get("accessIPv4") or None,
        "access_ipv6": server.get("accessIPv6") or None,
        "key_name": server.get("key_name"),
        "config_drive": bool(server.get("config_drive")),
    }


def volumes_of(server: Json) -> list[str]:
    """IDs of the attached volumes, the root disk included where it is one."""
    return [str(volume["id"]) for volume in server.get("os-extended-volumes:volumes_attached") or []]


def _disks(server: Json, facts: DiskFacts) -> t.Iterator[dict[str, t.Any]]:
    """The volumes, then what else the flavor gives beside the root disk, of which Nova tells nothing more."""
    for volume in volumes_of(server):
        # A guest sees a volume's ID as its serial number, of which virtio-blk leaves 20 characters.
        device = f"/dev/disk/by-id/virtio-{volume[:20]}"
        hidden = facts.hidden and bool(server.get("image"))
        yield _disk(volume, device=device, serial=volume, hidden=hidden, shared=facts.is_shared(volume))
    for extra in local_extras_of(server):
        yield _disk(extra, device=None, serial=None, hidden=facts.hidden, shared=False)


def local_extras_of(server: Json) -> list[str]:
    """``ephemeral`` and ``swap``, where the flavor gives such disks."""
    flavor = server.get("flavor") or {}
    return [kind for kind in ("ephemeral", "swap") if int(flavor.get(kind) or 0)]


def _disk(source: str, *, device: str | None, serial: str | None, hidden: bool, shared: bool) -> dict[str, t.Any]:
    return {
        "target": None,
        "bus": None,
        "kind": "disk",
        "source": source,
        "format": None,
        "serial": serial,
        "read_only": False,
        "device": None if hidden else device,
        "hidden": hidden,
        "shared": shared,
    }


def _version(text: t.Any) -> tuple[int, int]:
    try:
        major, _dot, minor = str(text).partition(".")
        return int(major), int(minor)
    except ValueError:
        return 2, 1


def versions_in(document: t.Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Lowest and highest microversion in a version document of Nova; 2.1 where it names none."""
    document = document if isinstance(document, dict) else {}
    entries = [document["version"]] if isinstance(document.get("version"), dict) else document.get("versions") or []
    for entry in entries:
        if isinstance(entry, dict) and str(entry.get("id", "")).startswith("v2.1"):
            return _version(entry.get("min_version")), _version(entry.get("version"))
    return (2, 1), (2, 1)
