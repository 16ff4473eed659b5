# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job

from .wire import OWN, VOLUME, Cloud, Rule, fault, image

Go = t.Callable[..., Job]

NEW = "66666666-6666-4666-8666-666666666666"
BASE = "77777777-7777-4777-8777-777777777777"


def codes(job: Job) -> tuple[list[str], list[str]]:
    """Blockers and warnings."""
    assert job.error is None, job.error
    return [one.code for one in job.blockers], [one.code for one in job.warnings]


# -- images by name


def test_a_hidden_image(cloud: Cloud, go: Go) -> None:
    cloud.images[NEW] = image(NEW, "old", os_hidden=True)
    assert codes(go("rescued", "old", look=True)) == ([], [])


def test_a_community_image_of_ones_own(cloud: Cloud, go: Go) -> None:
    cloud.images[NEW] = image(NEW, "ours", visibility="community")
    assert codes(go("rescued", "ours", look=True)) == ([], [])


def test_a_community_image_of_anybody_is_named_and_not_taken(cloud: Cloud, go: Go) -> None:
    cloud.images[NEW] = image(NEW, "theirs", visibility="community", owner="p-2")
    job = go("rescued", "theirs", look=True)
    assert codes(job)[0] == ["image_missing"]
    assert NEW in job.blockers[0].message and "p-2" in job.blockers[0].message
    assert codes(go("rescued", NEW, look=True)) == ([], []), "who gives the ID knows what it is"


def test_what_is_listed_goes_first(cloud: Cloud, go: Go) -> None:
    cloud.images[NEW] = image(NEW, "rescue", os_hidden=True)
    cloud.images[BASE] = image(BASE, "rescue", visibility="community")
    assert codes(go("rescued", "rescue", look=True)) == ([], [])
    assert len([one for one in cloud.wire if "/images?" in one]) == 1


def test_images_of_one_name(cloud: Cloud, go: Go) -> None:
    cloud.images[NEW] = image(NEW, "rescue")
    assert codes(go("rescued", "rescue", look=True))[0] == ["image_not_unique"]
    assert codes(go("rescued", "none", look=True))[0] == ["image_missing"]


# -- the image that Nova takes by itself


def test_a_server_from_a_snapshot_is_rescued_with_the_base_of_that(cloud: Cloud, go: Go) -> None:
    cloud.images[OWN]["base_image_ref"] = BASE
    assert codes(go("rescued", look=True))[0] == ["base_image_gone"]
    cloud.images[BASE] = image(BASE, "base", virtual_size=5000)
    job = go("rescued")
    assert job.error is None
    assert job.after is not None and job.after.marker is not None
    assert job.after.marker.image_size == "5000"


# -- volumes


def test_volumes_that_several_servers_may_have(cloud: Cloud, go: Go) -> None:
    cloud.attach(VOLUME, multiattach=True)
    assert codes(go("rescued", "rescue", look=True)) == ([], ["volumes_hidden"])
    cloud.images[OWN].update(hw_rescue_device="disk", hw_rescue_bus="virtio")
    blockers, warnings = codes(go("rescued", look=True))
    assert (blockers, sorted(warnings)) == ([], ["same_image", "volumes_shared"])


def test_a_list_of_volumes_that_is_cut_short(cloud: Cloud, go: Go) -> None:
    """A cloud lists so many and no more: what is missing is asked for by itself."""
    volumes = [f"{number}4444444-4444-4444-8444-444444444444" for number in range(4)]
    for volume in volumes:
        cloud.attach(volume)
    last = cloud.volumes[volumes[-1]]
    last["status"] = "error"
    rest = {"volumes": [cloud.volumes[volume] for volume in volumes[:-1]]}
    cloud.rules.append(Rule(r"/volumes/detail", answer=fault(200)))
    cloud.rules[-1].answer.text = __import__("json").dumps(rest)  # type: ignore[union-attr]
    assert codes(go("rescued", "rescue", look=True))[0] == ["volume_not_in_use"]
