# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_access: somebody is let in, nothing else changes, and all of it can be taken back."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import typing as t

import pytest
from loop_disk import Disk, files, module, mounted, run
from openrescue_lab.disk import sha256

HASH = "$6$saltsalt$" + "a" * 86
OLD = "$6$saltsalt$" + "b" * 86
KIND = b"ssh-ed25519"
BLOB = len(KIND).to_bytes(4, "big") + KIND + bytes([0, 0, 0, 32]) + bytes(32)
KEY = f"ssh-ed25519 {base64.b64encode(BLOB).decode()} me"
PASSWD = "root:x:0:0:root:/root:/bin/bash\njoe:x:1000:1001::/home/joe:/usr/sbin/nologin\n:broken\n"
SHADOW = f"root:!:19000:0:99999:7:::\njoe:!{OLD}:19000:0:99999:7::100:\nbroken"
LABELS = {
    "etc/shadow": b"system_u:object_r:shadow_t:s0\0",
    "etc/passwd": b"system_u:object_r:passwd_file_t:s0\0",
    "home/joe": b"unconfined_u:object_r:user_home_dir_t:s0\0",
}


@pytest.fixture
def server(disk: Disk, store: pathlib.Path) -> Disk:
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/passwd").write_text(PASSWD)
        (root / "etc/shadow").write_text(SHADOW)
        (root / "etc/shadow").chmod(0o640)
        os.chown(root / "etc/shadow", 0, 42)
        (root / "usr/bin/bash").write_text("bash")
        (root / "usr/bin/bash").chmod(0o755)
        for home, owner in (("root", (0, 0)), ("home/joe", (1000, 1001))):
            (root / home).mkdir(parents=True, mode=0o700)
            os.chown(root / home, *owner)
        for path, label in LABELS.items():
            os.setxattr(root / path, "security.selinux", label)
    return disk


def looked(disk: Disk, *paths: str) -> list[tuple[str, int, int, int, bytes]]:
    found = []
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        for path in paths:
            info = (root / path).stat()
            text = (root / path).read_text() if (root / path).is_file() else ""
            label = os.getxattr(root / path, "security.selinux")
            found.append((text, info.st_mode & 0o7777, info.st_uid, info.st_gid, label))
    return found


def told(result: dict[str, t.Any]) -> str:
    """All that is shown of a result."""
    return json.dumps(result)


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_given_tried_and_taken_back(server: Disk) -> None:
    everything = {
        "user": "joe",
        "password_hash": HASH,
        "authorized_keys": [KEY],
        "unlocked": True,
        "shell": "/usr/bin/bash",
        "devices": [server.device],
    }
    # A mount may write, also a read-only one.
    kept, before = files(server), sha256(server.image)
    tried = module("disk_access", check=True, **everything)
    assert sha256(server.image) == before
    assert (tried["changed"], tried["undo"]) == (True, None)
    done = module("disk_access", **everything)
    assert "msg" not in done, done
    assert done["diff"] == tried["diff"]
    assert "joe had expired" in done["notes"]
    for secret in (HASH, OLD):
        assert secret not in told({**done, "invocation": None})
    passwd, shadow, folder, keys = looked(
        server, "etc/passwd", "etc/shadow", "home/joe/.ssh", "home/joe/.ssh/authorized_keys"
    )
    assert passwd[0] == PASSWD.replace("/usr/sbin/nologin", "/usr/bin/bash")
    today = shadow[0].split(HASH + ":")[1].split(":")[0]
    assert shadow[0] == SHADOW.replace(f"!{OLD}:19000:0:99999:7::100:", f"{HASH}:{today}:0:99999:7:::")
    assert shadow[1:] == (0o640, 0, 42, LABELS["etc/shadow"])
    home = b"unconfined_u:object_r:ssh_home_t:s0\0"
    assert folder[1:] == (0o700, 1000, 1001, home)
    assert keys == (f"{KEY}\n", 0o600, 1000, 1001, home)

    again = module("disk_access", **everything)
    assert (again["changed"], again["undo"], again["diff"]["prepared"]) == (False, None, "")

    listed = module("disk_repair", state="listed", devices=[server.device])["bundles"]
    (mine,) = [item for item in listed if item["id"] == done["undo"]]
    assert (mine["faults"], mine["state"], len(mine["entries"])) == (["disk_access"], "kept", 4)
    # Of a later rescue, which has the patient's own copy of the bundle only.
    run("rm", "-r", f"/var/lib/openrescue/undo/{done['undo']}")
    reverted = module("disk_repair", state="reverted", undo=done["undo"], devices=[server.device])
    assert reverted["changed"] is True, reverted
    assert not any(secret in told(reverted) for secret in (HASH, OLD))
    assert files(server) == kept
    with mounted(server.root, server.folder / "mnt", "-o", "ro") as root:
        assert not (root / "home/joe/.ssh").exists()
        assert not (root / "var/lib/openrescue").exists()


def test_a_lock_without_a_password_opens_no_door(server: Disk) -> None:
    done = module("disk_access", user="root", unlocked=True, devices=[server.device])
    assert done["notes"][0] == "root was locked, and has no password: a key lets in"
    assert looked(server, "etc/shadow")[0][0] == SHADOW.replace("root:!:", "root:*:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"user": "max", "unlocked": True}, "no user max"),
        ({"user": "joe", "password_hash": "hunter2"}, "never taken"),
        ({"user": "joe"}, "one of these is needed"),
        ({"user": "joe", "shell": "/usr/bin/fish"}, "no program of the patient"),
        ({"user": "joe", "authorized_keys": [KEY]}, "is not a directory"),
    ],
)
def test_refused_with_not_a_byte_written(server: Disk, arguments: dict[str, t.Any], message: str) -> None:
    with mounted(server.root, server.folder / "mnt") as root:
        (root / "home/joe/.ssh").symlink_to("/root")
    before = sha256(server.image)
    result = module("disk_access", devices=[server.device], **arguments)
    assert message in result["msg"], result
    assert "hunter2" not in result["msg"]
    assert sha256(server.image) == before or "authorized_keys" in arguments
