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

from .._errors import OpenRescueError
from .._server.model import Problem
from .preflight import NovaFacts
from .server import Json, volumes_of

if t.TYPE_CHECKING:
    from .._server.model import Wish
    from .provider import OpenStackProvider

__all__ = ("find_image", "nova_facts")

#: up to so many volumes are asked for one by one
_FEW = 2


def find_image(provider: OpenStackProvider, asked: str) -> Json:
    """The one image of that ID or name."""
    by_id = _image_by_id(provider, asked)
    if by_id is not None:
        return by_id
    wanted = urllib.parse.quote(asked, safe="")
    found = _glance(provider, f"/images?name={wanted}", holds="images").json()["images"]
    if len(found) == 1:
        return t.cast("Json", found[0])
    if found:
        raise OpenRescueError(
            "rescue_image fits several images: "
            + ", ".join(f"'{one['name']}' ({one['id']}, {one['status']})" for one in found),
            code="image_not_unique",
            hint="Give the ID",
            step="look for the rescue image",
        )
    raise OpenRescueError(
        f"there is no image of the name or ID '{asked}' that this project may use",
        code="image_missing",
        hint="'openstack image list' shows what there is",
        step="look for the rescue image",
    )


def _image_by_id(provider: OpenStackProvider, asked: str) -> Json | None:
    try:
        key = str(uuid.UUID(asked))
    except ValueError:
        return None
    try:
        return t.cast("Json", _glance(provider, f"/images/{key}", holds="id").json())
    except OpenRescueError as exc:
        if exc.code != "not_found":
            raise
        return None


def _glance(provider: OpenStackProvider, path: str, *, holds: str) -> t.Any:
    return provider.connection.call(
        "GET", "image", path, step="look for the image", deadline=provider.deadline, holds=holds
    )


def nova_facts(provider: OpenStackProvider, server: Json, wish: Wish) -> NovaFacts:
    """Everything that the checks want to know, with as few calls as that takes."""
    volumes = volumes_of(server)
    volume_backed = not server.get("image")
    flavor = server.get("flavor") or {}
    values: dict[str, t.Any] = {
        "launched": bool(server.get("OS-SRV-USG:launched_at")),
        "locked": bool(server.get("locked")),
        "admin": "admin" in provider.connection.roles,
        "volume_backed": volume_backed,
        "microversion": provider.microversion,
        "volumes": len(volumes) - volume_backed,
        "local_extra": int(flavor.get("ephemeral") or 0) + int(flavor.get("swap") or 0),
    }
    if wish.state != "rescued":
        return NovaFacts(**values)
    own = {} if volume_backed else _own_properties(provider, server, wish)
    extra = flavor.get("extra_specs") or {}
    values.update(
        own_image="" if volume_backed else str(server["image"]["id"]),
        own_properties=own,
        vtpm=any(key in extra for key in ("hw:tpm_version", "hw:tpm_model"))
        or any(key in (own or {}) for key in ("hw_tpm_version", "hw_tpm_model")),
        volumes_not_in_use=tuple(_not_in_use(provider, volumes)),
    )
    if wish.image:
        try:
            values["image"] = find_image(provider, wish.image)
        except OpenRescueError as exc:
            if exc.code not in ("image_missing", "image_not_unique"):
                raise
            values["image_problem"] = Problem(exc.code, exc.message, exc.hint)
    return NovaFacts(**values)


def _own_properties(provider: OpenStackProvider, server: Json, wish: Wish) -> Json | None:
    """Properties of the image that the server was built from; None where that image is needed and gone.

    What Nova has kept of them since 2.98 lacks ``kernel_id``, so Glance is asked.
    """
    image = server["image"]
    found = _image_by_id(provider, str(image["id"]))
    if found is None:
        return (image.get("properties") or {}) if wish.image else None
    return found


def _not_in_use(provider: OpenStackProvider, volumes: t.Sequence[str]) -> t.Iterator[str]:
    for volume in _volumes(provider, volumes):
        if volume["id"] in volumes and volume["status"] != "in-use":
            yield f"{volume['id']} ({volume['status']})"


def _volumes(provider: OpenStackProvider, volumes: t.Sequence[str]) -> list[Json]:
    def cinder(path: str, holds: str) -> t.Any:
        answer = provider.connection.call(
            "GET", "block-storage", path, step="look at its volumes", deadline=provider.deadline, holds=holds
        )
        return answer.json()[holds]

    if len(volumes) <= _FEW:
        return [cinder(f"/volumes/{volume}", "volume") for volume in volumes]
    return t.cast("list[Json]", cinder("/volumes/detail", "volumes"))
