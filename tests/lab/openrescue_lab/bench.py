# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What users wait for, each measured as a ratio in one run: machines are noisy, ratios less so."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import statistics
import sys
import time
import typing as t

from . import bench_cloud, daemon, guest, host, modules
from .base import run, say, state_dir
from .cloud import running_cloud
from .domain import Domain, Shape
from .rescue import rescue_image
from .rescue_guest import RescueGuest

#: virt-inspector, the yardstick, and the kernel that its appliance boots
YARDSTICK = ("libguestfs-tools", "linux-image-cloud-amd64")


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot until the guest agent answers: by the clock, and in seconds of a processor that QEMU used."""

    wall: float
    cpu: float


def main() -> int:
    """Run every benchmark and print a line for each figure."""
    rounds = int(os.environ.get("BENCH_ROUNDS", "3"))
    host.prepare()
    host.prepare(YARDSTICK)
    ours = not daemon.answers()
    daemon.up()
    try:
        show("rescue system's boot to agent answer / plain image's", bench_boot(rounds=rounds)["wall"], "s")
        show("our share of the downtime / all of it", bench_downtime(rounds=rounds), "s")
        show("disk_diagnose / virt-inspector --no-applications", bench_diagnose(rounds=rounds), "s")
    finally:
        if ours:
            daemon.down()
    on_the_cloud(rounds=rounds)
    return 0


def on_the_cloud(*, rounds: int) -> None:
    """The same for OpenStack."""
    with running_cloud() as cloud:
        figures = bench_cloud.bench(cloud, rounds=rounds)
    show("CPU of server_rescue / openstack server show", figures["cpu"], "s")
    show("return after Nova's own end / poll interval", figures["late"], "s")
    show("API calls of a run that changes nothing / of a rescue", figures["calls"], "calls")


def show(title: str, figures: t.Mapping[str, float], unit: str) -> None:
    """One line: the ratio first, then what it was made of."""
    parts = ", ".join(f"{name} {value:.2f} {unit}" for name, value in figures.items() if name != "ratio")
    print(f"{figures['ratio']:6.2f}  {title}  ({parts}; medians)", flush=True)


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
        domain.wait_agent(timeout=300, slower=1.0)
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


def bench_downtime(*, rounds: int = 1) -> dict[str, float]:
    """A running guest rescued and unrescued: what we add between one system's end and the next one's start."""
    directory = scratch("bench-downtime")
    domain = Domain(f"lab-bench-{os.getpid()}").define(guest.copy_of(guest.guest().disk, directory / "disk.raw"))
    shares, wholes = [], []
    try:
        domain.start().wait_agent(timeout=300)
        for number in range(rounds):
            started = time.monotonic()
            switches = server_rescue(domain, state="rescued", rescue_image=str(rescue_image().qcow2))
            domain.wait_agent(timeout=300, slower=1.0)
            switches += server_rescue(domain, state="unrescued")
            domain.wait_agent(timeout=300, slower=1.0)
            shares.append(switches)
            wholes.append(time.monotonic() - started)
            say(f"downtime {number + 1}/{rounds}: {wholes[-1]:.1f} s, {switches:.3f} s of it ours")
    finally:
        domain.undefine()
        shutil.rmtree(directory)
    share, whole = statistics.median(shares), statistics.median(wholes)
    return {"ours": share, "all": whole, "ratio": share / whole}


def server_rescue(domain: Domain, **options: str) -> float:
    """Run the module; the seconds between one system's end and the next one's start."""
    arguments = {"provider": "libvirt", "libvirt_uri": daemon.uri(), "server": domain.name, **options}
    return float(modules.call("server_rescue", arguments).must_end_well()["timings"]["switch"])


def bench_diagnose(*, rounds: int = 1) -> dict[str, float]:
    """The same healthy disk, judged by the module in a running rescue system and inspected by virt-inspector."""
    directory = scratch("bench-diagnose")
    disk = guest.copy_of(guest.guest().disk, directory / "disk.raw")
    rescue = RescueGuest.start(f"lab-bench-{os.getpid()}", rescue_image(), directory, as_shipped=True)
    figures: dict[str, list[float]] = {"disk_diagnose": [], "virt-inspector": []}
    try:
        rescue.plug(disk)
        for number in range(rounds):
            figures["disk_diagnose"].append(seconds(lambda: rescue.module("disk_diagnose", packed=True)))
            figures["virt-inspector"].append(seconds(lambda: virt_inspector(disk)))
            said = ", ".join(f"{name} {values[-1]:.1f} s" for name, values in figures.items())
            say(f"diagnosis {number + 1}/{rounds}: {said}")
    finally:
        rescue.domain.undefine()
        shutil.rmtree(directory)
    middle = {name: statistics.median(values) for name, values in figures.items()}
    return {**middle, "ratio": middle["disk_diagnose"] / middle["virt-inspector"]}


def virt_inspector(disk: pathlib.Path) -> None:
    """Inspect a disk read-only, as libguestfs does it."""
    run(
        "virt-inspector",
        "--format=raw",
        "--no-applications",
        "--add",
        disk,
        env={"LIBGUESTFS_BACKEND": "direct", "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"},
    )


def seconds(work: t.Callable[[], object]) -> float:
    """How long it takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def scratch(name: str) -> pathlib.Path:
    """An empty directory of a benchmark."""
    directory = state_dir() / f"{name}-{os.getpid()}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


if __name__ == "__main__":
    sys.exit(main())
