# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forbids to rescue a server, and what a user should know before.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._server.model import Problem

if t.TYPE_CHECKING:
    from .._server.model import Wish
    from .model import LibvirtSituation

__all__ = ("Facts", "blockers", "warnings")


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a hypervisor knows of a server beyond its situation."""

    persistent: bool = True
    owned_by_nova: bool = False
    managed_save: bool = False
    block_jobs: tuple[str, ...] = ()
    busy: bool = False
    #: what is wrong with the rescue image, where something is
    image_problem: Problem | None = None
    #: what libvirt says against the temporary definition, where it says something
    definition_problem: str = ""
    image_is_disk: str = ""
    image_is_backing: str = ""
    not_read_only: tuple[str, ...] = ()
    #: disks that other servers may use at the same time, and those of them that cannot be attached read-only
    shared_disks: tuple[str, ...] = ()
    shared_writable: tuple[str, ...] = ()
    #: disks whose changes are dropped when the server is switched off
    transient_disks: tuple[str, ...] = ()
    live_only_disks: tuple[str, ...] = ()
    internal_snapshots: int = 0
    tpm: bool = False
    host_devices: int = 0
    secure_boot: bool = False


_Check = t.Callable[["LibvirtSituation", "Wish", Facts], t.Optional[Problem]]


def _persistent(now: LibvirtSituation, _wish: Wish, facts: Facts) -> Problem | None:
    if facts.persistent:
        return None
    if now.marker is not None:
        return Problem(
            "definition_gone",
            "its persistent definition was removed while it was rescued",
            "Define it again (virsh define), then run this again",
        )
    return Problem(
        "transient",
        "it is a transient domain: what is switched off would be gone",
        "Make it persistent first: virsh dumpxml --security-info, then virsh define",
    )


def _nova(_now: LibvirtSituation, _wish: Wish, facts: Facts) -> Problem | None:
    if not facts.owned_by_nova:
        return None
    return Problem(
        "owned_by_nova",
        "it belongs to OpenStack's Nova, which would undo or break this",
        "Rescue it through OpenStack (provider: openstack)",
    )


def _managed_save(_now: LibvirtSituation, _wish: Wish, facts: Facts) -> Problem | None:
    if not facts.managed_save:
        return None
    return Problem(
        "managed_save_image",
        "its memory is saved on the host (managed save) and would be resumed over a disk that has changed",
        "Start it and shut it down properly, or drop the saved memory: virsh managedsave-remove",
    )


def _jobs(_now: LibvirtSituation, _wish: Wish, facts: Facts) -> Problem | None:
    if facts.block_jobs:
        return Problem(
            "block_job",
            f"a block job is active on {', '.join(facts.block_jobs)}",
            "Wait for its end, or end it: virsh blockjob --abort",
        )
    if facts.busy:
        return Problem(
            "busy",
            "a job such as a migration, a backup or a memory dump is active",
            "Wait for its end, or end it: virsh domjobabort",
        )
    return None


def _status(now: LibvirtSituation, wish: Wish, _facts: Facts) -> Problem | None:
    if wish.state == "rescued" and now.runs == "own" and now.status in ("paused", "pmsuspended"):
        verb = "resume" if now.status == "paused" else "dompmwakeup"
        return Problem(
            now.status,
            f"it is {now.status}: it cannot be asked to shut down",
            f"Wake it (virsh {verb}), or switch it off (virsh destroy), then run this again",
        )
    return None


def _foreign(now: LibvirtSituation, _wish: Wish, _facts: Facts) -> Problem | None:
    if now.runs != "foreign":
        return None
    return Problem(
        "foreign_definition",
        "it runs from a temporary definition that somebody else started it from, such as an installation",
        "Let that end, or switch the server off (virsh destroy), then run this again",
    )


def _image(_now: LibvirtSituation, wish: Wish, facts: Facts) -> Problem | None:
    if wish.state != "rescued":
        return None
    if facts.image_problem is not None:
        return facts.image_problem
    if facts.image_is_disk:
        return Problem(
            "image_is_disk",
            f"the rescue image is its own disk {facts.image_is_disk}",
            "Give another rescue_image",
        )
    return None


def _read_only(_now: LibvirtSituation, wish: Wish, facts: Facts) -> Problem | None:
    if wish.state != "rescued" or wish.disk_access != "read_only" or not facts.not_read_only:
        return None
    return Problem(
        "read_only_impossible",
        f"{', '.join(facts.not_read_only)} cannot be attached read-only: {_WHY_NOT_READ_ONLY}",
        "Use disk_access: read_write; disk_diagnose does not write either",
    )


def _shared(_now: LibvirtSituation, wish: Wish, facts: Facts) -> Problem | None:
    if wish.state != "rescued" or not facts.shared_writable:
        return None
    return Problem(
        "shared_writable",
        f"{', '.join(facts.shared_writable)} is shared with other servers (shareable) and cannot be attached read-only:"
        f" {_WHY_NOT_READ_ONLY}",
        "Detach it for the time of the rescue (virsh detach-disk --config), or put it on another bus",
    )


_WHY_NOT_READ_ONLY = "QEMU has no read-only disks on IDE, SATA and vhost-user"


def _definition(_now: LibvirtSituation, _wish: Wish, facts: Facts) -> Problem | None:
    if not facts.definition_problem:
        return None
    return Problem(
        "definition_refused",
        f"libvirt refuses the definition for the rescue system: {facts.definition_problem}",
        "Try another rescue_bus or rescue_device",
    )


_BLOCKERS: tuple[_Check, ...] = (
    _nova,
    _persistent,
    _foreign,
    _status,
    _managed_save,
    _jobs,
    _image,
    _read_only,
    _shared,
    _definition,
)


def blockers(now: LibvirtSituation, wish: Wish, facts: Facts) -> list[Problem]:
    """Everything that stands in the way."""
    return [problem for problem in (check(now, wish, facts) for check in _BLOCKERS) if problem]


def warnings(now: LibvirtSituation, wish: Wish, facts: Facts) -> list[Problem]:
    """What a user should know before the server is rescued, or given back its own system."""
    if now.marker is not None:
        return _changed_meanwhile(now)
    if wish.state != "rescued":
        return []
    table = (*_about_disks(facts), *_about_kinds_of_disks(wish, facts), *_about_machine(wish, facts))
    return [problem for applies, problem in table if applies]


def _about_disks(facts: Facts) -> tuple[tuple[object, Problem], ...]:
    """Warnings, each behind what makes it apply."""
    return (
        (
            facts.image_is_backing,
            Problem(
                "same_image",
                "the rescue image is also the base of its own disk: both carry the same UUIDs and labels",
                "Use another image, or look twice which one is mounted",
            ),
        ),
        (
            facts.internal_snapshots,
            Problem(
                "internal_snapshots",
                f"its disks hold {facts.internal_snapshots} internal snapshots, which repairs do not reach",
                "Do not revert to one of them without thinking of that",
            ),
        ),
        (
            facts.live_only_disks,
            Problem(
                "live_only_disks",
                f"{', '.join(facts.live_only_disks)} was attached to the running server only and will be gone",
                "Attach it permanently (virsh attach-device --config) to see it in the rescue system and after",
            ),
        ),
    )


def _about_kinds_of_disks(wish: Wish, facts: Facts) -> tuple[tuple[object, Problem], ...]:
    return (
        (
            facts.shared_disks,
            Problem(
                "shared_disks",
                f"{', '.join(facts.shared_disks)} is shared with other servers (shareable): it is attached read-only,"
                " and what seems wrong on it may be what another server is just writing",
                "Repair what is on it from the server that has it mounted",
            ),
        ),
        (
            facts.transient_disks and wish.disk_access != "read_only",
            Problem(
                "transient_disks",
                f"{', '.join(facts.transient_disks)} is transient: what is written to it is dropped when the server is"
                " switched off, and so is every repair",
                "To repair it for good, take <transient/> out of its definition first (virsh edit)",
            ),
        ),
    )


def _about_machine(wish: Wish, facts: Facts) -> tuple[tuple[object, Problem], ...]:
    return (
        (
            facts.tpm,
            Problem(
                "tpm",
                "it has a TPM: the rescue system measures other values than the server does",
                "Secrets sealed to the server's boot stay closed in the rescue system",
            ),
        ),
        (
            facts.host_devices,
            Problem("host_devices", f"{facts.host_devices} host devices are passed to the rescue system as well"),
        ),
        (
            facts.secure_boot,
            Problem(
                "secure_boot",
                "its firmware may enforce Secure Boot",
                "Use a signed rescue image, or rescue_kernel from one",
            ),
        ),
        (
            wish.admin_password,
            Problem("admin_password_ignored", "admin_password is ignored on libvirt", "Use ssh_authorized_keys"),
        ),
    )


def _changed_meanwhile(now: LibvirtSituation) -> list[Problem]:
    if now.marker is None or now.marker.definition == now.definition:
        return []
    return [
        Problem(
            "definition_changed",
            "somebody has changed its persistent definition while it was rescued",
            "It starts from the changed one",
        )
    ]
