# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Builds the disks of layouts in a running rescue system: the host's kernel may know neither LVM, nor RAID, nor FAT."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import tempfile
import typing as t

from . import layout as layouts
from .base import LabError, cached, fingerprint, run, state_dir
from .guest import mmdebstrap
from .layout import TREES, Layout
from .rescue import rescue_image
from .rescue_guest import RescueGuest

HERE = pathlib.Path(__file__).resolve().parent


def disks_of(layout: Layout, builder: Builder) -> list[pathlib.Path]:
    """The layout's disks, from the cache or built now. Nobody writes to them: see `copies`."""
    entry = cached(f"layout_{layout.name}", key(layout), lambda directory: builder.build(layout, directory))
    return [entry / f"disk{number}.raw" for number, _ in enumerate(layout.disks, 1)]


def copies(disks: t.Sequence[pathlib.Path], directory: pathlib.Path) -> list[pathlib.Path]:
    """Sparse copies that a test may break."""
    targets = [directory / disk.name for disk in disks]
    for disk, target in zip(disks, targets):
        run("cp", "--sparse=always", "--reflink=auto", "--no-preserve=mode", disk, target)
    return targets


def key(layout: Layout) -> str:
    """A hash of what it is made from."""
    tree = tree_key(layout.tree) if layout.tree else ""
    scripts = (HERE / "layout_host.sh", HERE / "layout_guest.sh")
    return fingerprint(tree, layouts.LAYOUTS / f"{layout.name}.py", *scripts)


def tree_key(name: str) -> str:
    return fingerprint(repr(TREES[name]), repr(layouts.BASE), HERE / "layout_tree.sh")


def tree_of(name: str) -> pathlib.Path:
    """The archive of a tree of Debian, from the cache or built now."""
    tree = TREES[name]

    def build(directory: pathlib.Path) -> None:
        packages = ",".join((*layouts.BASE, *tree.packages))
        target = directory / "tree.tar"
        # Each layout builds its own initramfs.
        mmdebstrap(packages, HERE / "layout_tree.sh", target, suite=tree.suite, source=tree.source, initramfs=False)

    return cached(f"tree_{name}", tree_key(name), build) / "tree.tar"


class Builder:
    """A rescue system that is started at the first need, and anew after a build that failed: it left things active."""

    def __init__(self, start: t.Callable[[], RescueGuest] | None = None) -> None:
        self._start = start or self._own
        self._guest: RescueGuest | None = None
        self._directory = pathlib.Path(tempfile.mkdtemp(prefix="builder-", dir=state_dir()))

    def _own(self) -> RescueGuest:
        return RescueGuest.start(f"lab-builder-{os.getpid()}", rescue_image(), self._directory)

    @property
    def guest(self) -> RescueGuest:
        self._guest = self._guest or self._start()
        return self._guest

    def close(self) -> None:
        """Stop it."""
        if self._guest:
            self._guest.domain.undefine()
            self._guest = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def build(self, layout: Layout, directory: pathlib.Path) -> None:
        """The layout's disks in a directory."""
        archive = pack(layout, directory)
        disks = [directory / f"disk{number}.raw" for number, _ in enumerate(layout.disks, 1)]
        for disk, size in zip(disks, layout.disks):
            run("truncate", "--size", size, disk)
        devices = self.guest.plug(*disks, archive)
        try:
            self.guest.shell(script(layout, devices), timeout=1200)
        except LabError:
            self.guest.domain.undefine()
            self._guest = None
            raise
        self.guest.unplug(*(device.rpartition("/")[2] for device in devices))
        archive.unlink()


@contextlib.contextmanager
def builder() -> t.Iterator[Builder]:
    """A builder that is stopped at the end."""
    made = Builder()
    try:
        yield made
    finally:
        made.close()


def pack(layout: Layout, directory: pathlib.Path) -> pathlib.Path:
    """What will lie on the layout's disks, as one archive."""
    tree = directory / "tree"
    tree.mkdir()
    if layout.tree:
        run("tar", "--extract", "--file", tree_of(layout.tree), "--directory", tree, "--numeric-owner")
    kernel = layout.kernel or next(path.name for path in (tree / "lib/modules").iterdir())
    files = {"etc/fstab": layout.fstab.lstrip("\n"), **layout.files}
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(layout.text(text, kernel=kernel), encoding="utf-8")
    archive = directory / "tree.tar"
    private = ("unshare", "--mount", "--propagation", "private")
    run(*private, HERE / "layout_host.sh", tree, archive, layout.text(layout.prepare), env={"KERNEL": kernel})
    run("rm", "--recursive", "--one-file-system", tree)
    return archive


def script(layout: Layout, devices: t.Sequence[str]) -> str:
    """What the rescue system runs."""
    tree = TREES.get(layout.tree)
    variables = {
        **layout.identities(),
        **{f"D{number}": device for number, device in enumerate(devices, 1)},
        "TAR": devices[-1],
        "PASSPHRASE": layout.passphrase,
        "EXT4": tree.ext4 if tree else "",
    }
    assigned = "\n".join(f"{name}='{value}'" for name, value in variables.items())
    prelude = (HERE / "layout_guest.sh").read_text(encoding="utf-8")
    steps = (layout.make, "unpack", f'GRUB="{layout.grub}"', layout.loader, "umount --recursive /mnt", layout.close)
    flush = "sync; for disk in " + " ".join(devices) + "; do blockdev --flushbufs $disk; done"
    return "\n".join((assigned, prelude, *steps, flush))
