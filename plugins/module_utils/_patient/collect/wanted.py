# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an analyst needs of a patient, as tables: settings, boot loader, packages, journal, logs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

__all__ = ("BOOT", "GROUPS", "WITHIN", "Group")


@dataclasses.dataclass(frozen=True)
class Group:
    """Files of one kind.

    :param files: patterns, each component by fnmatch.
    :param folders: every file beneath them.
    :param share: how much of all bytes they may take, of 100.
    :param is_text: secrets in them are known by the lines that hold them.
    :param keeps_end: of one that is too large the end is taken; otherwise it is left out.
    :param any_size: each may be as large as all of them together, for a part of one is of no use.
    :param follows_links: where the administrator alone can make one.
    :param newest_first: in which order they are taken, where not all fit.
    :param names: what a file in a folder has to be called.
    :param without: folders beneath the others that are not of this group.
    """

    name: str
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    share: int = 100
    is_text: bool = False
    keeps_end: bool = False
    any_size: bool = False
    follows_links: bool = True
    newest_first: bool = False
    names: tuple[str, ...] = ("*",)
    without: tuple[str, ...] = ()


#: a link is followed only to these places
WITHIN = ("/boot", "/efi", "/etc", "/lib", "/usr", "/var/log", "/var/lib/dpkg", "/var/lib/rpm")

#: where boot loaders, kernels and their images are: what lies there is listed, with sizes and hashes
BOOT = ("/boot", "/boot/efi", "/efi")

_SETTINGS = Group(
    "settings",
    files=(
        "/etc/adjtime",
        "/etc/apt/sources.list",
        "/etc/crypttab",
        "/etc/debian_version",
        "/etc/default/grub",
        "/etc/default/useradd",
        "/etc/dracut.conf",
        "/etc/fedora-release",
        "/etc/fstab",
        "/etc/group",
        "/etc/gshadow",
        "/etc/host.conf",
        "/etc/hostname",
        "/etc/hosts",
        "/etc/hosts.allow",
        "/etc/hosts.deny",
        "/etc/inittab",
        "/etc/ld.so.conf",
        "/etc/ld.so.preload",
        "/etc/localtime",
        "/etc/login.defs",
        "/etc/machine-id",
        "/etc/mdadm.conf",
        "/etc/mkinitcpio.conf",
        "/etc/modules",
        "/etc/multipath.conf",
        "/etc/nologin",
        "/etc/nsswitch.conf",
        "/etc/os-release",
        "/etc/passwd",
        "/etc/redhat-release",
        "/etc/resolv.conf",
        "/etc/securetty",
        "/etc/selinux/config",
        "/etc/shadow",
        "/etc/shells",
        "/etc/ssh/ssh_host_*",
        "/etc/ssh/sshd_config",
        "/etc/sysconfig/bootloader",
        "/etc/sysconfig/grub",
        "/etc/sysconfig/kernel",
        "/etc/sysconfig/network",
        "/etc/sysconfig/network/*",
        "/etc/sysconfig/network-scripts/*",
        "/etc/sysctl.conf",
        "/etc/timezone",
        "/etc/vconsole.conf",
        "/etc/wpa_supplicant/*.conf",
        "/etc/zipl.conf",
        "/usr/lib/os-release",
        "/.autorelabel",
    ),
    folders=(
        "/etc/NetworkManager",
        "/etc/apt/sources.list.d",
        "/etc/cloud",
        "/etc/default/grub.d",
        "/etc/dracut.conf.d",
        "/etc/grub.d",
        "/etc/initramfs-tools",
        "/etc/kernel",
        "/etc/ld.so.conf.d",
        "/etc/lvm",
        "/etc/mdadm",
        "/etc/mkinitcpio.d",
        "/etc/modprobe.d",
        "/etc/modules-load.d",
        "/etc/netplan",
        "/etc/network",
        "/etc/pam.d",
        "/etc/security/limits.d",
        "/etc/ssh/sshd_config.d",
        "/etc/sysctl.d",
        "/etc/systemd",
        "/etc/udev",
        "/etc/yum.repos.d",
    ),
    # Old metadata of volume groups, of which there can be thousands.
    without=("/etc/lvm/archive",),
    is_text=True,
)
_LOADER = Group(
    "loader",
    files=(
        "/boot/config-*",
        "/boot/extlinux/extlinux.conf",
        "/boot/grub*/custom.cfg",
        "/boot/grub*/grub.cfg",
        "/boot/grub*/grub.conf",
        "/boot/grub*/grubenv",
        "/boot/grub*/menu.lst",
        "/boot/grub*/user.cfg",
        "/boot/loader/entries/*.conf",
        "/boot/loader/loader.conf",
        "/boot/syslinux/syslinux.cfg",
        "/boot/efi/EFI/*/grub.cfg",
        "/boot/efi/loader/entries/*.conf",
        "/boot/efi/loader/loader.conf",
        "/efi/EFI/*/grub.cfg",
        "/efi/loader/entries/*.conf",
        "/efi/loader/loader.conf",
    ),
    is_text=True,
)
_PACKAGES = Group(
    "packages",
    files=(
        "/lib/apk/db/installed",
        "/usr/lib/apk/db/installed",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/Packages.db",
        "/var/lib/dpkg/status",
        "/var/lib/rpm/rpmdb.sqlite",
        "/var/lib/rpm/Packages",
        "/var/lib/rpm/Packages.db",
    ),
    share=30,
)
_JOURNAL = Group(
    "journal",
    folders=("/var/log/journal",),
    names=("*.journal", "*.journal~"),
    share=60,
    any_size=True,
    follows_links=False,
    newest_first=True,
)
_LOGS = Group(
    "logs",
    folders=("/var/log",),
    # Of lastlog most is holes, one for each number that a user can have.
    without=("/var/log/journal", "/var/log/lastlog"),
    keeps_end=True,
    follows_links=False,
    newest_first=True,
)

GROUPS = (_SETTINGS, _LOADER, _PACKAGES, _JOURNAL, _LOGS)
