# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preflight asks of Glance and Cinder.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t
import urllib.parse
import uuid

from .._server.model import Problem
from .errors import CloudError, NotFound
from .preflight import NovaFacts
from .server import Json, local_extras_of, volumes_of

if t.TYPE_CHECKING:
    from .._server.model import Wish
    from .session import OpenStackSession

__all__ = ("ImageMissing", "ImageNotUnique", "find_image", "nova_facts", "shared_volumes")

#: up to so many volumes are asked for one by one
_FEW = 2


class ImageMissing(CloudError):
    """There is no such image for this project."""

    code = "image_missing"


class ImageNotUnique(CloudError):
    """There are several images of that name."""

    code = "image_not_unique"


#: By name: what Glance lists, then hidden images, which are still there for who knows of them.
_LISTS = ("", "&os_hidden=true")


def find_image(session: OpenStackSession, asked: str) -> Json:
    """The one image of that ID or name.

    A community image, which anybody may publish under any name, is taken by its ID, or where it is this project's own.
    """
    by_id = _image_by_id(session, asked)
    if by_id is not None:
        return by_id
    for more in _LISTS:
        found = _images(session, asked, more)
        if found:
            return _only(found)
    theirs = []
    for more in _LISTS:
        community = _images(session, asked, f"&visibility=community{more}")
        ours = [image for image in community if image.get("owner") == session.connection.project]
        if ours:
            return _only(ours)
        theirs += community
    known = "; ".join(f"there is a community image of project {one.get('owner')}, {one['id']}" for one in theirs[:3])
    raise ImageMissing(
        f"there is no image of the name or ID '{asked}' that this project may use" + (f" ({known})" if known else ""),
        hint=(
            "Give the ID of a community image that you trust: anybody may publish one under any name"
            if theirs
            else "'openstack image list' shows what there is"
        ),
        step="look for the rescue image",
    )


def _images(session: OpenStackSession, name: str, more: str) -> list[Json]:
    wanted = urllib.parse.quote(name, safe="")
    return t.cast("list[Json]", _glance(session, f"/images?name={wanted}{more}", holds="images").json()["images"])


def _only(found: t.Sequence[Json]) -> Json:
    if len(found) == 1:
        return found[0]
    raise ImageNotUnique(
        "rescue_image fits several images: "
        + ", ".join(f"'{one['name']}' ({one['id']}, {one['status']})" for one in found),
        hint="Give the ID",
        step="look for the rescue image",
    )


def _image_by_id(session: OpenStackSession, asked: str) -> Json | None:
    try:
        key = str(uuid.UUID(asked))
    except ValueError:
        return None
    try:
        return t.cast("Json", _glance(session, f"/images/{key}", holds="id").json())
    except NotFound:
        return None


def _glance(session: OpenStackSession, path: str, *, holds: str) -> t.Any:
    return session.connection.call(
        "GET", "image", path, step="look for the image", deadline=session.deadline, holds=holds
    )


def nova_facts(session: OpenStackSession, server: Json, wish: Wish) -> NovaFacts:
    """Everything that the checks want to know, with as few calls as that takes."""
    volumes = volumes_of(server)
    volume_backed = not server.get("image")
    values: dict[str, t.Any] = {
        "launched": bool(server.get("OS-SRV-USG:launched_at")),
        "locked": bool(server.get("locked")),
        "admin": "admin" in session.connection.roles,
        "volume_backed": volume_backed,
        "microversion": session.microversion,
        "volumes": len(volumes) - volume_backed,
        "local_extra": bool(local_extras_of(server)),
    }
    if wish.state != "rescued":
        return NovaFacts(**values)
    attached = [volume for volume in _volumes(session, volumes) if volume["id"] in volumes]
    values.update(
        _about_images(session, server, wish),
        volumes_not_in_use=tuple(f"{one['id']} ({one['status']})" for one in attached if one["status"] != "in-use"),
        volumes_shared=tuple(str(one["id"]) for one in attached if one.get("multiattach")),
    )
    return NovaFacts(**values)


def shared_volumes(session: OpenStackSession, volumes: t.Sequence[str]) -> frozenset[str] | None:
    """Volumes that can be attached to several servers at once; None where that cannot be asked."""
    try:
        return frozenset(str(one["id"]) for one in _volumes(session, volumes) if one.get("multiattach"))
    except CloudError:
        return None


def _about_images(session: OpenStackSession, server: Json, wish: Wish) -> dict[str, t.Any]:
    """The image that the server was built from, and the one that Nova boots for its rescue."""
    own_id = str((server.get("image") or {}).get("id") or "")
    own = _image_by_id(session, own_id) if own_id else None
    # What Nova has kept of its properties since 2.98 lacks kernel_id, so Glance is asked.
    properties = own or (server.get("image") or {}).get("properties") or {}
    extra = (server.get("flavor") or {}).get("extra_specs") or {}
    values: dict[str, t.Any] = {
        "own_image": own_id,
        "own_properties": properties,
        "vtpm": any(key in extra for key in ("hw:tpm_version", "hw:tpm_model"))
        or any(key in properties for key in ("hw_tpm_version", "hw_tpm_model")),
    }
    if not wish.image:
        # A server that was built from a snapshot is rescued with the image that the snapshot's server was built from.
        base = str((own or {}).get("base_image_ref") or own_id)
        booted = own if base == own_id else _image_by_id(session, base)
        return {**values, "booted": booted, "base_image": base}
    try:
        image = find_image(session, wish.image)
    except (ImageMissing, ImageNotUnique) as exc:
        return {**values, "image_problem": Problem(exc.code, exc.message, exc.hint)}
    return {**values, "image": image, "booted": image}


def _volumes(session: OpenStackSession, volumes: t.Sequence[str]) -> list[Json]:
    def cinder(path: str, holds: str) -> t.Any:
        answer = session.connection.call(
            "GET", "block-storage", path, step="look at its volumes", deadline=session.deadline, holds=holds
        )
        return answer.json()[holds]

    listed: list[Json] = cinder("/volumes/detail", "volumes") if len(volumes) > _FEW else []
    # A list is cut at what the cloud thinks is enough.
    missing = [volume for volume in volumes if volume not in {one["id"] for one in listed}]
    return [*listed, *(cinder(f"/volumes/{volume}", "volume") for volume in missing)]
