# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations of GRUB, each with where it comes from, for all that read or judge one."""

from __future__ import annotations

#: Debian 12, as its grub-mkconfig writes it, shortened; DEFAULT stands for the entry that starts
DEBIAN = """### BEGIN /etc/grub.d/00_header ###
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="DEFAULT"
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
menuentry 'Debian GNU/Linux' --class debian --class gnu $menuentry_id_option 'gnulinux-simple-1' {
        load_video
        if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
        linux   /vmlinuz-6.1.0-9-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro  quiet
        initrd  /initrd.img-6.1.0-9-amd64
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
        menuentry 'Linux 6.1.0-9' --class os $menuentry_id_option 'gnulinux-6.1.0-9-advanced-1' {
                linux   /vmlinuz-6.1.0-9-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
                initrd  /initrd.img-6.1.0-9-amd64
        }
        menuentry 'Linux 6.1.0-8' --class os $menuentry_id_option 'gnulinux-6.1.0-8-advanced-1' {
                linux   /vmlinuz-6.1.0-8-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
                initrd  /initrd.img-6.1.0-8-amd64
        }
}
menuentry "UEFI Firmware Settings" $menuentry_id_option 'uefi-firmware' {
        fwsetup
}
"""
#: RHEL 9, as its grub2-mkconfig writes it, shortened to what chooses an entry
RHEL = """if [ "${next_entry}" ] ; then
   set default="${next_entry}"
else
   set default="${saved_entry}"
fi
insmod blscfg
blscfg
if [ "${boot_indeterminate}" = "1" ]; then
  set timeout=0
fi
"""
#: SLES 12 SP5 on one partition (help.aliyun.com, "The instance cannot be started after the kernel is updated")
SLES = """menuentry 'SLES 12-SP5'  --class sles --class gnu-linux $menuentry_id_option 'gnulinux-simple-fd7bda55' {
        insmod part_msdos
        set root='hd0,msdos1'
        if [ x$feature_platform_search_hint = xy ]; then
          search --no-floppy --fs-uuid --set=root --hint='hd0,msdos1'  fd7bda55-42d3-4fe9-a2b0-45efdced0000
        else
          search --no-floppy --fs-uuid --set=root fd7bda55-42d3-4fe9-a2b0-45efdced0001
        fi
        echo    'Loading Linux 4.12.14-122.26-default ...'
        linux   /boot/vmlinuz-4.12.14-122.26-default root=UUID=fd7bda55-42d3-4fe9-a2b0-45efdced0000 net.ifnames=0
        echo    'Loading initial ramdisk ...'
        initrd  /boot/initrd-4.12.14-122.26-default
}
"""
#: by hand, for a server that needs no menu
FLAT = "set root=(hd0,1)\nlinux /vmlinuz root=/dev/vda1 ro\ninitrd /initrd.img\nboot\n"
#: the same word by word on one line
SHORT = 'menuentry "x" { linux /vmlinuz root=/dev/sda1; initrd /intel-ucode.img /initramfs.img; }\n'
#: RHEL 8: the command line that its entries take from a variable
RHEL_8 = """if [ -z "${kernelopts}" ]; then
  set kernelopts="root=/dev/mapper/rl-root ro crashkernel=auto rd.lvm.lv=rl/root rd.lvm.lv=rl/swap "
fi
"""
#: the redirect on an EFI partition, as gen_grub_cfgstub of grub2-common (RHEL, Fedora) writes it
STUB = (
    "search --no-floppy --fs-uuid --set=dev 1-2\nset prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n"
)
