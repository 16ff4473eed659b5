# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rescue image takes of a cloud's word: public keys, a name, a network, and nothing else."""

from __future__ import annotations

import base64
import json
import pathlib
import runpy
import struct
import typing as t

import pytest

ROLE = pathlib.Path(__file__).resolve().parents[3] / "roles/rescue_image"
# Run, not imported: an import would leave its bytecode among the files of the image.
CODE = runpy.run_path(str(ROLE / "files/root/usr/lib/openrescue/openstack_keys.py"))
UUID = "6d2b8fe6-0f8c-4f3b-9a2f-1f1d4a0f0c0e"


def key(name: str, *parts: bytes, rest: bytes = b"") -> str:
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (name.encode(), *parts)) + rest
    return f"{name} {base64.b64encode(blob).decode()}"


ED25519 = key("ssh-ed25519", b"e" * 32)
RSA = key("ssh-rsa", b"\x01\x00\x01", b"\x00" + b"n" * 256)
ECDSA = key("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + b"p" * 64)
SK = key("sk-ssh-ed25519@openssh.com", b"e" * 32, b"ssh:")


@pytest.mark.parametrize("good", [ED25519, RSA, ECDSA, SK])
def test_a_public_key_is_kept_without_its_comment(good: str) -> None:
    for line in (good, f"{good} me@here", f" {good}\t command=x é \r"):
        assert CODE["public_key"](line) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "# " + ED25519,
        f'command="reboot" {ED25519}',
        f"restrict {ED25519}",
        f"cert-authority {ED25519}",
        f"@cert-authority * {ED25519}",
        f"{ED25519}\x00",
        f"x\x0b{ED25519}",
        f"{ED25519}!",
        ED25519[:-4],
        ED25519.replace("ssh-ed25519", "ssh-rsa"),
        key("ssh-dss", b"p", b"q", b"g", b"y"),
        key("ssh-ed25519-cert-v01@openssh.com", b"e" * 32),
        key("ssh-ed25519", b""),
        key("ssh-ed25519", b"e" * 32, b"more"),
        key("ssh-ed25519", b"e" * 32, rest=b"\xff\xff\xff\xff"),
        "ssh-ed25519 " + "A" * 100_000,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_anything_else_is_no_key(bad: str) -> None:
    assert CODE["public_key"](bad) == ""


def test_keys_are_read_line_by_line_each_once() -> None:
    keys = {"a": f"{RSA} a\ncommand=x {ED25519}\n{SK}\n", "b": RSA, "c": [ECDSA], "d": None, "e": {"f": ECDSA}}
    assert CODE["keys_of"]({"public_keys": keys}) == [RSA, SK]
    assert CODE["keys_of"]({"public_keys": [ED25519]}) == []
    many = {str(number): key("ssh-ed25519", struct.pack(">I", number) * 8) for number in range(1000)}
    assert len(CODE["keys_of"]({"public_keys": many})) == 32


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b"[" * 200_000, b"1" * 5000])
def test_what_is_no_object_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        CODE["load"](data)


def answering(answers: dict[str, bytes]) -> t.Callable[[], list[str]]:
    """The function that asks the service, with these answers."""
    ask: t.Any = CODE["keys_of_service"]
    ask.__globals__["get"] = lambda path: answers.get(path, b"")
    return t.cast("t.Callable[[], list[str]]", ask)


def test_openstack_is_asked_first_and_ec2_where_it_has_no_key() -> None:
    ec2 = {
        "/latest/meta-data/public-keys/": b"0=mine\n../1=x\n2=other",
        "/latest/meta-data/public-keys/0/openssh-key": RSA.encode(),
        "/latest/meta-data/public-keys/2/openssh-key": b"command=x " + SK.encode(),
    }
    own = {"/openstack/latest/meta_data.json": json.dumps({"public_keys": {"a": ED25519}}).encode()}
    assert answering({**ec2, **own})() == [ED25519]
    assert answering(ec2)() == [RSA]
    assert answering({})() == []


def test_of_a_config_drive_only_the_known_is_copied(tmp_path: pathlib.Path) -> None:
    latest = tmp_path / "drive/openstack/latest"
    latest.mkdir(parents=True)
    metadata = {"uuid": UUID, "name": "x\ny", "hostname": "web.example", "public_keys": {"a": ED25519}}
    more = {"files": [{"path": "/etc/passwd", "content_path": "/content/0"}], "meta": {"dsmode": "pass"}}
    (latest / "meta_data.json").write_text(json.dumps({**metadata, **more, "admin_pass": "x"}), encoding="utf-8")
    (latest / "network_data.json").write_text('{"links": []}', encoding="utf-8")
    for name in ("user_data", "vendor_data.json", "vendor_data2.json", "next_years_data.json"):
        (latest / name).write_text("{}", encoding="utf-8")
    CODE["copy_drive"](tmp_path / "drive", tmp_path / "seed")
    copied = {str(path.relative_to(tmp_path / "seed")) for path in (tmp_path / "seed").rglob("*") if path.is_file()}
    assert copied == {"openstack/latest/meta_data.json", "openstack/latest/network_data.json"}
    kept = json.loads((tmp_path / "seed/openstack/latest/meta_data.json").read_text(encoding="utf-8"))
    assert kept == {"uuid": UUID, "hostname": "web.example", "public_keys": {"key-0": ED25519}}


@pytest.mark.parametrize("uuid", [None, "../../etc", 7])
def test_a_config_drive_without_a_servers_id_is_none(uuid: object) -> None:
    with pytest.raises(ValueError):
        CODE["allowed"]({"uuid": uuid, "public_keys": {"a": ED25519}})


def test_a_large_file_or_a_link_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (CODE["MAX_BYTES"] + 1))
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(ValueError):
        CODE["slurp"](tmp_path / "large")
    with pytest.raises(OSError):
        CODE["slurp"](tmp_path / "link")
