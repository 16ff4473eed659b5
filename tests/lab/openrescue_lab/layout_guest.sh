# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# In the rescue system: what every layout's MAKE uses, then (see layout_build.py) its disks, its tree, its boot loader.
set -eu
# Debian 11 keeps /bin and /sbin apart from /usr.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

settle() { udevadm settle --timeout=60; }

# ext4 UUID DEVICE: no feature that the patient's own release does not know.
ext4() { mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 ${EXT4:+-O "$EXT4"} -U "$1" "$2"; }

esp() { mkfs.fat -F 32 -n ESP -i "$(echo "$ESP" | tr -d -)" "$1" >/dev/null; }

# luks UUID DEVICE NAME: cheap to open, since the patient's processor is emulated.
luks() {
    printf %s "$PASSPHRASE" |
        cryptsetup luksFormat -q --type luks2 --uuid "$1" --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$2" -
    unlock "$2" "$3"
}

unlock() { printf %s "$PASSPHRASE" | cryptsetup open "$1" "$2" -; }

unpack() { tar --extract --file "$TAR" --directory /mnt --numeric-owner --xattrs --xattrs-include='*'; }

enter() {
    for place in dev proc sys run; do
        mount --rbind "/$place" "/mnt/$place"
        mount --make-rslave "/mnt/$place"
    done
}

grub_bios() {
    enter
    for disk in $GRUB; do chroot /mnt grub-install --target=i386-pc "$disk"; done
    chroot /mnt update-grub
}

grub_efi() {
    enter
    chroot /mnt grub-install --target=x86_64-efi --efi-directory=/boot/efi --uefi-secure-boot --no-nvram \
        --force-extra-removable
    chroot /mnt update-grub
}

extlinux() {
    enter
    chroot /mnt extlinux --install /boot/extlinux
}

none() { :; }
