# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forbids Nova to rescue a server, and what a user should know before.

The refusals are those of Nova 34 (``nova/compute/api.py``, ``rescue``) and of its libvirt driver; several of them Nova
itself tells only after it has switched the server off, or never.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._server.model import Problem
from .server import DiskFacts

if t.TYPE_CHECKING:
    from .._server.model import Wish
    from .model import NovaSituation

__all__ = ("BOOT_FROM_VOLUME", "NovaFacts", "blockers", "disk_facts", "stable", "warnings")

#: the first microversion in which a server that boots from a volume can be rescued
BOOT_FROM_VOLUME = (2, 87)
#: image properties that ask for a rescue that keeps the server's own devices where they are
STABLE = ("hw_rescue_device", "hw_rescue_bus")

#: vm_state -> code, way out
_STATES = {
    "paused": ("paused", "Unpause it first (openstack server unpause)"),
    "suspended": ("suspended", "Resume it first (openstack server resume)"),
    "shelved": ("shelved", "Unshelve it first (openstack server unshelve)"),
    "shelved_offloaded": ("shelved", "Unshelve it first (openstack server unshelve)"),
    "resized": ("resized", "Confirm or revert the resize first (openstack server resize confirm, or revert)"),
    "building": ("building", "Wait until it is built"),
    "soft-delete": ("deleted", "Restore it first (openstack server restore)"),
    "deleted": ("deleted", "It is gone"),
}


@dataclasses.dataclass(frozen=True)
class NovaFacts:
    """What the cloud says of a server and of the rescue image, beyond its situation."""

    launched: bool = True
    locked: bool = False
    admin: bool = False
    #: whether the root disk is a volume
    volume_backed: bool = False
    microversion: tuple[int, int] = (2, 1)
    #: attached volumes that are not ``in-use``, each with its status, and those that other servers may have as well
    volumes_not_in_use: tuple[str, ...] = ()
    volumes_shared: tuple[str, ...] = ()
    #: how many volumes besides the root disk are attached; whether the flavor gives ephemeral or swap disks
    volumes: int = 0
    local_extra: bool = False
    vtpm: bool = False
    #: ID of the image that the server was built from, and what is known of its properties
    own_image: str = ""
    own_properties: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    #: the rescue image as Glance shows it
    image: t.Mapping[str, t.Any] | None = None
    image_problem: Problem | None = None
    #: the image that Nova boots, as Glance shows it; without a rescue image the base image, None where that is gone
    booted: t.Mapping[str, t.Any] | None = None
    base_image: str = ""
    #: whether a rescue has failed and left its definition in place of the server's own
    failed_rescue: bool = False


_Check = t.Callable[["NovaSituation", "Wish", NovaFacts], t.Optional[Problem]]


def stable(facts: NovaFacts) -> bool:
    """Whether the rescue system is attached beside the server's own devices, and not in their place."""
    return any((facts.booted or facts.own_properties).get(key) for key in STABLE)


def disk_facts(facts: NovaFacts) -> DiskFacts:
    """What the rescue system will see of the disks."""
    return DiskFacts(hidden=not stable(facts), shared=frozenset(facts.volumes_shared))


def _state(now: NovaSituation, _wish: Wish, _facts: NovaFacts) -> Problem | None:
    if now.vm_state in ("active", "stopped", "error", "rescued"):
        return None
    code, hint = _STATES.get(now.vm_state, ("wrong_state", "Bring it to ACTIVE or SHUTOFF first"))
    return Problem(
        code,
        f"it is {now.status} (vm_state {now.vm_state}), and Nova rescues only from ACTIVE, SHUTOFF and ERROR",
        hint,
    )


