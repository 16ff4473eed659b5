# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one of the patient's own programs, on a throw-away layer and away from everything else.

The program is a stranger's. It has namespaces of its own and no network, a /proc and a /sys that it can only read, of
the disks only what takes no writes or is thrown away, and of root's capabilities those that concern files.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import inspect
import os
import re
import stat
import sys
import typing as t

from ..._formats.crypttab import opened_by_initramfs
from .. import syscalls
from ..devices.lookup import is_bare
from ..patient import Filesystem, Patient
from ..tools import Completed
from ..tree.tree import Tree
from . import confined

__all__ = ("run_staged",)

_PLAIN_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_TAGS = {"by-uuid": "uuid", "by-label": "label", "by-partuuid": "partuuid", "by-partlabel": "partlabel"}
_DEVICES = "/sys/dev/block"
_MAPPING = re.compile(r"\w[\w.+:@-]*")
#: what is only a part of something has no name by its UUID, which may be that of the whole; udev gives it none either
_PARTS = ("linux_raid_member", "LVM2_member", "ddf_raid_member", "isw_raid_member")


def run_staged(patient: Patient, top: str, argv: t.Sequence[str], *, timeout: float, ok: t.Container[int]) -> Completed:
    """Run a program with ``top`` as its root; every process that it leaves ends with it."""
    tree = Tree(top)
    _mount_memory(tree, "/dev", device_nodes=True, populate=lambda folder: _make_devices(patient, folder))
    _mount_memory(tree, "/run", populate=lambda folder: _tell_of_containers(patient, tree, folder))
    _mount_memory(tree, "/tmp", mode=0o1777)  # noqa: S108 - a directory of the patient's, mounted for this run
    _mount(tree, "/sys", "sysfs", flags=syscalls.MS_RDONLY)
    isolated = ["unshare", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"]
    begin = [sys.executable, "-I", "-S", "-c", inspect.getsource(confined), top]
    shown = f"{' '.join(argv)} (of the patient)"
    return patient.tools.run([*isolated, *begin, *argv], timeout=timeout, ok=ok, shown=shown)


def _mount(tree: Tree, path: str, fstype: str, *, flags: int, data: str = "") -> str | None:
    """Mount onto a directory of the tree, reached by its descriptor; where there is none, leave it."""
    with tree.place(path) as place:
        if place is None or place.stat is None or not stat.S_ISDIR(place.stat.st_mode):
            return None
        fd = os.open(place.name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place.directory)
        try:
            syscalls.mount(fstype, f"/proc/self/fd/{fd}", fstype, flags=flags | syscalls.MS_NOSUID, data=data)
        finally:
            os.close(fd)
        return tree.root + place.path


def _mount_memory(
    tree: Tree,
    path: str,
    *,
    mode: int = 0o755,
    device_nodes: bool = False,
    populate: t.Callable[[str], None] | None = None,
) -> None:
    flags = 0 if device_nodes else syscalls.MS_NODEV
    folder = _mount(tree, path, "tmpfs", flags=flags, data=f"mode={mode:o},size=25%")
    if folder is not None and populate is not None:
        populate(folder)


def _make_devices(patient: Patient, folder: str) -> None:
    for name, (major, minor) in _PLAIN_DEVICES.items():
        os.mknod(os.path.join(folder, name), 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(os.path.join(folder, name), 0o666)  # noqa: S103 - as everywhere; the umask took it away
    for name, target in _LINKS.items():
        os.symlink(target, os.path.join(folder, name))
    for name in ("shm", "pts", "mapper", *(f"disk/{kind}" for kind in _TAGS)):
        os.makedirs(os.path.join(folder, name))
    for item in (*patient.filesystems, *patient.members):
        if _takes_no_writes(item):
            _make_node(item, folder)
    for mapping, ours in patient.unlocked().items():
        node = os.path.join(folder, "mapper", ours)
        if _MAPPING.fullmatch(mapping) and os.path.exists(node):
            _link(folder, f"mapper/{mapping}", node)


def _make_node(item: Filesystem, folder: str) -> None:
    # Under the name by which the kernel shows it in /proc/self/mountinfo, which is where grub-probe looks.
    name = os.path.basename(item.reading_device)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        number = os.stat(item.reading_device).st_rdev
        os.mknod(path, 0o600 | stat.S_IFBLK, number)
        # grub-probe takes no dm-0 for an answer: it looks for the node that is called by the mapping's name.
        mapping = _mapping(number)
        if mapping:
            os.mknod(os.path.join(folder, "mapper", mapping), 0o600 | stat.S_IFBLK, number)
    for kind, field in _TAGS.items():
        value = getattr(item, field) if field.startswith("part") or item.fstype not in _PARTS else ""
        if value:
            _link(folder, f"disk/{kind}/{_encoded(value)}", path)
    for alias in (item.device, *item.aliases):
        # The patient calls its disks by other letters than the rescue system does.
        if alias.startswith("/dev/") and ".." not in alias and not is_bare(alias):
            _link(folder, alias[len("/dev/") :], path)


def _link(folder: str, name: str, target: str) -> None:
    link = os.path.join(folder, name)
    if not os.path.lexists(link):
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink(os.path.relpath(target, os.path.dirname(link)), link)


def _tell_of_containers(patient: Patient, tree: Tree, folder: str) -> None:
    """Have the initramfs open what the root lies on, as crypttab can say it.

    Debian's own hook asks device-mapper for it, which takes power over the host; without an answer it would leave the
    container shut.
    """
    mounted = [item for item in patient.filesystems if item.mount_point in ("/", "/usr")]
    devices = [path for item in mounted for path in (item.reading_device, *item.others)]
    containers = {name for path in devices for name in _containers(os.stat(path).st_rdev)}
    names = [name for name, ours in patient.unlocked().items() if ours in containers]
    text = tree.read_text("/etc/crypttab") if names else None
    if text is None:
        return
    told = os.path.join(folder, "openrescue-crypttab")
    with open(told, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(opened_by_initramfs(text, names))
    with tree.place("/etc/crypttab") as place:
        if place is not None and place.stat is not None and stat.S_ISREG(place.stat.st_mode):
            fd = os.open(place.name, os.O_PATH | os.O_NOFOLLOW, dir_fd=place.directory)
            try:
                syscalls.mount(told, f"/proc/self/fd/{fd}", "", flags=syscalls.MS_BIND)
            finally:
                os.close(fd)


def _containers(number: int) -> list[str]:
    """What device-mapper calls the unlocked containers that a device lies on, itself included."""
    found, pending = [], [f"{_DEVICES}/{os.major(number)}:{os.minor(number)}"]
    while pending:
        folder = pending.pop()
        if _says(f"{folder}/dm/uuid").startswith("CRYPT-"):
            found.append(_says(f"{folder}/dm/name"))
        slaves = f"{folder}/slaves"
        pending += [f"{slaves}/{name}" for name in (os.listdir(slaves) if os.path.isdir(slaves) else ())]
    return found


def _says(path: str) -> str:
    """What a file of /sys says; empty if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def _takes_no_writes(item: Filesystem) -> bool:
    """Whether a node of it leads to a throw-away layer, or to a device that the kernel lets nobody write to."""
    return item.writable or syscalls.is_read_only(item.reading_device)


def _mapping(number: int) -> str:
    """What device-mapper calls this device; empty if it is none of its own."""
    return os.path.basename(_says(f"{_DEVICES}/{os.major(number)}:{os.minor(number)}/dm/name"))


def _encoded(value: str) -> str:
    """As udev writes a label into a file's name."""
    return re.sub(
        r"[^A-Za-z0-9#+\-.:=@_]",
        lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode("utf-8", "surrogateescape")),
        value,
    )
