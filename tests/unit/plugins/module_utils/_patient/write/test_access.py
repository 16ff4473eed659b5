# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is let in, by which files, and what a user of the patient may have laid in the way."""

from __future__ import annotations

import base64
import dataclasses
import os
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.authorized_keys import parse_keys
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import access as access_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.access import (
    AccessRefused,
    NoAccount,
    Wanted,
    grant,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.file_state import (
    LABEL,
    of_type,
    state_of,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.revert import finish_entry, revert
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import Bundle

from .fakes import PlainView, as_view

HASH = "$6$saltsalt$" + "a" * 86
OLD = "$6$saltsalt$" + "b" * 86
KIND = b"ssh-ed25519"
BLOB = base64.b64encode(len(KIND).to_bytes(4, "big") + KIND + (32).to_bytes(4, "big") + bytes(32)).decode()
KEY = f"ssh-ed25519 {BLOB} joe"
KEYS = tuple(parse_keys(KEY))
UID, GID = os.geteuid(), os.getegid()
PASSWD = f"root:x:0:0:root:/root:/bin/bash\njoe:x:{UID or 1000}:{GID or 1000}::/home/joe:/bin/bash\ngarbage:\n"
SHADOW = f"root:*:19000:0:99999:7:::\njoe:!{OLD}:19000:0:99999:7::100:\n\udcff"
TODAY = 20000


@pytest.fixture
def system(view: PlainView) -> PlainView:
    view.put("/etc/passwd", PASSWD)
    view.put("/etc/shadow", SHADOW.encode("utf-8", "surrogateescape")).chmod(0o640)
    view.put("/bin/bash").chmod(0o755)
    view.put("/bin/zsh").chmod(0o755)
    (view.folder / "home/joe").mkdir(parents=True)
    (view.folder / "root").mkdir()
    if os.geteuid() == 0:
        os.chown(view.folder / "home/joe", 1000, 1000)
    return view


def granted(view: PlainView, wanted: Wanted) -> tuple[list[str], Change, Bundle]:
    bundle = Bundle.new()
    change = Change(view=as_view(view), bundle=bundle)
    return grant(view.patient, wanted, change, today=TODAY), change, bundle


def files(view: PlainView) -> dict[str, bytes]:
    return {
        str(path.relative_to(view.folder)): path.read_bytes() if path.is_file() else b""
        for path in view.folder.rglob("*")
        if "openrescue" not in str(path.relative_to(view.folder))
    }


def test_all_at_once_and_taken_back(system: PlainView) -> None:
    before = files(system)
    wanted = Wanted("joe", HASH, KEYS, unlocked=True, shell="/bin/zsh")
    notes, change, bundle = granted(system, wanted)
    assert "joe:x:" in system.read("/etc/passwd") and system.read("/etc/passwd").endswith(":/bin/zsh\ngarbage:\n")
    raw = (system.folder / "etc/shadow").read_bytes().decode("utf-8", "surrogateescape")
    assert raw == SHADOW.replace(f"!{OLD}:19000:0:99999:7::100:", f"{HASH}:20000:0:99999:7:::")
    keys = system.folder / "home/joe/.ssh/authorized_keys"
    assert keys.read_text() == f"{KEY}\n"
    modes = [path.stat().st_mode & 0o777 for path in (keys.parent, keys, system.folder / "etc/shadow")]
    assert modes == [0o700, 0o600, 0o640]
    if os.geteuid() == 0:
        assert {(path.stat().st_uid, path.stat().st_gid) for path in (keys, keys.parent)} == {(1000, 1000)}
    assert notes == ["joe had expired"]
    assert "(hidden 2)" in change.diff
    assert not any(secret in change.diff for secret in (HASH, OLD))
    assert (bundle.folder / pathlib.Path("data/1")).stat().st_mode & 0o777 == 0o600
    loaded = Bundle.load(bundle.id)
    assert loaded is not None
    told = revert(as_view(system), loaded, check=False)
    assert [reason for _entry, reason, _diff in told] == ["", "", "", ""]
    assert not any(secret in diff for _entry, _reason, diff in told for secret in (HASH, OLD))
    assert files(system) == before


def test_a_second_time_changes_nothing(system: PlainView) -> None:
    wanted = Wanted("joe", HASH, KEYS, unlocked=True, shell="/bin/zsh")
    granted(system, wanted)
    notes, change, bundle = granted(system, wanted)
    assert (change.diff, change.changed, bundle.entries, notes) == ("", False, [], [])


def test_what_others_have_put_into_a_new_folder_stays(system: PlainView) -> None:
    _notes, _change, bundle = granted(system, Wanted("joe", keys=KEYS))
    system.put("/home/joe/.ssh/known_hosts", "theirs")
    told = revert(as_view(system), bundle, check=False)
    assert [reason for _entry, reason, _diff in told] == ["", ""]
    assert os.listdir(system.folder / "home/joe/.ssh") == ["known_hosts"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_was_killed_while_it_made_a_folder(system: PlainView, when: str) -> None:
    """Its beginning is removed, its end is known, and both can be put back."""
    _notes, _change, bundle = granted(system, Wanted("joe", keys=KEYS))
    folder = system.folder / "home/joe/.ssh"
    (folder / "authorized_keys").unlink()
    bundle.entries[1:] = []
    bundle.entries[0].state = "intended"
    if when == "before":
        folder.rmdir()
        (folder.parent / ".openrescue-0123456789abcdef").mkdir()
    told = finish_entry(as_view(system), bundle, bundle.entries[0])
    assert "had not been written yet" in told if when == "before" else "is whole" in told
    assert [reason for _entry, reason, _diff in revert(as_view(system), bundle, check=False)] == [""] * (
        when == "after"
    )
    assert os.listdir(folder.parent) == []


def test_in_a_trial_nothing_is_kept(system: PlainView) -> None:
    bundle = Bundle.new(keep=False)
    system.is_trial = True
    change = Change(view=as_view(system), bundle=bundle)
    # The writer does not open anything in a trial; here the tree is its own layer.
    system.make_writable = lambda *_given, **_more: None  # type: ignore[method-assign]
    grant(system.patient, Wanted("joe", keys=KEYS), change, today=TODAY)
    assert "/home/joe/.ssh: made, a directory (0700, " in change.diff
    assert f"+{KEY}" in change.diff


@pytest.mark.parametrize(
    ("password", "hash_", "wanted", "left"),
    [
        ("x", None, Wanted("joe", HASH), "x"),
        ("", None, Wanted("joe", HASH), "x"),
        ("aaTgKLt3Ghj1A", None, Wanted("joe", HASH), "x"),
        ("x", None, Wanted("joe", unlocked=True), "x"),
        ("!aaTgKLt3Ghj1A", None, Wanted("joe", unlocked=True), "aaTgKLt3Ghj1A"),
        ("!", None, Wanted("joe", unlocked=True), "*"),
        ("", None, Wanted("joe", unlocked=True), ""),
    ],
)
def test_the_field_in_passwd(system: PlainView, password: str, hash_: None, wanted: Wanted, left: str) -> None:
    system.put("/etc/passwd", PASSWD.replace("joe:x:", f"joe:{password}:"))
    granted(system, wanted)
    assert system.read("/etc/passwd") == PASSWD.replace("joe:x:", f"joe:{left}:")


def test_who_is_not_there(system: PlainView) -> None:
    with pytest.raises(NoAccount, match="no user max") as caught:
        granted(system, Wanted("max", HASH))
    assert "root" in caught.value.hint
    (system.folder / "etc/passwd").unlink()
    with pytest.raises(NoAccount, match="no /etc/passwd"):
        granted(system, Wanted("joe", HASH))


def test_a_system_without_shadow(system: PlainView) -> None:
    (system.folder / "etc/shadow").unlink()
    with pytest.raises(AccessRefused, match="another way"):
        granted(system, Wanted("joe", HASH))
    granted(system, Wanted("joe", unlocked=True))


@pytest.mark.parametrize("shell", ["/bin/fish", "/bin", "/etc/passwd"])
def test_a_shell_that_is_none(system: PlainView, shell: str) -> None:
    before = files(system)
    with pytest.raises(AccessRefused, match="no program"):
        granted(system, Wanted("joe", HASH, shell=shell))
    assert files(system) == before


def link(target: str) -> t.Callable[[pathlib.Path], None]:
    return lambda path: path.symlink_to(target)


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("home/joe/.ssh", link("/root")),
        ("home/joe/.ssh", link("/etc")),
        ("home/joe/.ssh", lambda path: path.write_text("")),
        ("home/joe/.ssh/authorized_keys", link("/etc/shadow")),
        ("home/joe/.ssh/authorized_keys", link("../../../root/keys")),
        ("home/joe/.ssh/authorized_keys", link("/nowhere")),
        ("home/joe/.ssh/authorized_keys", os.mkfifo),
        ("home/joe/.ssh/authorized_keys", os.mkdir),
    ],
)
def test_a_user_has_laid_something_in_the_way(
    system: PlainView, path: str, make: t.Callable[[pathlib.Path], None]
) -> None:
    place = system.folder / path
    place.parent.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        os.chown(place.parent, 1000, 1000)
    make(place)
    before = (system.folder / "etc/shadow").read_bytes()
    with pytest.raises(AccessRefused, match="is not a"):
        granted(system, Wanted("joe", HASH, KEYS))
    assert (system.folder / "etc/shadow").read_bytes() == before
    assert os.listdir(system.folder / "root") == []


def test_a_file_with_another_name_elsewhere(system: PlainView) -> None:
    (system.folder / "home/joe/.ssh").mkdir()
    os.link(system.put("/root/keys", "root's"), system.folder / "home/joe/.ssh/authorized_keys")
    if os.geteuid() == 0:
        os.chown(system.folder / "home/joe/.ssh", 1000, 1000)
    with pytest.raises(Exception, match="2 names"):
        granted(system, Wanted("joe", keys=KEYS))
    assert system.read("/root/keys") == "root's"


@pytest.mark.parametrize(
    ("home", "message"),
    [
        ("/home/max", "is not there"),
        ("", "an empty path"),
        ("home/joe", "is not there"),
        ("/etc/passwd", "is not there"),
    ],
)
def test_a_home_that_is_none(system: PlainView, home: str, message: str) -> None:
    system.put("/etc/passwd", PASSWD.replace("/home/joe", home))
    with pytest.raises(AccessRefused, match=message):
        granted(system, Wanted("joe", keys=KEYS))


def test_a_home_that_belongs_elsewhere(system: PlainView) -> None:
    system.put("/etc/fstab", "UUID=1 /home ext4 defaults 0 2\n")
    system.patient.drop_facts()
    with pytest.raises(AccessRefused, match="belongs to /home, which is not mounted"):
        granted(system, Wanted("joe", keys=KEYS))
    system.put("/etc/fstab", "UUID=1 /home ext4 noauto 0 2\n")
    system.patient.drop_facts()
    granted(system, Wanted("joe", keys=KEYS))


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away")
def test_a_folder_of_somebody_else(system: PlainView) -> None:
    (system.folder / "home/joe/.ssh").mkdir()
    os.chown(system.folder / "home/joe/.ssh", 1001, 1001)
    with pytest.raises(AccessRefused, match="belongs to the user 1001"):
        granted(system, Wanted("joe", keys=KEYS))


def test_what_stands_in_the_way_is_told(system: PlainView) -> None:
    text = PASSWD.replace("/home/joe:/bin/bash", "/home/joe:/usr/sbin/nologin")
    system.put("/etc/passwd", text)
    system.put("/etc/nologin", "")
    system.put("/etc/ssh/sshd_config", "PubkeyAuthentication no\n")
    system.put("/etc/ssh/sshd_config.d/a.conf", "AllowUsers max\n")
    (system.folder / "home/joe").chmod(0o777)
    notes, _change, _bundle = granted(system, Wanted("joe", keys=KEYS))
    assert notes == [
        "/home/joe can be written by others, so sshd may take no key from there",
        "its shell is /usr/sbin/nologin, which lets nobody in: give another with 'shell'",
        "/etc/nologin is there, so nobody but root can log in",
        "/etc/ssh/sshd_config says: PubkeyAuthentication no",
        "/etc/ssh/sshd_config.d/a.conf says: AllowUsers max",
    ]
    system.put("/etc/shells", "/bin/sh\n")
    notes, _change, _bundle = granted(system, Wanted("joe", shell="/bin/zsh"))
    assert notes[0] == "/bin/zsh is not among the patient's /etc/shells, so some services refuse it"


@pytest.mark.parametrize(
    ("home", "label"),
    [
        (b"unconfined_u:object_r:user_home_dir_t:s0\0", b"unconfined_u:object_r:ssh_home_t:s0\0"),
        (b"system_u:object_r:admin_home_t:s0\0", b"system_u:object_r:ssh_home_t:s0\0"),
        (b"system_u:object_r:nfs_t:s0\0", None),
        (b"system_u:object_r:user_home_t\0", b"system_u:object_r:ssh_home_t\0"),
        (b"garbage", None),
        (None, None),
    ],
)
def test_the_label_of_what_is_new_in_a_home(
    system: PlainView, monkeypatch: pytest.MonkeyPatch, home: bytes | None, label: bytes | None
) -> None:
    def coded(value: bytes | None) -> str | None:
        return None if value is None else base64.b64encode(value).decode()

    monkeypatch.setattr(access_module, "label_for", lambda _tree, _path: coded(home))
    placed: dict[str, str | None] = {}

    class Recorder:
        def write(self, path: str, data: bytes, **more: t.Any) -> None:
            placed[path] = more.get("label")

        def folder(self, path: str, **more: t.Any) -> None:
            placed[path] = more.get("label")

    grant(system.patient, Wanted("joe", keys=KEYS), t.cast("Change", Recorder()), today=TODAY)
    assert placed["/home/joe/.ssh"] == placed["/home/joe/.ssh/authorized_keys"] == coded(label)


def test_a_label_of_another_type() -> None:
    assert of_type(None, "ssh_home_t") is None
    assert of_type("", "ssh_home_t") is None


def test_the_state_of_a_folder(system: PlainView) -> None:
    found = state_of(system.patient.tree, "/home/joe")
    assert found is not None
    assert (found.kind, found.size, found.sha256) == ("folder", 0, "")
    assert LABEL not in found.xattrs
    assert found.same_content(dataclasses.replace(found, mtime_ns=1))
    assert isinstance(system.patient, Patient)
