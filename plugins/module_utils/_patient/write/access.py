# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting somebody in again: a password hash, a key, an account that is not locked, in the patient's own files.

All that is to be written is known before the first byte of it is written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._formats.authorized_keys import PublicKey, with_keys
from ..._formats.passwd import PASSWORD, SHELL, Account, parse_passwd, with_fields
from ..._formats.shadow import unlocked_hash, with_hash, with_unlocked
from ..._formats.sshd_config import obstacles
from ..._text import printable
from ..tree.fstab import fstab_lines
from .file_state import label_for, of_type

if t.TYPE_CHECKING:
    from ..patient import Patient
    from ..tree.tree import Tree
    from .change import Change

__all__ = ("AccessRefused", "NoAccount", "Wanted", "account_of", "grant")

PASSWD, SHADOW = "/etc/passwd", "/etc/shadow"
#: what a system's policy calls a home, and what it wants to see on keys in it
_HOME_TYPES = ("admin_home_t", "user_home_dir_t", "user_home_t")
_KEY_TYPE = "ssh_home_t"
_NOBODY = ("nologin", "false", "sync", "shutdown", "halt")
_FIRST_USER = 1000


class NoAccount(OpenRescueError):
    """The patient does not know the user."""

    code = "no_account"


class AccessRefused(OpenRescueError):
    """What stands on the patient is nothing that access can be given by."""

    code = "access_refused"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked for.

    :param password_hash: of crypt(5); None leaves the password as it is.
    :param unlocked: take away what locks the account.
    :param shell: None leaves it as it is.
    """

    user: str
    password_hash: str | None = None
    keys: tuple[PublicKey, ...] = ()
    unlocked: bool = False
    shell: str | None = None


@dataclasses.dataclass
class _Edits:
    """Files to be written, and what is to be told."""

    passwd: str = ""
    shadow: str | None = None
    notes: list[str] = dataclasses.field(default_factory=list)


def account_of(tree: Tree, user: str) -> Account:
    """The user's account on the patient."""
    text = tree.read_text(PASSWD)
    if text is None:
        raise NoAccount(f"the patient has no {PASSWD}", hint="Look at its notes: a file system may not be mounted")
    accounts = parse_passwd(text)
    for account in accounts:
        if account.name == user:
            return account
    names = [printable(item.name) for item in accounts if item.uid == 0 or _FIRST_USER <= item.uid < 60000][:10]
    raise NoAccount(
        f"the patient has no user {printable(user)}", hint=f"It has: {', '.join(names) or 'nobody who logs in'}"
    )


def grant(patient: Patient, wanted: Wanted, change: Change, *, today: int) -> list[str]:
    """Give access; what is worth telling of it.

    :param today: days since 1 January 1970.
    """
    tree = patient.tree
    account = account_of(tree, wanted.user)
    edits = _edited(tree, account, wanted, today=today)
    keys = _Keys(patient, account) if wanted.keys else None
    if keys:
        keys.check()
    # The hash first: where the run is killed in between, an account that points to it has one.
    if edits.shadow is not None:
        change.write(SHADOW, _bytes(edits.shadow), mode=0o600, secret=True)
    change.write(PASSWD, _bytes(edits.passwd), secret=True)
    if keys:
        keys.write(wanted.keys, change)
    return [*edits.notes, *(keys.notes if keys else ()), *_stands_in_the_way(tree, account, wanted)]


def _edited(tree: Tree, account: Account, wanted: Wanted, *, today: int) -> _Edits:
    edits = _Edits(passwd=tree.read_text(PASSWD) or "", shadow=tree.read_text(SHADOW))
    before = edits.shadow
    fields: dict[int, str] = {}
    if wanted.password_hash is not None:
        if edits.shadow is None:
            raise AccessRefused(f"the patient has no {SHADOW}, so its passwords are kept in another way")
        edits.shadow = with_hash(edits.shadow, account.name, wanted.password_hash, today=today)
        fields[PASSWORD] = "x"
    if wanted.unlocked:
        if edits.shadow is not None:
            edits.shadow, told = with_unlocked(edits.shadow, account.name, today=today)
            edits.notes += [f"{printable(account.name)} {line}" for line in told]
        fields.setdefault(PASSWORD, unlocked_hash(account.password))
    if wanted.shell is not None:
        edits.notes += _shell_notes(tree, wanted.shell)
        fields[SHELL] = wanted.shell
    edits.passwd = with_fields(edits.passwd, account.line, fields)
    if edits.shadow == before:
        edits.shadow = None
    return edits


def _shell_notes(tree: Tree, shell: str) -> list[str]:
    found = tree.stat(shell)
    if found is None or not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
        raise AccessRefused(f"{printable(shell)} is no program of the patient", hint="Give another 'shell'")
    listed = tree.read_text("/etc/shells")
    if listed is not None and shell not in listed.split():
        return [f"{printable(shell)} is not among the patient's /etc/shells, so some services refuse it"]
    return []