def _launched(now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    if facts.launched or now.vm_state != "error":
        return None
    return Problem("never_launched", "it has never run, so there is nothing to rescue", "Delete it and create it again")


def _locked(_now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    if not facts.locked or facts.admin:
        return None
    return Problem("locked", "it is locked", "Unlock it first (openstack server unlock), or ask who has locked it")


def _options(_now: NovaSituation, wish: Wish, _facts: NovaFacts) -> Problem | None:
    given = [
        option
        for option, value in (
            ("ssh_authorized_keys", wish.ssh_authorized_keys),
            ("user_data", wish.user_data),
            ("rescue_kernel", wish.kernel),
            ("rescue_device", wish.device),
            ("rescue_bus", wish.bus),
            ("disk_access", wish.disk_access != "read_write"),
        )
        if value
    ]
    if not given:
        return None
    return Problem(
        "option_not_on_openstack",
        f"Nova takes no {', '.join(given)}: the rescue system gets the key pair and the user data of the server itself",
        "Leave it out; device and bus are properties of the image (hw_rescue_device, hw_rescue_bus)",
    )


def _image(_now: NovaSituation, wish: Wish, facts: NovaFacts) -> Problem | None:
    if facts.image_problem is not None:
        return facts.image_problem
    if wish.image:
        return _image_content(facts)
    if facts.volume_backed or facts.booted is not None:
        return None
    return Problem(
        "base_image_gone",
        f"the image that it was built from ({facts.base_image}) is gone, and Nova would take that one",
        "Give rescue_image",
    )


def _image_content(facts: NovaFacts) -> Problem | None:
    image = facts.image or {}
    if image.get("status") != "active":
        return Problem(
            "image_not_active",
            f"the rescue image is {image.get('status')}, not active: Nova would put the server into ERROR",
            "Upload its data, or give another rescue_image",
        )
    if image.get("block_device_mapping") or image.get("img_block_device_mapping") or not image.get("size"):
        return Problem(
            "image_without_disk",
            "the rescue image holds no disk: it is the snapshot of a server that boots from a volume, or empty",
            "Give another rescue_image",
        )
    return None


def _direct_kernel(_now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    own, image = facts.own_properties, facts.image or {}
    if own.get("kernel_id") and stable(facts):
        return Problem(
            "direct_kernel_stable",
            "it boots a kernel of its own image directly: with hw_rescue_* on the rescue image that kernel would"
            " boot the server's own root, and not the rescue system",
            "Give a rescue_image without hw_rescue_device and hw_rescue_bus",
        )
    if image.get("kernel_id") and not own.get("kernel_id"):
        return Problem(
            "image_needs_kernel",
            "the rescue image boots only with a kernel beside it, which Nova takes from the server's image alone,"
            " and that has none",
            "Give a rescue_image that is a whole disk with a boot loader",
        )
    return None


def _volume_backed(_now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    if not facts.volume_backed:
        return None
    if facts.microversion < BOOT_FROM_VOLUME:
        return Problem(
            "volume_backed_microversion",
            "it boots from a volume, and this cloud cannot rescue such servers (its Compute API ends at "
            f"{facts.microversion[0]}.{facts.microversion[1]}, 2.87 is needed)",
            "Attach its volume to another server and repair it there",
        )
    properties = facts.image or facts.own_properties
    missing = [key for key in STABLE if not properties.get(key)]
    if missing:
        return Problem(
            "volume_backed_image",
            f"it boots from a volume, and the rescue image lacks the properties {' and '.join(missing)}",
            "Set both on the image, as in: openstack image set --property hw_rescue_device=disk"
            " --property hw_rescue_bus=virtio IMAGE",
        )
    return None


def _volumes(_now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    if not facts.volumes_not_in_use:
        return None
    return Problem(
        "volume_not_in_use",
        f"an attached volume is not in use: {', '.join(facts.volumes_not_in_use)}",
        "Wait until it is, or have it reset (openstack volume set --state in-use)",
    )


def _vtpm(_now: NovaSituation, _wish: Wish, facts: NovaFacts) -> Problem | None:
    if not facts.vtpm:
        return None
    return Problem(
        "vtpm",
        "it has an emulated TPM, and Nova rescues no such server",
        "Snapshot it and boot the snapshot's disk apart",
    )


_BLOCKERS: tuple[_Check, ...] = (
    _state,
    _launched,
    _locked,
    _options,
    _vtpm,
    _image,
    _volume_backed,
    _direct_kernel,
    _volumes,
)


def blockers(now: NovaSituation, wish: Wish, facts: NovaFacts) -> list[Problem]:
    """Everything that stands in the way."""
    if wish.state != "rescued":
        locked = _locked(now, wish, facts)
        return [locked] if locked else []
    return [problem for problem in (check(now, wish, facts) for check in _BLOCKERS) if problem]


def warnings(now: NovaSituation, wish: Wish, facts: NovaFacts) -> list[Problem]:
    """What a user should know before."""
    table: list[tuple[object, Problem]]
    if wish.state != "rescued":
        table = [(not wish.wait and now.vm_state == "rescued", _UNFINISHED)]
    else:
        table = _about_rescue(now, wish, facts)
    return [problem for applies, problem in table if applies]


_UNFINISHED = Problem(
    "unfinished",
    "without waiting, neither the power state from before is restored nor the note of the rescue removed",
    "Run it once more with wait: true",
)


def _about_rescue(now: NovaSituation, wish: Wish, facts: NovaFacts) -> list[tuple[object, Problem]]:
    own = bool(facts.own_image) and (not wish.image or (facts.image or {}).get("id") == facts.own_image)
    beside = stable(facts)
    hidden = [f"{facts.volumes} attached volumes"] if facts.volumes else []
    hidden += ["its ephemeral and swap disks"] if facts.local_extra else []
    will_not_see = Problem(
        "volumes_hidden",
        f"the rescue system will not see {' and '.join(hidden)}",
        "Set hw_rescue_device and hw_rescue_bus on the rescue image to see them",
    )
    return [
        (own, _SAME_IMAGE),
        (hidden and not beside, will_not_see),
        (facts.volumes_shared and beside, _shared(facts)),
        (facts.own_properties.get("kernel_id") and not beside, _KERNEL_OF_SERVER),
        (now.vm_state == "error" and facts.failed_rescue, _REBOOT_FIRST),
        (now.vm_state == "error" and now.marker is None, _NOT_REMEMBERED),
        (wish.admin_password, _PASSWORD),
    ]


def _shared(facts: NovaFacts) -> Problem:
    return Problem(
        "volumes_shared",
        "these volumes can be attached to several servers at once (multiattach), and are attached to the rescue system"
        f" as well: {', '.join(facts.volumes_shared)}",
        "Nothing on them is repaired; do not mount them writable while another server has them",
    )


_SAME_IMAGE = Problem(
    "same_image",
    "the rescue image is the server's own: both disks carry the same UUIDs and labels, and either may boot",
    "Use another image as rescue_image",
)
_KERNEL_OF_SERVER = Problem(
    "kernel_of_server",
    "it boots a kernel of its own image directly, and so will the rescue image, with root=/dev/vda",
    "Use a rescue image that is a file system without partitions",
)
_REBOOT_FIRST = Problem(
    "reboot_first",
    "a rescue has failed and left its definition in place of the server's own, which the next rescue would keep as the"
    " original: it is rebooted hard first, which boots the server's own system for a moment",
    "See that the rescue system is the one of this image: Nova may have kept the disk of the failed rescue, which an"
    " unrescue removes. See after unrescue that its own system has booted (role verify)",
)
_NOT_REMEMBERED = Problem(
    "not_remembered",
    "it is in ERROR: that it was off before is not known, if it was",
    "Stop it after unrescue, where it is to be off",
)
_PASSWORD = Problem(
    "admin_password_ignored",
    "the password reaches the rescue system by a config drive only, and cloud-init ignores it there",
    "Log in with the key pair of the server",
)
