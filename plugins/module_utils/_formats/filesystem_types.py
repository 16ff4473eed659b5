# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types of file systems and their mount options, as fstab names them and as libblkid reports them. Pure tables.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import difflib

__all__ = ("BLOCK_TYPES", "KNOWN_TYPES", "is_local", "misspelled_option", "same_type", "without_foreign_options")

#: what a block device can hold and be mounted as
BLOCK_TYPES = frozenset(
    "ext2 ext3 ext4 xfs btrfs vfat msdos exfat ntfs ntfs3 ntfs-3g iso9660 udf f2fs jfs reiserfs nilfs2 squashfs "
    "erofs hfs hfsplus ufs minix bcachefs".split()
)
_NETWORK_TYPES = frozenset(
    "nfs nfs4 cifs smb3 smbfs ceph glusterfs lustre sshfs davfs afs gfs gfs2 ncp ncpfs ocfs2 orangefs pvfs2 9p "
    "virtiofs curlftpfs s3fs beegfs gpfs vboxsf prl_fs vmhgfs efs".split()
)
_PSEUDO_TYPES = frozenset(
    "none proc sysfs tmpfs ramfs devtmpfs devpts mqueue hugetlbfs cgroup cgroup2 debugfs tracefs securityfs configfs "
    "efivarfs binfmt_misc overlay aufs bind autofs zfs fuse rpc_pipefs nfsd selinuxfs pstore usbfs usbdevfs".split()
)
KNOWN_TYPES = BLOCK_TYPES | _NETWORK_TYPES | _PSEUDO_TYPES | {"swap", "auto", "fat"}

# Types that one driver mounts under each other's name. A new type under an older name fails, see same_type.
_ALIASES = (
    {"vfat", "msdos", "fat"},
    {"ntfs", "ntfs3", "ntfs-3g", "fuseblk"},
    {"iso9660", "udf"},
    {"hfs", "hfsplus"},
    # A swap area that a hibernated system wrote itself into is made one again by swapon.
    {"swap", "swsuspend"},
)

# What the kernel's own drivers know. What is here is never a slip of the pen.
_GENERIC = (
    "async atime auto bind comment context defaults defcontext dev diratime dirsync exec fail fscontext group "
    "iversion lazytime loop mand noatime noauto nodev nodiratime noexec nofail nogroup noiversion nolazytime nomand "
    "norelatime nostrictatime nosuid nosymfollow nouser nousers offset owner private rbind relatime remount ro "
    "rootcontext rprivate rshared rslave runbindable rw seclabel shared silent sizelimit slave strictatime suid sw "
    "sync unbindable user users"
)
_EXT = (
    "abort acl auto_da_alloc barrier bh block_validity bsddf bsdgroups commit data data_err dax debug delalloc "
    "dioread_lock dioread_nolock discard errors grpid grpjquota grpquota i_version init_itable inlinecrypt "
    "inode_readahead_blks journal_async_commit journal_checksum journal_dev journal_ioprio journal_path jqfmt "
    "max_batch_time max_dir_size_kb mb_optimize_scan min_batch_time minixdf no_prefetch_block_bitmaps noacl "
    "noauto_da_alloc nobarrier nobh noblock_validity nocheck nodelalloc nodioread_nolock nodiscard nogrpid "
    "noinit_itable nojournal_checksum noload nombcache noquota norecovery noreservation nouid32 nouser_xattr "
    "nowarn_on_error oldalloc orlov prefetch_block_bitmaps prjquota quota reservation resgid resuid sb stripe "
    "sysvgroups user_xattr usrjquota usrquota warn_on_error"
)
_XFS = (
    "allocsize attr2 biosize delaylog filestreams gqnoenforce gquota ihashsize ikeep inode32 inode64 largeio lifetime "
    "logbsize logbufs logdev noalign noattr2 nodelaylog noikeep nolargeio nouuid osyncisdsync osyncisosync "
    "pqnoenforce pquota qnoenforce rtdev sunit swalloc swidth uqnoenforce uquota wsync"
)
_BTRFS = (
    "alloc_start autodefrag check_int clear_cache compress compress-force datacow datasum degraded device "
    "enospc_debug fatal_errors flushoncommit inode_cache max_inline metadata_ratio noautodefrag nodatacow nodatasum "
    "noenospc_debug noflushoncommit noinode_cache nologreplay nospace_cache nossd nossd_spread notreelog recovery "
    "rescan_uuid_tree rescue skip_balance space_cache ssd ssd_spread subvol subvolid subvolrootid thread_pool treelog "
    "usebackuproot user_subvol_rm_allowed"
)
_OTHERS = (
    "allow_utime check codepage conv dmask dos1xfloppy dotsok fat flush fmask gid iocharset mode nfs nonumtail quiet "
    "rodir shortname showexec sys_immutable time_offset tz uid umask uni_xlate usefree utf8 conv hash nolog notail "
    "tails background_gc gc_merge nogc_merge active_logs alloc_mode fsync_mode inline_data inline_dentry noinline_data "
    "nls windows_names permissions norecover hidden session unhide norock nojoliet map block extent_cache lastblock"
)
_REAL_OPTIONS = frozenset(" ".join((_GENERIC, _EXT, _XFS, _BTRFS, _OTHERS)).split())
_OFTEN_MEANT = ("defaults", "nofail", "noauto", "noatime", "nodiratime", "relatime", "discard", "errors=remount-ro")
#: types of which the kernel refuses an option that it does not know
_STRICT_TYPES = frozenset("ext2 ext3 ext4 xfs btrfs vfat auto".split())
#: options that one family of types knows alone
_ONLY_EXT = ("errors=", "data=", "commit=", "barrier=")


def is_local(fstype: str) -> bool:
    """Whether the type is that of a device of this machine."""
    return fstype not in _PSEUDO_TYPES and fstype not in _NETWORK_TYPES and not fstype.startswith("fuse")


def same_type(declared: str, probed: str) -> bool:
    """Whether a mount with the declared type succeeds on what was probed."""
    if not probed or declared in ("auto", ""):
        return True
    for one in declared.split(","):
        if one == probed or any(one in group and probed in group for group in _ALIASES):
            return True
        # A newer ext mounts an older one; and ext2 leaves the journal of a clean ext3 alone.
        if (one, probed) in (("ext4", "ext2"), ("ext4", "ext3"), ("ext2", "ext3")):
            return True
    return False


def without_foreign_options(options: tuple[str, ...], fstype: str) -> tuple[str, ...]:
    """The options that a file system of this type takes, as far as that is known."""
    if fstype.startswith("ext"):
        return options
    return tuple(option for option in options if not option.startswith(_ONLY_EXT))


def misspelled_option(option: str, fstype: str) -> str | None:
    """What a mount option was meant to be, if it plainly is a slip of the pen for which the mount fails."""
    name = option.partition("=")[0]
    if not set(fstype.split(",")) <= _STRICT_TYPES or name.startswith("x-"):
        return None
    if name in _REAL_OPTIONS:
        return None
    near = difflib.get_close_matches(option, _OFTEN_MEANT, n=1, cutoff=0.82)
    return near[0] if near else None
