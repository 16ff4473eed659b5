# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a remedy changes the patient: what it replaces is kept first, and what it does is shown.

What stands there before is kept in the undo bundle, durably, and the bundle's name is on the patient, before
anything is changed. In check mode the same code runs on a throw-away layer, so that the diff shows exactly what would
be written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import hashlib
import io
import os
import stat
import typing as t

from ..._formats.shadow import hide
from ..._text import printable
from ..patient import Filesystem, Patient
from ..syscalls import attach_loop, inode_flags
from ..tools import DEVICE, Completed
from ..tree.tree import Tree
from .blocks import CHUNK, Extents, changed_chunks, copy_device, differing, head, take_blocks
from .bundles import identity
from .chroot import run_staged
from .errors import WriteRefused
from .file_state import LOCKS, FileState, label_for, state_of, with_label
from .home import Home
from .undo import Bundle, DeviceEntry, FileEntry, temporary_name
from .writer import Writer

if t.TYPE_CHECKING:
    from ..opening import View

__all__ = ("DEVICE", "Change", "unified")

#: the largest file that a remedy writes, an initramfs
_WRITE_LIMIT = 1024 * 1024 * 1024
_DIFF_LIMIT = 1024 * 1024


class Change:
    """The changes of one remedy. Every method takes paths of the patient and follows links inside it."""

    def __init__(self, *, view: View, bundle: Bundle, home: Home | None = None) -> None:
        self._view = view
        self._bundle = bundle
        self._home = home or Home(view=view, bundle=bundle)
        self._writer = Writer(view)
        self._shown: list[str] = []
        #: whether anything was written
        self.changed = False
        #: whether its effect cannot be seen in a trial, since there is no layer to try it on
        self.untried = False

    @property
    def diff(self) -> str:
        """A unified diff of all files, and a line for each change that has none."""
        return "".join(self._shown)

    def write(
        self,
        path: str,
        data: bytes,
        *,
        mode: int = 0o644,
        owner: tuple[int, int] = (0, 0),
        label: str | None = None,
        secret: bool = False,
    ) -> None:
        """Replace a regular file, or create it, atomically.

        An existing file keeps owner, mode, extended attributes and flags; a new one gets ``owner`` (user and group),
        ``mode``, and the SELinux label that is given, or else that of its neighbours. If ``data`` is what stands there,
        nothing happens. Raises WriteRefused for what is no regular file, or has several names.

        :param secret: it has password hashes among fields parted by colons, and the diff does not show them.
        """
        where, found = self._regular(path)
        if found is None:
            fresh = FileState("file", len(data), "", mode, *owner, 0, {})
            after = with_label(fresh, label or label_for(self._tree, where))
        else:
            current = state_of(self._tree, where)
            if current is None:
                raise AssertionError("what exists has a state")
            after = dataclasses.replace(current, size=len(data))
        self._replace(where, data, dataclasses.replace(after, sha256=hashlib.sha256(data).hexdigest()), secret=secret)

    def folder(self, path: str, *, mode: int, owner: tuple[int, int], label: str | None = None) -> None:
        """Make a directory, whole from the beginning. One that is there stays as it is."""
        with self._tree.place(path, follow=False) as place:
            if place is None:
                raise WriteRefused(f"on the patient, the directory of {printable(path)} is missing")
            if place.stat is not None:
                return
            where = place.path
        after = with_label(FileState("folder", 0, "", mode, *owner, 0, {}), label)
        entry = self._keep(where, after)
        self._writer.whole_folder(where, after, temporary=entry.temporary)
        entry.after = state_of(self._tree, where)
        self._finish(entry)
        self._shown.append(f"{printable(where)}: made, a directory ({mode:04o}, {owner[0]}:{owner[1]})\n")

    def remove(self, path: str) -> None:
        """Remove a regular file or a symbolic link (the link itself). Absent is fine."""
        self._take_away(path, "removed", moved=False)

    def move_out(self, path: str) -> None:
        """Move a regular file, large maybe, off the patient into the undo bundle. Absent is fine.

        The bundle is on the rescue system and must have room; if not, raises NoRoom.
        """
        self._take_away(path, "moved to the undo bundle", moved=True)

    def settle(self, path: str) -> None:
        """Let the file system under this directory know what is free on it, after files were taken away."""
        self._tree.settle(path)

    def run_on_device(
        self, filesystem: Filesystem, argv: t.Sequence[str], *, timeout: float, ok: t.Container[int] = (0,)
    ) -> Completed:
        """Run a tool that repairs an unmounted file system.

        ``argv`` holds :data:`DEVICE` where the device belongs: ``["e2fsck", "-f", "-y", "{device}"]``. The tool
        runs on a layer, or on a copy where there are no layers; what it changed is then written to the disk, after
        the old blocks are in the undo bundle. For device-stage faults only.
        """
        if self._patient.opened_tree is not None:
            raise AssertionError("the patient is mounted")
        shown = " ".join(filesystem.device if word == DEVICE else word for word in argv)
        if self._view.is_trial:
            self._shown.append(f"{filesystem.device}: {shown}\n")
            self.changed = True
            self.untried = not filesystem.writable
            if self.untried:
                return Completed(tuple(argv), 0, "", "", 0.0)
            return self._run_tool(argv, filesystem.reading_device, timeout=timeout, ok=ok)
        # Fresh layers, so that they hold what this tool changes and nothing else.
        self._view.seal()
        item = self._patient.device(filesystem.device)
        if not item.writable:
            return self._run_on_copy(item, argv, timeout=timeout, ok=ok)
        done = self._run_tool(argv, item.reading_device, timeout=timeout, ok=ok)
        self._view.check_layers()
        entries = [
            self._keep_blocks(bottom, layer, changed_chunks(store), argv)
            for bottom, layer, store in self._view.layers_of(item)
        ]
        self._put_blocks(item, [entry for entry in entries if entry], shown)
        return done

    def run_in_patient(
        self,
        argv: t.Sequence[str],
        *,
        outputs: t.Sequence[str],
        timeout: float,
        ok: t.Container[int] = (0,),
    ) -> Completed:
        """Run one of the patient's own programs (``update-initramfs``) in a chroot and keep its ``outputs``.

        It runs on a throw-away layer over the patient's tree, in its own mount namespace, with minimal
        /dev, /proc and /sys and without network; of what it wrote only the regular files named in
        ``outputs`` reach the patient, each as by :meth:`write` with owner and mode as the program left
        them and the SELinux label that the file had. An output that is missing afterwards, or was not written, is
        left as it is on the patient. Symbolic links among the outputs are not taken over. The patient's binaries run
        here, without the rights to reach past the layer: only remedies may call this, never a detection.
        """
        if not self._view.is_trial and not self._view.has_layers:
            # The program gets the patient's devices to look at, so none of them may take writes now.
            self._view.seal()
            self._view.mount()
        before = {path: self._content(self._tree, path) for path in outputs}
        with self._view.stage() as top:
            done = run_staged(self._patient, top, argv, timeout=timeout, ok=ok)
            staged = Tree(top)
            after = {path: self._content(staged, path) for path in outputs}
        for path in outputs:
            old, new = before[path], after[path]
            if new is None or (old is not None and old[0].same_content(new[0])):
                continue
            if self._view.stages_in_place:
                self._show(path, old[1] if old else None, new[1])
                self.changed = True
            else:
                where = self._regular(path)[0]
                state = with_label(new[0], label_for(self._tree, where))
                self._replace(where, new[1], dataclasses.replace(state, flags=old[0].flags if old else 0))
        return done

    def note(self, text: str) -> None:
        """Add one line to the diff of this remedy, for what a diff cannot show."""
        self._shown.append(f"{printable(text)}\n")

    @property
    def _patient(self) -> Patient:
        return self._view.patient

    @property
    def _tree(self) -> Tree:
        return self._patient.tree

    def _regular(self, path: str) -> tuple[str, os.stat_result | None]:
        """Where a path leads, and what is there: a regular file, or nothing in a directory that exists."""
        with self._tree.place(path) as place:
            if place is None:
                raise WriteRefused(f"on the patient, the directory of {printable(path)} is missing")
            if place.stat is not None and not stat.S_ISREG(place.stat.st_mode):
                raise WriteRefused(f"on the patient, {printable(path)} is not a regular file")
            return place.path, place.stat

    @staticmethod
    def _content(tree: Tree, path: str) -> tuple[FileState, bytes] | None:
        found = tree.lstat(path)
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size > _WRITE_LIMIT:
            return None
        held = io.BytesIO()
        state = state_of(tree, path, copy_to=held)
        return None if state is None else (state, held.getvalue())

    def _replace(self, where: str, data: bytes, after: FileState, *, secret: bool = False) -> None:
        """Content reaches the patient here; ``where`` holds no link."""
        old = self._content(self._tree, where)
        if old is not None and old[0].same_content(after):
            return
        entry = self._keep(where, after, secret=secret)
        self._writer.file(where, io.BytesIO(data), after, temporary=entry.temporary)
        # The file system may have added a label or an inherited ACL.
        entry.after = state_of(self._tree, where)
        self._finish(entry)
        self._show(where, old[1] if old else None, data, secret=secret)

    def _take_away(self, path: str, verb: str, *, moved: bool) -> None:
        with self._tree.place(path, follow=False) as place:
            if place is None or place.stat is None:
                return
            where, found = place.path, place.stat
        if not stat.S_ISLNK(found.st_mode) and not stat.S_ISREG(found.st_mode):
            raise WriteRefused(f"on the patient, {printable(path)} is not a file")
        entry = self._keep(where, None, moved=moved)
        self._writer.remove(where)
        self._finish(entry)
        size = entry.before.size if entry.before else 0
        self._shown.append(f"{printable(where)}: {verb} ({size} bytes)\n")

    def _keep(self, where: str, after: FileState | None, *, moved: bool = False, secret: bool = False) -> FileEntry:
        """Write down what is there and what is to come, here and then on the patient, before it comes."""
        self._patient.tools.limit.check()
        self._writer.look(where)
        found = self._tree.lstat(where)
        name = self._bundle.next_name() if found is not None and stat.S_ISREG(found.st_mode) else None
        if name is not None and found is not None:
            with self._bundle.keeping(name, size=found.st_size) as file:
                before = state_of(self._tree, where, copy_to=file)
        else:
            before = state_of(self._tree, where)
        filesystem = self._patient.covering(where)
        entry = FileEntry(
            where,
            before,
            after,
            name,
            temporary_name(),
            filesystem=identity(filesystem) if filesystem else "",
            moved=moved,
            folder_flags=self._folder_locks(where),
            secret=secret,
        )
        self._bundle.add(entry)
        self._home.put(entry)
        return entry

    def _folder_locks(self, where: str) -> int:
        with self._tree.place(where, follow=False) as place, contextlib.suppress(OSError):
            if place is not None:
                fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place.directory)
                try:
                    return inode_flags(fd) & LOCKS
                finally:
                    os.close(fd)
        return 0

    def _finish(self, entry: FileEntry) -> None:
        entry.state = "done"
        self._bundle.save()
        self.changed = True

    def _run_tool(self, argv: t.Sequence[str], device: str, *, timeout: float, ok: t.Container[int]) -> Completed:
        done = self._patient.tools.run([device if word == DEVICE else word for word in argv], timeout=timeout, ok=ok)
        with open(device, "rb") as file:
            os.fsync(file.fileno())
        return done

    def _run_on_copy(
        self, item: Filesystem, argv: t.Sequence[str], *, timeout: float, ok: t.Container[int]
    ) -> Completed:
        name = self._bundle.next_name()
        with self._bundle.keeping(name, size=item.size):
            copy = self._bundle.path(name)
        try:
            copy_device(item.device, copy)
            loop, held = attach_loop(copy)
            try:
                done = self._run_tool(argv, loop, timeout=timeout, ok=ok)
            finally:
                os.close(held)
            entry = self._keep_blocks(item, copy, range(-(-item.size // CHUNK)), argv)
            self._put_blocks(item, [entry] if entry else [], " ".join(argv).replace(DEVICE, item.device))
        finally:
            self._bundle.forget(name)
        return done

    def _keep_blocks(
        self, bottom: Filesystem, layer: str, chunks: t.Iterable[int], argv: t.Sequence[str]
    ) -> DeviceEntry | None:
        """Write down what a device holds now where the layer differs, and what it shall hold."""
        extents = differing(bottom.device, layer, chunks)
        if not extents:
            return None
        self._patient.tools.limit.check()
        before, before_hash = self._keep_content(bottom.device, extents)
        fresh, fresh_hash = self._keep_content(layer, extents)
        entry = DeviceEntry(
            bottom.device,
            bottom.partuuid,
            bottom.uuid,
            bottom.size,
            list(argv),
            extents,
            before,
            fresh,
            after=fresh_hash,
            before=before_hash,
        )
        self._bundle.add(entry)
        return entry

    def _keep_content(self, source: str, extents: Extents) -> tuple[str, str]:
        """Keep blocks in the bundle; the name of the content, and its hash."""
        name = self._bundle.next_name()
        with self._bundle.keeping(name, size=sum(length for _start, length in extents)) as file:
            if file is None:
                raise AssertionError("the bundle opens what it names")
            return name, take_blocks(source, extents, file)

    def _put_blocks(self, item: Filesystem, entries: t.Sequence[DeviceEntry], shown: str) -> None:
        if not entries:
            return
        self._view.make_writable(item, mount=False)
        for entry in entries:
            self._writer.blocks(entry.device, self._bundle.path(entry.fresh), entry.extents)
            entry.head = head(entry.device)
            fresh, entry.fresh, entry.state = entry.fresh, "", "done"
            self._bundle.save()
            self._bundle.forget(fresh)
            size = sum(length for _start, length in entry.extents)
            self._shown.append(f"{entry.device}: {shown} ({size} bytes changed)\n")
        self.changed = True
        self._view.seal()

    def _show(self, path: str, before: bytes | None, after: bytes, *, secret: bool = False) -> None:
        self._shown.append(unified(path, before, after, secret=secret))


def unified(path: str, before: bytes | None, after: bytes, *, secret: bool = False) -> str:
    """The diff of one file, safe to print; a line of words where there are no lines to compare.

    :param secret: password hashes in it are not shown.
    """
    name = printable(path)
    if secret:
        shown = hide(*(data.decode("utf-8", "surrogateescape") for data in (before or b"", after)))
        first, after = (text.encode("utf-8", "surrogateescape") for text in shown)
        before = None if before is None else first
    old, new = _lines(before or b""), _lines(after)
    if old is None or new is None:
        was = "absent" if before is None else f"{len(before)} bytes"
        return f"{name}: {was} before, {len(after)} bytes after\n"
    start = "/dev/null" if before is None else name
    return "".join(f"{line}\n" for line in difflib.unified_diff(old, new, start, name, lineterm=""))


def _lines(data: bytes) -> list[str] | None:
    """Lines to compare, safe to print; a missing end of line is told as diff(1) does. None for what is no text."""
    if b"\0" in data or len(data) > _DIFF_LIMIT:
        return None
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    shown = ["\t".join(printable(part, limit=2000) for part in line.split("\t")) for line in lines]
    if shown[-1]:
        return [*shown[:-1], f"{shown[-1]}\n\\ No newline at end of file"]
    return shown[:-1]
