# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.bls import menu_order, parse_bls
from ansible_collections.openrescue.server.plugins.module_utils._formats.boot_entry import BootEntry, flat
from ansible_collections.openrescue.server.plugins.module_utils._formats.systemd_boot import (
    default_entry_name,
    parse_loader_conf,
)

#: /boot/loader/entries of Rocky Linux 8 and of AlmaLinux 9, as kernel-install writes them
ROCKY_8 = """title Rocky Linux (4.18.0-553.22.1.el8_10.x86_64) 8.10 (Green Obsidian)
version 4.18.0-553.22.1.el8_10.x86_64
linux /vmlinuz-4.18.0-553.22.1.el8_10.x86_64
initrd /initramfs-4.18.0-553.22.1.el8_10.x86_64.img $tuned_initrd
options $kernelopts $tuned_params
id rocky-20240919-4.18.0-553
grub_users $grub_users
"""


def test_an_entry_of_the_boot_loader_specification() -> None:
    text = "title Fedora\nversion 6.1\nlinux /vmlinuz-6.1\ninitrd /initramfs-6.1.img $tuned_initrd\n"
    text += "options root=UUID=1 ro\n"
    entry = parse_bls("abc-6.1", text)
    assert (entry.id, entry.linux, entry.initrds, entry.options) == (
        "abc-6.1",
        "/vmlinuz-6.1",
        ("/initramfs-6.1.img",),
        ("root=UUID=1", "ro"),
    )


def test_variables_are_those_of_grub() -> None:
    entry = parse_bls("x", ROCKY_8, variables={"kernelopts": "root=/dev/mapper/rl-root ro"})
    assert entry.options == ("root=/dev/mapper/rl-root", "ro")
    assert entry.initrds == ("/initramfs-4.18.0-553.22.1.el8_10.x86_64.img",)
    assert parse_bls("x", "linux /a\noptions $a b\n").options == ("$a", "b")


def test_the_order_of_systemd_boot() -> None:
    texts = {
        "id-6.1.0-9": "version 6.1.0-9\n",
        "id-6.1.0-10": "version 6.1.0-10\n",
        "arch": "sort-key arch\nversion 1\n",
        "id-6.5+0-3": "version 6.5\n",
    }
    assert sorted(texts, key=lambda name: menu_order(name, texts[name])) == [
        "arch",
        "id-6.1.0-10",
        "id-6.1.0-9",
        "id-6.5+0-3",
    ]


@pytest.mark.parametrize(
    ("settings", "chosen"),
    [
        ("", "b.conf"),
        ("timeout 3\n#default x\ndefault a.conf\n", "a.conf"),
        ("default a\n", "a.conf"),
        ("default A*\n", "a.conf"),
        ("default nothing\n", "b.conf"),
        ("default @saved\n", None),
    ],
)
def test_the_default_of_systemd_boot(settings: str, chosen: str | None) -> None:
    assert default_entry_name(["b.conf", "a.conf", "c.efi"], parse_loader_conf(settings)) == chosen


def test_entries_at_any_depth() -> None:
    menu = [BootEntry(title="a", children=[BootEntry(title="b")]), BootEntry(title="c")]
    assert [entry.title for entry in flat(menu)] == ["a", "b", "c"]
