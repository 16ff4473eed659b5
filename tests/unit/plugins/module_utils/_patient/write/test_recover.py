# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What killed runs have left is found, here and on the patient, and brought to its end."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import bundles, recover

from .fakes import PlainView, as_view, killed


def make(view: PlainView) -> t.Callable[[bool], t.Any]:
    def made(trial: bool) -> t.Any:
        view.is_trial = trial
        return as_view(view)

    return made


@pytest.mark.parametrize(("when", "said"), [("before", "had not been written yet"), ("after", "was written")])
@pytest.mark.parametrize("where", ["here", "on the patient"])
def test_it_is_brought_to_its_end(view: PlainView, store: pathlib.Path, when: str, said: str, where: str) -> None:
    undo = killed(view, when=when)
    if where == "here":
        (told,) = recover.finish_here(make(view), check=False)
    else:
        shutil.rmtree(store)
        view.mount()
        assert bundles.unfinished_on_patient(as_view(view)) == [undo]
        view.reset()
        (told,) = recover.finish_on_patient(make(view), [undo], check=False)
    assert told["undo"] == undo
    assert said in told["done"][0]
    assert view.left() == []
    assert view.copies() == ([] if when == "before" else ["data/1", "manifest.json"])
    assert recover.finish_here(make(view), check=False) == []
    view.mount()
    assert bundles.unfinished_on_patient(as_view(view)) == []
    assert [bundle.state for bundle in bundles.here()] == ([] if when == "before" else ["kept"])


def test_in_check_mode_it_is_told_only(view: PlainView) -> None:
    undo = killed(view, when="before")
    assert bundles.unfinished(as_view(view)) == [undo]
    (told,) = recover.finish_here(make(view), check=True)
    assert "would be brought to its end" in told["done"][0]
    assert len(view.left()) == 1


def test_bundles_of_other_patients_are_left_alone(view: PlainView) -> None:
    killed(view, when="after")
    bundle = bundles.here()[0]
    bundle.entries[0].filesystem = "another-uuid"
    bundle.save()
    assert recover.finish_here(make(view), check=False) == []
    assert bundles.here()[0].state == "unfinished"


def test_a_broken_copy_hinders_nothing(view: PlainView, store: pathlib.Path) -> None:
    undo = killed(view, when="after")
    shutil.rmtree(store)
    base = view.folder / "var/lib/openrescue/undo"
    (base / undo / "data/1").write_text("of another size")
    (base / "20200101T000000Z-0badcafe").mkdir()
    view.put("/var/lib/openrescue/undo/20210101T000000Z-0badcafe/manifest.json", "[")
    view.mount()
    assert bundles.unfinished_on_patient(as_view(view)) == ["20200101T000000Z-0badcafe", undo]
    assert any("20210101T000000Z-0badcafe" in note for note in view.patient.notes)
    told = recover.finish_on_patient(make(view), [undo], check=False)
    assert [item["undo"] for item in told] == [undo, "20200101T000000Z-0badcafe"]
    assert "another size" in told[0]["done"][0]
    assert told[1]["done"] == ["the remains of a killed run were removed"]
    assert not (base / "20200101T000000Z-0badcafe").exists()