def _stands_in_the_way(tree: Tree, account: Account, wanted: Wanted) -> list[str]:
    """What nobody has asked to change, and what keeps the user out all the same."""
    told = []
    shell = wanted.shell or account.shell or "/bin/sh"
    if os.path.basename(shell) in _NOBODY:
        told.append(f"its shell is {printable(shell)}, which lets nobody in: give another with 'shell'")
    elif tree.stat(shell) is None:
        told.append(f"its shell is {printable(shell)}, which the patient does not have: give another with 'shell'")
    if account.uid != 0 and tree.lstat("/etc/nologin") is not None:
        told.append("/etc/nologin is there, so nobody but root can log in")
    for path in ("/etc/ssh/sshd_config", *tree.glob("/etc/ssh/sshd_config.d/*.conf")):
        lines = obstacles(
            tree.read_text(path) or "",
            by_key=bool(wanted.keys),
            by_password=wanted.password_hash is not None,
            as_root=account.uid == 0,
        )
        told += [f"{printable(path)} says: {printable(line)}" for line in lines]
    return told


class _Keys:
    """The user's authorized_keys: found by the patient's own tables, and only where they say.

    A user of the patient may have made a link there that leads to somebody else's, so none is followed.
    """

    def __init__(self, patient: Patient, account: Account) -> None:
        self._patient, self._account = patient, account
        self._home = patient.tree.resolve(account.home) if account.home.startswith("/") else None
        self.notes: list[str] = []

    @property
    def _folder(self) -> str:
        return f"{(self._home or '').rstrip('/')}/.ssh"

    @property
    def _path(self) -> str:
        return f"{self._folder}/authorized_keys"

    def check(self) -> None:
        """Raise if there is no place for a key, before anything is written."""
        tree, user = self._patient.tree, printable(self._account.name)
        if self._home is None or not tree.is_dir(self._home):
            raise AccessRefused(
                f"the home of {user}, {printable(self._account.home) or 'an empty path'}, is not there",
                hint="Its file system may not be mounted: look at the notes, and at the patient's fstab",
            )
        hidden = self._hidden_by()
        if hidden:
            raise AccessRefused(
                f"the home of {user} belongs to {printable(hidden)}, which is not mounted here",
                hint="Look at the notes, and at the patient's fstab",
            )
        self._check_owned(self._home, stat.S_ISDIR, "a directory")
        self._check_owned(self._folder, stat.S_ISDIR, "a directory")
        self._check_owned(self._path, stat.S_ISREG, "a regular file")

    def _check_owned(self, path: str, is_kind: t.Callable[[int], bool], kind: str) -> None:
        found = self._patient.tree.lstat(path)
        if found is None:
            return
        if not is_kind(found.st_mode):
            raise AccessRefused(f"on the patient, {printable(path)} is not {kind}", hint="Look at it by hand")
        if found.st_uid not in (0, self._account.uid):
            raise AccessRefused(
                f"on the patient, {printable(path)} belongs to the user {found.st_uid}, so sshd takes no key from there"
            )
        if found.st_mode & 0o022:
            self.notes.append(f"{printable(path)} can be written by others, so sshd may take no key from there")

    def _hidden_by(self) -> str:
        """A mount point of the patient's fstab above the home that is not mounted, so that the home is another one."""
        tree, home = self._patient.tree, f"{self._home}/"
        for entry in fstab_lines(self._patient):
            place = tree.resolve(entry.mount_point) if entry.mount_point.startswith("/") else None
            if place is None or place == "/" or not home.startswith(f"{place}/") or "noauto" in entry.options:
                continue
            inside, outside = tree.stat(place), tree.stat(os.path.dirname(place))
            if inside is not None and outside is not None and inside.st_dev == outside.st_dev:
                return place
        return ""

    def write(self, keys: t.Sequence[PublicKey], change: Change) -> None:
        tree, account = self._patient.tree, self._account
        owner = (account.uid, account.gid)
        label = self._label()
        change.folder(self._folder, mode=0o700, owner=owner, label=label)
        text = self._patient.tree.read_text(self._path) or ""
        fresh = tree.lstat(self._path) is None
        change.write(self._path, _bytes(with_keys(text, keys)), mode=0o600, owner=owner, label=label if fresh else None)

    def _label(self) -> str | None:
        """As the policy of the patient wants it, in a home that is labelled as a home."""
        label = label_for(self._patient.tree, self._home or "/")
        is_home = any(of_type(label, name) == label for name in _HOME_TYPES)
        return of_type(label, _KEY_TYPE) if label and is_home else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
