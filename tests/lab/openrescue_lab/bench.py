# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""How long the rescue system boots, as a ratio to a plain image of the same packages, measured in one run."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import statistics
import time
import typing as t

from . import daemon, guest
from .base import run, say, state_dir
from .domain import Domain, Shape
from .rescue import rescue_image


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot until the guest agent answers: by the clock, and in seconds of a processor that QEMU used."""

    wall: float
    cpu: float


def bench_boot(*, rounds: int = 1) -> dict[str, t.Any]:
    """Boot both images in turn, each on a fresh layer; medians and ratios."""
    daemon.up()
    images = {"rescue": rescue_image().raw, "plain": guest.plain_image()}
    boots: dict[str, list[Boot]] = {name: [] for name in images}
    for number in range(rounds):
        for name, image in images.items():
            boot = measure(image, shape=Shape())
            say(f"boot {number + 1}/{rounds} {name}: {boot.wall:.1f} s, {boot.cpu:.1f} s of CPU")
            boots[name].append(boot)
    result: dict[str, t.Any] = {"rounds": rounds}
    for field in ("wall", "cpu"):
        middle = {name: statistics.median(getattr(boot, field) for boot in boots[name]) for name in images}
        result[field] = {**middle, "ratio": middle["rescue"] / middle["plain"]}
    return result


def measure(image: pathlib.Path, *, shape: Shape) -> Boot:
    """One boot of an image that stays as it is."""
    layer = state_dir() / f"bench-{os.getpid()}.qcow2"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, layer)
    domain = Domain(f"lab-bench-{os.getpid()}").define(layer, shape=shape)
    try:
        started = time.monotonic()
        domain.start()
        domain.wait_agent(timeout=300)
        return Boot(wall=time.monotonic() - started, cpu=cpu_seconds(domain))
    finally:
        domain.undefine()
        layer.unlink()


def cpu_seconds(domain: Domain) -> float:
    """Processor time that the domain's one processor has used since its start."""
    for line in domain.virsh("domstats", "--vcpu").splitlines():
        name, _, value = line.strip().partition("=")
        if name == "vcpu.0.time":
            return int(value) / 1e9
    return float("nan")
