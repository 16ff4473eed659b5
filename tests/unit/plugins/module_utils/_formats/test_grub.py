# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats import grub
from ansible_collections.openrescue.server.plugins.module_utils._formats.grub import (
    Menu,
    TooLarge,
    default_entry,
    parse_grub,
    written_by_mkconfig,
)
from ansible_collections.openrescue.server.plugins.module_utils._formats.grub_words import statements
from ansible_collections.openrescue.server.plugins.module_utils._formats.grubenv import parse_grubenv

from .grub_samples import DEBIAN, FLAT, RHEL_8, SHORT, SLES


@pytest.mark.parametrize(
    ("default", "linux"),
    [
        ("0", "9"),
        ("1", "9"),
        ("1>1", "8"),
        ("gnulinux-advanced-1>gnulinux-6.1.0-8-advanced-1", "8"),
        ("Advanced options>Linux 6.1.0-8", "8"),
        ("gnulinux-simple-1", "9"),
        ("no such entry", "9"),
        ("99", "9"),
        ("²", "9"),
    ],
)
def test_the_default_entry(default: str, linux: str) -> None:
    entry = default_entry(parse_grub(DEBIAN.replace("DEFAULT", default)))
    assert entry is not None
    assert entry.linux == f"/vmlinuz-6.1.0-{linux}-amd64"
    assert entry.initrds == (f"/initrd.img-6.1.0-{linux}-amd64",)


def test_the_saved_entry_is_in_the_environment_block() -> None:
    env = parse_grubenv("# GRUB Environment Block\nsaved_entry=gnulinux-advanced-1>1\n####")
    menu = parse_grub(DEBIAN.replace("DEFAULT", "${saved_entry}"), env)
    entry = default_entry(menu)
    assert entry is not None
    assert "-8-" in entry.linux


def test_a_hostile_configuration_ends_soon() -> None:
    text = "menuentry 'x' {\nsubmenu 'y' {\n" * 20000
    assert not parse_grub(text).complete
    assert default_entry(parse_grub(text)) is not None


def only(text: str) -> Menu:
    menu = parse_grub(text)
    assert len(menu.bootable()) == 1
    assert menu.complete
    return menu


def test_the_file_system_that_an_entry_begins_at() -> None:
    (entry,) = only(SLES).entries
    assert entry.device == "UUID=fd7bda55-42d3-4fe9-a2b0-45efdced0000"
    assert entry.id == "gnulinux-simple-fd7bda55"
    assert entry.initrds == ("/boot/initrd-4.12.14-122.26-default",)


def test_commands_outside_any_entry_are_one() -> None:
    menu = only(FLAT)
    assert menu.flat
    entry = default_entry(menu)
    assert entry is not None
    assert (entry.linux, entry.options, entry.device) == ("/vmlinuz", ("root=/dev/vda1", "ro"), "(hd0,1)")
    assert only(SHORT).entries[0].initrds == ("/intel-ucode.img", "/initramfs.img")


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        (
            "search --root-dev-only --fs-uuid --set=dev 1-2\nset prefix=($dev)/grub2\nconfigfile $prefix/grub.cfg",
            "(UUID=1-2)/grub2/grub.cfg",
        ),
        (
            "search.fs_uuid 1-2 root hd0,gpt2 \nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
            "(UUID=1-2)/boot/grub/grub.cfg",
        ),
        ("set prefix=($root)/EFI/alma\nconfigfile $prefix/grub.cfg\n", "()/EFI/alma/grub.cfg"),
        ("configfile ${prefix}/custom.cfg", "(prefix)/custom.cfg"),
        (
            'search --fs-uuid --set=root 1-2\nset prefix=(${root})/boot/grub2\nsource "${prefix}/grub.cfg"\n',
            "(UUID=1-2)/boot/grub2/grub.cfg",
        ),
        ("search --fs-uuid --set=root 1-2\nset prefix=($root)//grub2\nnormal\n", "(UUID=1-2)//grub2/grub.cfg"),
        (
            "search --no-floppy --set dev --file /grub2/grub.cfg\nset prefix=($dev)/grub2\nconfigfile $prefix/grub.cfg",
            "(FILE=/grub2/grub.cfg)/grub2/grub.cfg",
        ),
    ],
)
def test_where_a_redirect_leads(text: str, follows: str) -> None:
    menu = parse_grub(text)
    assert (menu.follows, menu.entries) == ([follows], [])


def test_what_is_read_under_a_condition_leads_nowhere() -> None:
    custom = "if [ -f  ${config_directory}/custom.cfg ]; then\n  source ${config_directory}/custom.cfg\nfi\n"
    assert parse_grub(custom).follows == []


def test_the_command_line_that_entries_of_rhel_8_take_from_a_variable() -> None:
    assert parse_grub(RHEL_8).variables["kernelopts"].startswith("root=/dev/mapper/rl-root ro")
    assert parse_grub(RHEL_8, {"kernelopts": "root=x"}).variables["kernelopts"] == "root=x"


def test_the_environment_block() -> None:
    block = "# GRUB Environment Block\nsaved_entry=a>b\nkernelopts=root=/dev/x ro a\\\\b\nboot_success=0\n" + "#" * 900
    assert parse_grubenv(block) == {"saved_entry": "a>b", "kernelopts": "root=/dev/x ro a\\b", "boot_success": "0"}


@pytest.mark.parametrize(
    ("condition", "entries"),
    [
        ("[ x$feature_menuentry_id = xy ]", 1),
        ('[ -z "${nothing}" ]', 1),
        ('[ ! -z "${nothing}" ]', 0),
        ('[ "${a}" = 1 -o "${b}" = 1 ]', 0),
        ("[ -f /x ]", 1),
        ("[ x$grub_platform = xefi ]", 1),
        ("loadfont unicode", 1),
    ],
)
def test_a_condition(condition: str, entries: int) -> None:
    menu = parse_grub(f"if {condition}; then\n{SHORT}fi\n")
    assert len(menu.entries) == entries
    assert menu.complete


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("#\n# DO NOT EDIT THIS FILE\n#\n# It is automatically generated by grub-mkconfig using templates\n", True),
        ("#\n# It is automatically generated by grub2-mkconfig using templates\n", True),
        (DEBIAN, True),
        (FLAT, False),
        ("", False),
    ],
)
def test_who_wrote_it(text: str, written: bool) -> None:
    assert written_by_mkconfig(text) is written


HOSTILE = ["'", '"a', "$a", "{ ", "\\", "a=$a$a$a\n", 'a="$a$a$a$a"\n', "[ ", "if [ ", "linux $a\n", "'\"\\ ", "}\n"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    began = time.process_time()
    parse_grub("a=x\n" + piece * (grub.MAX_TEXT // 8 // len(piece)))
    assert time.process_time() - began < 5


def test_what_no_server_has_is_not_read() -> None:
    with pytest.raises(TooLarge):
        parse_grub("a" * (grub.MAX_TEXT + 1))


def test_the_words_of_a_statement() -> None:
    found = [[word.raw for word in words] for words in statements("a 'b c'd; e # f\nmenuentry \"x\" {\n}\n")]
    assert found == [["a", "'b c'd"], ["e"], ["menuentry", '"x"', "{"], ["}"]]
