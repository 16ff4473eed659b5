# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The SSH keys that OpenStack has for this server, and nothing else that it would have us do.

openstack_keys.py ask                     asks the metadata service, for a while; the keys open root's account
openstack_keys.py drive SOURCE TARGET     copies from a mounted config drive what cloud-init may see of it

Not cloud-init's own data source for the service: it reads user data and vendor data too, which were written for the
server and not for its rescue, and holds up the boot while the service is silent. Python, because curl is not here, and
because JSON has to be read anyway. No word of an answer is kept but what is checked below.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import sys
import time
import typing as t
import uuid

SERVICE = "169.254.169.254"
#: no more than this is read of any answer or file; a server's true one holds a few kilobytes
MAX_BYTES = 256 * 1024
MAX_KEYS = 32
#: seconds: one attempt, the pause after it, and all of them together. DHCP and a busy cloud take their time.
ATTEMPT, PAUSE, PATIENCE = 8, 2, 120

SEEDED = pathlib.Path("/run/openrescue/seeded")
#: sshd looks here beside ~/.ssh/authorized_keys. A file of its own, so that nothing is lost to who writes that one too.
KEYS = pathlib.Path("/run/openrescue/keys/root")

#: type of a key -> how many fields its blob has, the type's name included
FIELDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
#: A public key starts its line: options, which could run commands, would stand before it.
LINE = re.compile(r"([a-z0-9@.-]{1,40})[ \t]+([A-Za-z0-9+/]{16,8192}={0,2})(?:[ \t].*)?", re.ASCII)
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?", re.ASCII)


def fields(blob: bytes) -> list[bytes]:
    """The fields of an SSH blob; an error if they do not fill it to the byte."""
    found = []
    while blob:
        if len(blob) < 4:
            raise ValueError("a length is cut off")
        (length,) = struct.unpack_from(">I", blob)
        if length > len(blob) - 4:
            raise ValueError("a field is cut off")
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found


def public_key(line: str) -> str:
    """The public key of a line without its comment, or an empty text where the line is anything else."""
    match = LINE.fullmatch(line.strip(" \t\r"))
    if not match or match[1] not in FIELDS:
        return ""
    try:
        parts = fields(base64.b64decode(match[2], validate=True))
    except (ValueError, binascii.Error):
        return ""
    whole = len(parts) == FIELDS[match[1]] and parts[0] == match[1].encode("ascii") and all(parts)
    return f"{match[1]} {match[2]}" if whole else ""


def public_keys(texts: t.Iterable[object]) -> list[str]:
    """The public keys in some texts, each once."""
    found: dict[str, None] = {}
    for text in texts:
        for line in text.split("\n") if isinstance(text, str) else ():
            key = public_key(line)
            if key and len(found) < MAX_KEYS:
                found[key] = None
    return list(found)


def load(data: bytes) -> dict[str, t.Any]:
    """A JSON object; an error if the data is anything else."""
    try:
        value = json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    return value


def keys_of(metadata: dict[str, t.Any]) -> list[str]:
    """The public keys in OpenStack's metadata of a server."""
    named = metadata.get("public_keys")
    return public_keys(named.values()) if isinstance(named, dict) else []


def get(path: str) -> bytes:
    """What the service has at a path: nothing if there is no such path, an error if it cannot say."""
    # No proxy and no redirect: what comes from elsewhere is not the cloud's word.
    connection = http.client.HTTPConnection(SERVICE, timeout=ATTEMPT)
    try:
        connection.request("GET", path, headers={"User-Agent": "openrescue"})
        answer = connection.getresponse()
        if answer.status == http.client.NOT_FOUND:
            return b""
        if answer.status != http.client.OK:
            raise ValueError(f"status {answer.status}")
        data = answer.read(MAX_BYTES + 1)
    finally:
        connection.close()
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    return data


def keys_of_service() -> list[str]:
    """The keys by OpenStack's own interface, else by the one that it copied from EC2."""
    data = get("/openstack/latest/meta_data.json")
    keys = keys_of(load(data)) if data else []
    if keys:
        return keys
    listed = get("/latest/meta-data/public-keys/").decode("ascii", "replace").split("\n")
    numbers = [match[1] for match in (re.match(r"([0-9]{1,2})=", line) for line in listed[:MAX_KEYS]) if match]
    texts = (get(f"/latest/meta-data/public-keys/{number}/openssh-key") for number in numbers)
    return public_keys(text.decode("ascii", "replace") for text in texts)


def write(keys: list[str], target: pathlib.Path) -> None:
    """Let the owners of these keys in as root."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    scratch = target.parent.with_name("keys.new")
    scratch.write_text("".join(f"{key}\n" for key in keys), encoding="ascii")
    scratch.chmod(0o600)
    scratch.replace(target)


def overdue(*_: object) -> t.NoReturn:
    """The alarm: however slowly an answer drips in, an attempt ends."""
    raise TimeoutError("no whole answer in time")


def attempt() -> list[str]:
    """Ask once."""
    signal.alarm(ATTEMPT)
    try:
        return keys_of_service()
    finally:
        signal.alarm(0)


def ask() -> None:
    """Ask the service until it has answered, a config drive has come, or patience is over."""
    signal.signal(signal.SIGALRM, overdue)
    end = time.monotonic() + PATIENCE
    said = ""
    while not SEEDED.exists() and time.monotonic() < end:
        try:
            keys = attempt()
        except (OSError, ValueError, http.client.HTTPException) as error:
            # Once for each reason, and never raw: it may hold words of the answer.
            if ascii(error)[:200] != said:
                said = ascii(error)[:200]
                print(f"metadata service: {said}", flush=True)
            time.sleep(PAUSE)
            continue
        if keys:
            write(keys, KEYS)
        print(f"metadata service: {len(keys)} public keys", flush=True)
        return


def slurp(path: pathlib.Path) -> bytes:
    """A regular file of a foreign file system, if it is not too large."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_BYTES} bytes")
    return data


def allowed(metadata: dict[str, t.Any]) -> dict[str, t.Any]:
    """Of the metadata: the server's ID, name and keys. Files, passwords and modes are the server's, not ours."""
    kept: dict[str, t.Any] = {"uuid": str(uuid.UUID(str(metadata.get("uuid"))))}
    for name in ("hostname", "name"):
        if isinstance(metadata.get(name), str) and HOST_NAME.fullmatch(metadata[name]):
            kept[name] = metadata[name]
    kept["public_keys"] = {f"key-{number}": key for number, key in enumerate(keys_of(metadata))}
    return kept


def copy_drive(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy keys, name and network. A list of what is taken, not of what is left: clouds add to their drives."""
    latest = source / "openstack/latest"
    files = {"meta_data.json": allowed(load(slurp(latest / "meta_data.json")))}
    with contextlib.suppress(FileNotFoundError):
        files["network_data.json"] = load(slurp(latest / "network_data.json"))
    folder = target / "openstack/latest"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="ascii")


def main(arguments: list[str]) -> None:
    """What the arguments say."""
    if arguments[:1] == ["drive"]:
        copy_drive(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]))
    else:
        ask()


if __name__ == "__main__":
    main(sys.argv[1:])
