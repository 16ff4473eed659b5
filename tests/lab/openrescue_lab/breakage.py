# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Breakages: small named files that turn a healthy disk into a broken one."""

from __future__ import annotations

import dataclasses
import importlib.util
import pathlib
import typing as t

from .base import LAB_DIR, LabError
from .disk import Disk

BREAKAGES = LAB_DIR / "breakages"


@dataclasses.dataclass(frozen=True)
class Breakage:
    """What one file of breakages/ says."""

    name: str
    summary: str
    faults: tuple[str, ...]
    boots: bool
    console: str
    apply: t.Callable[[Disk], None]


def load(name: str) -> Breakage:
    """The breakage of this name (its file has underscores for hyphens)."""
    path = BREAKAGES / (name.replace("-", "_") + ".py")
    spec = importlib.util.spec_from_file_location(f"openrescue_breakage_{path.stem}", path)
    if not path.exists() or spec is None or spec.loader is None:
        raise LabError(f"no breakage '{name}'; there are: {', '.join(names())}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Breakage(
        name=name,
        summary=module.SUMMARY,
        faults=tuple(module.FAULTS),
        boots=module.BOOTS,
        console=module.CONSOLE,
        apply=module.apply,
    )


def names() -> list[str]:
    """All breakages."""
    return sorted(path.stem.replace("_", "-") for path in BREAKAGES.glob("*.py") if path.stem != "__init__")


def apply(name: str, disk: pathlib.Path) -> Breakage:
    """Break a disk that no guest uses now."""
    breakage = load(name)
    breakage.apply(Disk(disk))
    return breakage
