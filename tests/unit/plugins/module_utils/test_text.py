# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign text, shown."""

from __future__ import annotations

import json

from ansible_collections.openrescue.server.plugins.module_utils._text import printable, printable_result

BAD = b"vmlinuz-\xff\x1b[31m\nDONE".decode("utf-8", "surrogateescape")


def test_one_line() -> None:
    assert printable(BAD) == "vmlinuz-\\xff\\x1b[31m\\nDONE"
    assert printable("données") == "données"
    assert printable("x" * 400) == "x" * 297 + "..."


def test_a_result_is_printable_utf_8_throughout() -> None:
    shown = printable_result({BAD: [{"path": BAD, "size": 1}, (BAD, None, True, 1.5)]})
    json.dumps(shown, ensure_ascii=False).encode("utf-8")
    safe = "vmlinuz-\\xff\\x1b[31m\nDONE"
    assert shown == {safe: [{"path": safe, "size": 1}, [safe, None, True, 1.5]]}
    assert printable_result(shown) == shown
    assert printable_result("-\told\n") == "-\told\n"
