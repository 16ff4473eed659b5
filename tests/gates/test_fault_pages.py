# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No page of a fault is stale, missing, or left behind."""

from __future__ import annotations

import fault_pages

ROOT = fault_pages.ROOT
FAULTS = ROOT / "docs/docsite/rst/faults"


def test_every_page_is_what_make_docs_would_write() -> None:
    made = fault_pages.pages()
    there = {path: (ROOT / path).read_text(encoding="utf-8") for path in made if (ROOT / path).exists()}
    stale = sorted(str(path) for path, text in made.items() if there.get(path) != text)
    assert not stale, "run make docs"


def test_no_page_is_left_of_a_fault_that_is_gone() -> None:
    there = {path.relative_to(ROOT) for path in FAULTS.glob("*")}
    assert there <= set(fault_pages.pages()), "run make docs"
    assert len(there) >= 13


def test_a_page_says_all_there_is_to_say() -> None:
    text = (FAULTS / "fstab-missing-device.rst").read_text(encoding="utf-8")
    for title in ("What the server does", "How it is found", "Where it is looked for", "The remedy", "Taking it back"):
        assert f"\n{title}\n---" in text
    assert "Timed out waiting for device" in text


def test_a_fault_without_a_remedy_says_so() -> None:
    text = (FAULTS / "space-inodes.rst").read_text(encoding="utf-8")
    assert "There is none" in text
    assert "Whether it is safe" not in text
