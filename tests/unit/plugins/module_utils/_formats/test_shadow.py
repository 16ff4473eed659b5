# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Password hashes and locks of real and of damaged tables."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.shadow import (
    find_secret,
    hide,
    is_crypt_hash,
    unlocked_hash,
    with_hash,
    with_unlocked,
)

SHA512 = "$6$saltsalt$" + "a" * 86
OLD = "$6$saltsalt$" + "b" * 86
YESCRYPT = "$y$j9T$saltsaltsaltsaltsalt.$" + "c" * 43
TODAY = 20000


@pytest.mark.parametrize(
    ("text", "is_hash"),
    [
        (SHA512, True),
        ("$6$rounds=656000$salt$" + "a" * 86, True),
        ("$5$salt$" + "a" * 43, True),
        (YESCRYPT, True),
        ("$gy$j9T$salt$" + "a" * 43, True),
        ("$7$CU..../....salt$" + "a" * 43, True),
        ("$2b$12$" + "a" * 53, True),
        ("$1$salt$" + "a" * 22, True),
        ("hunter2", False),
        ("", False),
        ("*", False),
        ("!", False),
        (f"!{SHA512}", False),
        ("x", False),
        ("aaTgKLt3Ghj1A", False),  # of DES, and as well a password
        (SHA512[:-1], False),
        (f"{SHA512}:", False),
        (f"{SHA512}\n", False),
        ("$6$sa:lt$" + "a" * 86, False),
        ("$6$hunter2", False),
        ("$9$salt$" + "a" * 86, False),
    ],
)
def test_what_is_a_hash(text: str, is_hash: bool) -> None:
    assert is_crypt_hash(text) is is_hash


@pytest.mark.parametrize(
    "line",
    [
        "joe",
        "joe:*",
        "joe:*:1:2:3:4:5:6",
        "joe:*:1:2:3:4:5:6:7:8",
        "joe:*:one::::::",
        "jo:*:1::::::",
        "joe:*:1:::::1x:",
    ],
)
def test_what_is_no_line_of_the_account(line: str) -> None:
    assert find_secret(line, "joe") is None
    # It is kept, and a whole line is added.
    assert with_hash(line, "joe", SHA512, today=TODAY) == f"{line}\njoe:{SHA512}:20000:0:99999:7:::\n"


def test_a_hash_is_set() -> None:
    text = f"root:*:19000:0:99999:7:::\njoe:!{OLD}:19000:1:90:7:14:30000:\nmax:x"
    assert with_hash(text, "joe", SHA512, today=TODAY) == text.replace(f"!{OLD}:19000", f"{SHA512}:20000")
    assert with_hash(text.replace(f"!{OLD}", SHA512), "joe", SHA512, today=TODAY) == text.replace(f"!{OLD}", SHA512)
    assert with_hash("", "joe", SHA512, today=-3) == f"joe:{SHA512}:1:0:99999:7:::\n"
    twice = "joe:a:1::::::\njoe:b:1::::::\n"
    assert with_hash(twice, "joe", SHA512, today=1) == f"joe:{SHA512}:1::::::\njoe:b:1::::::\n"


@pytest.mark.parametrize(
    ("hash_", "left"),
    [
        (f"!{OLD}", OLD),
        (f"!!{OLD}", OLD),
        (f"*LK*{OLD}", OLD),
        ("!", "*"),
        ("!!", "*"),
        ("!*", "*"),
        ("*LK*", "*"),
        ("*", "*"),
        ("", ""),
        (OLD, OLD),
    ],
)
def test_a_lock_is_taken_away_and_no_door_opened(hash_: str, left: str) -> None:
    assert unlocked_hash(hash_) == left


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (f"{OLD}:19000:0:99999:7:::", None, []),
        ("*:19000:0:99999:7:::", None, []),
        (f"!{OLD}:19000:0:99999:7:::", f"{OLD}:19000:0:99999:7:::", ["was locked"]),
        ("!:19000:0:99999:7:::", "*:19000:0:99999:7:::", ["was locked, and has no password: a key lets in"]),
        (f"{OLD}:19000:0:99999:7::19999:", f"{OLD}:19000:0:99999:7:::", ["had expired"]),
        (f"{OLD}:19000:0:99999:7::0:", f"{OLD}:19000:0:99999:7:::", ["had expired"]),
        (f"{OLD}:19000:0:99999:7::20001:", None, []),
        (f"{OLD}:19000:0:99999:7::-1:", None, []),
        (
            f"{OLD}:19000:0:90:7:30::",
            f"{OLD}:19000:0:90:7:::",
            ["was closed, for its password had expired long ago"],
        ),
        (f"{OLD}:19990:0:90:7:30::", None, []),
        (f"{OLD}:::::30::", None, []),
    ],
)
def test_an_account_is_unlocked(before: str, after: str | None, told: list[str]) -> None:
    text = f"root:*:1::::::\njoe:{before}\n\udcff"
    assert with_unlocked(text, "joe", today=TODAY) == (text.replace(before, after or before), told)
    assert with_unlocked(text, "nobody", today=TODAY) == (text, [])


def test_no_hash_is_shown() -> None:
    before = f"root:*:1::::::\njoe:!{OLD}:1::::::\nmax:aaTgKLt3Ghj1A:1::::::\n{OLD}\nx:x:0:0::/:/bin/sh\nopen::1::::::"
    after = before.replace(f"!{OLD}", SHA512)
    shown = hide(before, after)
    assert shown[0].splitlines() == [
        "root:*:1::::::",
        "joe:!(hidden 1):1::::::",
        "max:(hidden 2):1::::::",
        "(hidden 1)",
        "x:x:0:0::/:/bin/sh",
        "open::1::::::",
    ]
    assert shown[1].splitlines()[1] == "joe:(hidden 3):1::::::"
    assert not any(secret in "".join(shown) for secret in (SHA512, OLD, "aaTg"))
