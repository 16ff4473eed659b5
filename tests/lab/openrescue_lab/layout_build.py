# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Builds the disks of layouts in a running rescue system: the host's kernel may know neither LVM, nor RAID, nor FAT."""

from __future__ import annotations

import contextlib
import inspect
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
#: a program for UEFI, of the host's own packages
LOADER = pathlib.Path("/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi")
#: what the host's own programs need, where every distribution looks for it
LIBRARIES = {
    "lib64/ld-linux-x86-64.so.2": pathlib.Path("/lib64/ld-linux-x86-64.so.2"),
    "lib64/libc.so.6": pathlib.Path("/lib/x86_64-linux-gnu/libc.so.6"),
}


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
    tree = tree_key(layout.tree) if layout.tree else inspect.getsource(furnish)
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


def trees() -> None:
    """Build the trees of Debian that the quick layouts stand on."""
    for name in sorted({layouts.load(name).tree for name in layouts.QUICK} - {""}):
        tree_of(name)


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
            run_private(self.guest, script(layout, devices))
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
    if layout.boots:
        run("tar", "--extract", "--file", tree_of(layout.tree), "--directory", tree, "--numeric-owner")
    else:
        furnish(layout, tree)
    kernel = layout.kernel or next(path.name for path in (tree / "lib/modules").iterdir())
    for name, text in {"etc/fstab": layout.fstab.lstrip("\n"), **layout.files}.items():
        if text or name in layout.files:
            place(tree, layout.text(name, kernel=kernel)).write_text(layout.text(text, kernel=kernel), encoding="utf-8")
    archive = directory / "tree.tar"
    private = ("unshare", "--mount", "--propagation", "private")
    run(
        *private,
        HERE / "layout_host.sh",
        tree,
        archive,
        layout.text(layout.prepare, kernel=kernel),
        env={"KERNEL": kernel},
    )
    run("rm", "--recursive", "--one-file-system", tree)
    return archive


def place(tree: pathlib.Path, name: str) -> pathlib.Path:
    """A path in a tree, its directory made."""
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def furnish(layout: Layout, tree: pathlib.Path) -> None:
    """What makes a tree without Debian look like a system: its kernel is a real one, its programs do nothing."""
    image = rescue_image()
    kinds = {"kernel": image.kernel, "initramfs": image.initrd, "loader": LOADER, "program": pathlib.Path("/bin/true")}
    binaries, links = dict(layout.binaries), dict(layout.links)
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "home", "var/log", "etc"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    if layout.usr_merged:
        for name in ("bin", "sbin", "lib", "lib64"):
            (tree / "usr" / name).mkdir(parents=True)
            links[name] = f"usr/{name}"
        binaries.update({"usr/lib/systemd/systemd": "program", "usr/bin/bash": "program"})
        links.update({"usr/sbin/init": "../lib/systemd/systemd", "etc/os-release": "../usr/lib/os-release"})
    usr = "usr/" if layout.usr_merged else ""
    for release in (layout.kernel, image.manifest["kernel_version"]):  # the one that it says, and the one that it is
        place(tree, f"{usr}lib/modules/{release}/modules.dep").touch()
    for name, source in LIBRARIES.items():
        shutil.copy(source, place(tree, usr + name))
    place(tree, "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="ascii")
    place(tree, "etc/shadow").write_text("root:$6$salt$hash:19900:0:99999:7:::\n", encoding="ascii")
    for name, target in links.items():
        place(tree, layout.text(name)).symlink_to(target)
    for name, kind in binaries.items():
        shutil.copy(kinds[kind], place(tree, layout.text(name)))


def script(layout: Layout, devices: t.Sequence[str]) -> str:
    """What the rescue system runs to build it; the last device is the archive."""
    steps = (layout.make, layout.mount, "unpack", layout.finish, f'GRUB="{layout.grub}"', layout.loader)
    return shell(layout, devices, *steps)


def inside(layout: Layout, devices: t.Sequence[str], *steps: str) -> str:
    """What the rescue system runs for these steps with the layout's tree mounted below /mnt."""
    return shell(layout, devices, layout.open, layout.mount, *steps)


def shell(layout: Layout, devices: t.Sequence[str], *steps: str) -> str:
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
    flush = "sync; for disk in " + " ".join(devices) + "; do blockdev --flushbufs $disk; done"
    return "\n".join((assigned, prelude, *steps, "umount --recursive /mnt", layout.close, flush))


def run_private(guest: RescueGuest, script: str, *, timeout: float = 1200) -> str:
    """Run a script in a mount namespace of its own: its mounts would stay in those of running services."""
    command = ("/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script)
    return guest.domain.execute(*command, timeout=timeout)
