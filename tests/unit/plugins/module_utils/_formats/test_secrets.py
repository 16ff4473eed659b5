# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a secret in the settings of real systems, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.secrets import HIDDEN, masked, why_secret


@pytest.mark.parametrize(
    ("path", "is_secret"),
    [
        ("/etc/shadow", True),
        ("/etc/shadow-", True),
        ("/etc/gshadow", True),
        ("/etc/security/opasswd", True),
        ("/etc/ssh/ssh_host_ed25519_key", True),
        ("/etc/ssh/ssh_host_ed25519_key.pub", False),
        ("/etc/ssl/private/web.pem", True),
        ("/etc/pki/tls/private/web.pem", True),
        ("/etc/NetworkManager/certs/vpn.key", True),
        ("/etc/sysconfig/network-scripts/keys-wlan0", True),
        ("/etc/sysconfig/network-scripts/ifcfg-eth0", False),
        ("/etc/cryptsetup-keys.d/root.key", True),
        ("/etc/crypttab", False),
        ("/var/log/btmp", True),
        ("/var/log/btmp-20260701", True),
        ("/var/log/wtmp", False),
        ("/var/log/installer/cdebconf/questions.dat", True),
        ("/etc/passwd", False),
    ],
)
def test_files_that_are_secrets_as_a_whole(path: str, is_secret: bool) -> None:
    assert bool(why_secret(path)) is is_secret


@pytest.mark.parametrize(
    ("path", "line", "shown"),
    [
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash", None),
        ("/etc/passwd", "daemon:*:1:1::/:/sbin/nologin", None),
        ("/etc/passwd", "old:aaTgKLt3Ghj1A:10:10::/:/bin/sh", f"old:{HIDDEN}:10:10::/:/bin/sh"),
        ("/etc/passwd", "open::10:10::/:/bin/sh", None),
        ("/etc/group", "wheel:x:10:joe", None),
        ("/etc/NetworkManager/system-connections/a", "psk=my own words", f"psk={HIDDEN}"),
        ("/etc/NetworkManager/system-connections/a", "wep-key0=abcde", f"wep-key0={HIDDEN}"),
        ("/etc/NetworkManager/system-connections/a", "private-key-password=x", f"private-key-password={HIDDEN}"),
        ("/etc/NetworkManager/system-connections/a", "key-mgmt=wpa-psk", None),
        ("/etc/NetworkManager/system-connections/a", "address1=192.0.2.7/24,192.0.2.1", None),
        ("/etc/netplan/50.yaml", '          password: "my own words"', f"          password: {HIDDEN}"),
        ("/etc/netplan/50.yaml", "      key: 4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8=", f"      key: {HIDDEN}"),
        ("/etc/netplan/50.yaml", "      dhcp4: true", None),
        ("/etc/network/interfaces", "    wpa-psk my own words", f"    wpa-psk {HIDDEN}"),
        ("/etc/network/interfaces", "    address 192.0.2.7/24", None),
        (
            "/etc/fstab",
            "//nas/a /srv cifs user=a,password=b,vers=3 0 0",
            f"//nas/a /srv cifs user=a,password={HIDDEN},vers=3 0 0",
        ),
        ("/etc/fstab", "UUID=1-2 /boot/efi vfat umask=0077 0 1", None),
        ("/etc/systemd/system/a.service", "Environment=DB_PASSWORD=b c", f"Environment=DB_PASSWORD={HIDDEN}"),
        ("/etc/systemd/system/a.service", "ExecStart=/usr/bin/a --token=b", f"ExecStart=/usr/bin/a --token={HIDDEN}"),
        ("/etc/systemd/network/wg.netdev", "PrivateKey=abc=", f"PrivateKey={HIDDEN}"),
        (
            "/etc/apt/sources.list",
            "deb https://me:secret@apt.example.org a b",
            f"deb https://{HIDDEN}@apt.example.org a b",
        ),
        ("/etc/apt/sources.list", "deb https://deb.debian.org:443/debian a b", None),
        ("/etc/cloud/cloud.cfg", "    hashed: $6$salt$hash", f"    hashed: {HIDDEN}"),
        ("/boot/grub/grub.cfg", "password_pbkdf2 root grub.pbkdf2.sha512.10000.AB", f"password_pbkdf2 {HIDDEN}"),
        ("/boot/grub2/user.cfg", "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.AB", f"GRUB2_PASSWORD={HIDDEN}"),
        ("/boot/grub/grub.cfg", "linux /vmlinuz root=UUID=1 ro quiet", None),
        ("/etc/ssh/sshd_config", "PasswordAuthentication no", None),
        ("/etc/ssh/sshd_config", "#PermitRootLogin prohibit-password", None),
        ("/etc/nsswitch.conf", "passwd: files systemd", None),
        ("/etc/login.defs", "PASS_MAX_DAYS 99999", None),
        ("/etc/pam.d/common-password", "password [success=1] pam_unix.so yescrypt", None),
        ("/etc/crypttab", "root UUID=1 /etc/keys/root.key luks", None),
    ],
)
def test_lines(path: str, line: str, shown: str | None) -> None:
    result = masked(path, f"first\n{line}\nlast")
    assert result.text == f"first\n{shown or line}\nlast"
    assert result.lines == ((2,) if shown else ())


def test_what_a_section_of_secrets_holds() -> None:
    text = "[vpn]\nuser=joe\n[vpn-secrets]\nIPSec gateway=abc\n[ipv4]\nmethod=auto\n"
    assert masked("/etc/NetworkManager/a", text).text == text.replace("abc", HIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n",
        "a\n-----BEGIN PRIVATE KEY-----\nabc\n",
        "password: |\n  my own words\n",
        "password:\n  my own words\n",
        "password: >-  # folded\n  my own words\n",
        "Environment=DB_PASSWORD=abc \\\n  def\n",
    ],
)
def test_what_goes_on_for_lines_is_left_out_as_a_whole(text: str) -> None:
    result = masked("/etc/a", text)
    assert result.text is None
    assert result.reason


def test_bytes_that_are_no_text_stay() -> None:
    assert masked("/etc/a", "caf\udce9\0 psk=a\r\n").text == f"caf\udce9\0 psk={HIDDEN}\n"
    assert masked("/etc/a", "").text == ""


@pytest.mark.parametrize("piece", ["password", "pass ", "://", "$6$", "[", "psk=", "-----BEGIN ", "token \t", "a.b-"])
def test_a_long_line_takes_no_time(piece: str) -> None:
    began = time.monotonic()
    masked("/etc/a", piece * (1 << 16))
    assert time.monotonic() - began < 5
