# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""crypttab as Debian's installer and others write it."""

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.module_utils._formats.crypttab import (
    opened_by_initramfs,
    parse_crypttab,
)

TEXT = """\
# <target name> <source device> <key file> <options>
vda3_crypt UUID=11111111-2222-3333-4444-555555555555 none luks,discard
swap\t/dev/vda4
data UUID=99999999-2222-3333-4444-555555555555 /etc/keys/data luks,nofail
early UUID=88888888-2222-3333-4444-555555555555 - luks,initramfs"""


def test_what_an_entry_says() -> None:
    first, swap, _data, early = parse_crypttab(TEXT)
    assert (first.name, first.key, first.options) == ("vda3_crypt", "none", ("luks", "discard"))
    assert (swap.device, swap.key, swap.options) == ("/dev/vda4", "none", ())
    assert early.key == "none"


def test_what_is_no_entry_is_left_out() -> None:
    text = "# <target> <source> <key>\nvda5_crypt 'UUID=1-2' none luks,discard\n\nx\nswap /dev/vdb /dev/urandom swap\n"
    assert [(one.line, one.name, one.device, one.key, one.options) for one in parse_crypttab(text)] == [
        (2, "vda5_crypt", "UUID=1-2", "none", ("luks", "discard")),
        (5, "swap", "/dev/vdb", "/dev/urandom", ("swap",)),
    ]


def test_only_the_named_mappings_are_opened_by_the_initramfs() -> None:
    lines = TEXT.splitlines()
    told = opened_by_initramfs(TEXT, {"vda3_crypt", "swap", "early", "unheard"}).splitlines()
    assert told[1] == "vda3_crypt UUID=11111111-2222-3333-4444-555555555555 none luks,discard,initramfs"
    assert told[2] == "swap /dev/vda4 none initramfs"
    assert [told[0], *told[3:]] == [lines[0], *lines[3:]]
    assert opened_by_initramfs(TEXT, ()) == TEXT
