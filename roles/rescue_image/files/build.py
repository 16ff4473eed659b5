# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Build the rescue system: a disk image that boots by itself, a kernel and an initramfs beside it, and a manifest.

usage: build.py SPEC.json FILES TARGET    (SPEC: what tasks/main.yml writes; FILES: the role's files directory)

No loop device, no device node and no running udev is needed, so that it works in a container as well as on a host.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import typing as t
import uuid

MIB = 1024 * 1024
SECTOR = 512
BIOS_SECTORS = MIB // SECTOR
ESP_SECTORS = 64 * MIB // SECTOR

# Drivers of every bus that a cloud or a hypervisor puts a disk on; the initramfs loads those that it meets.
DISK_DRIVERS = (
    "virtio_pci virtio_mmio virtio_blk virtio_scsi virtio_console ahci ata_piix ata_generic sd_mod sr_mod nvme"
    " xhci_pci ehci_pci uhci_hcd usb_storage uas hv_vmbus hv_storvsc xen_blkfront vmw_pvscsi mptspi mptsas megaraid_sas"
    " sym53c8xx ext4 crc32c_generic crc32c_intel isofs"
).split()

# Kernel drivers that no disk repair needs.
NOT_INSTALLED = (
    "/usr/share/doc/* /usr/share/man/* /usr/share/locale/* /usr/share/info/* /usr/share/fonts/*"
    " /lib/modules/*/kernel/sound/* /lib/modules/*/kernel/drivers/gpu/* /lib/modules/*/kernel/drivers/media/*"
    " /lib/modules/*/kernel/drivers/net/wireless/* /lib/modules/*/kernel/drivers/infiniband/*"
    " /lib/modules/*/kernel/drivers/iio/* /lib/modules/*/kernel/drivers/staging/* /lib/modules/*/kernel/net/bluetooth/*"
    " /lib/modules/*/kernel/net/wireless/* /lib/modules/*/kernel/net/mac80211/*"
).split()

# Whatever would touch a foreign disk by itself, or costs time at boot and serves no rescue, of every suite.
MASKED_UNITS = (
    "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer"
    " mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer mdmonitor.service mdadm-shutdown.service"
    " lvm2-monitor.service lvm2-lvmpolld.socket lvm2-lvmpolld.service blk-availability.service dm-event.socket"
    " dm-event.service qemu-guest-agent.service systemd-timesyncd.service systemd-pstore.service"
    " systemd-networkd-wait-online.service systemd-network-generator.service systemd-udev-settle.service"
    " systemd-random-seed.service systemd-update-utmp.service systemd-update-utmp-runlevel.service"
    " systemd-logind.service sys-fs-fuse-connections.mount sys-kernel-config.mount"
    " systemd-journal-flush.service systemd-fsck-root.service systemd-remount-fs.service systemd-quotacheck.service"
    " systemd-machine-id-commit.service systemd-binfmt.service systemd-sysusers.service systemd-sysctl.service"
    " systemd-boot-system-token.service systemd-modules-load.service systemd-firstboot.service systemd-repart.service"
    " systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-tmpfiles-clean.timer systemd-initctl.socket"
    " systemd-journald-audit.socket systemd-ask-password-console.path systemd-ask-password-wall.path"
    " sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount"
    " proc-sys-fs-binfmt_misc.automount cloud-init-hotplugd.socket getty-static.service ldconfig.service"
    " xfs_scrub_all.timer mdadm-grow-continue@.service sshd-keygen.service tmp.mount systemd-hibernate-clear.service"
    " systemd-pcrmachine.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service grub-common.service"
    " systemd-journal-catalog-update.service systemd-hwdb-update.service systemd-update-done.service"
    " systemd-udev-load-credentials.service systemd-networkd-persistent-storage.service"
).split()
MASKED_GENERATORS = (
    "cloud-init-generator systemd-cryptsetup-generator systemd-fstab-generator systemd-gpt-auto-generator"
    " systemd-getty-generator systemd-hibernate-resume-generator systemd-integritysetup-generator"
    " systemd-rc-local-generator systemd-run-generator systemd-debug-generator systemd-system-update-generator"
    " systemd-sysv-generator systemd-veritysetup-generator systemd-ssh-generator systemd-tpm2-generator"
).split()
MASKED_UDEV_RULES = (
    "64-md-raid-assembly.rules 69-lvm.rules 56-dm-parts.rules 60-kpartx.rules 66-azure-ephemeral.rules"
    " 68-del-part-nodes.rules 69-md-clustered-confirm-device.rules 60-qemu-guest-agent.rules 96-e2scrub.rules"
).split()

# The parts of cloud-init, as Debian 12 and Debian 13 name them; none starts before a seed is there.
CLOUD_UNITS = "cloud-init-main cloud-init-local cloud-init cloud-init-network cloud-config cloud-final".split()

GRUB_BIOS_MODULES = "biosdisk part_gpt fat normal linux configfile echo test reboot minicmd serial terminal".split()
CMDLINE = (
    "root=UUID={uuid} rw console=tty0 console=ttyS0,115200 quiet loglevel=3 mitigations=off nowatchdog noresume"
    " raid=noautodetect systemd.gpt_auto=0 fsck.mode=skip"
)


@dataclasses.dataclass(frozen=True)
class Spec:
    """What the role asks for."""

    name: str
    inputs: str
    suite: str
    mirror: str
    packages: list[str]
    size: str
    formats: list[str]
    ssh_authorized_keys: list[str]


def run(*command: str | pathlib.Path, env: dict[str, str] | None = None, stdin: str = "") -> str:
    """Run a command; its output, or the end of what it said."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        sys.exit(f"rescue image: '{' '.join(words)[:300]}' ended with {done.returncode}:\n{tail}")
    return done.stdout


def bootstrap(spec: Spec, tree: pathlib.Path) -> None:
    """Install the packages into a tree."""
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={','.join(spec.packages)}"]
    command += ['--aptopt=APT::Install-Recommends "false"']
    command += [f"--dpkgopt=path-exclude={path}" for path in NOT_INSTALLED]
    command += [spec.suite, str(tree)] + ([spec.mirror] if spec.mirror else [])
    # The kernel's package would spend a minute on an initramfs that is not ours.
    run(*command, env={"INITRD": "No"})


def mask(spec: Spec, *, tree: pathlib.Path) -> None:
    """Take out everything that acts by itself."""
    for rule in MASKED_UDEV_RULES:
        # A new name in a new release would silently bring back what it was masked for.
        if not (tree / "lib/udev/rules.d" / rule).exists():
            sys.exit(f"rescue image: {spec.suite} has no udev rules '{rule}' to mask; has the file been renamed?")
    for directory, names in (
        ("systemd/system", MASKED_UNITS),
        ("systemd/system-generators", MASKED_GENERATORS),
        ("udev/rules.d", MASKED_UDEV_RULES),
    ):
        (tree / "etc" / directory).mkdir(parents=True, exist_ok=True)
        for name in names:
            link = tree / "etc" / directory / name
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")


def configure(spec: Spec, *, files: pathlib.Path, tree: pathlib.Path, build_id: str) -> None:
    """Our files over the tree; everything that acts by itself out of it."""
    # A link of the tree that one of our files replaces may lead out of the tree: never write through it.
    run("cp", "--recursive", "--remove-destination", "--no-preserve=ownership", f"{files}/root/.", tree)
    mask(spec, tree=tree)
    etc = tree / "etc"
    release = {"NAME": "openrescue", "BUILD_ID": build_id, "INPUTS": spec.inputs}
    (etc / "openrescue-release").write_text("".join(f"{key}={value}\n" for key, value in release.items()))
    (etc / "fstab").write_text("# Empty: the rescue system mounts nothing by itself.\n")
    (etc / "hostname").write_text("openrescue\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 openrescue\n::1 localhost\n")
    # Fixed, so that systemd does not take each boot for the first one and does not preset all units again.
    (etc / "machine-id").write_text(f"{uuid.UUID(build_id).hex}\n")
    for key in (etc / "ssh").glob("ssh_host_*"):
        key.unlink()
    if spec.ssh_authorized_keys:
        (tree / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
        authorized = tree / "root/.ssh/authorized_keys"
        authorized.write_text("".join(f"{key}\n" for key in spec.ssh_authorized_keys))
        authorized.chmod(0o600)
    # sshd and its host key wait for the first connection: the boot does not wait for them.
    run("systemctl", f"--root={tree}", "--quiet", "disable", "ssh.service")
    enabled = (
        "openrescue-agent.service ssh.socket systemd-networkd.service serial-getty@ttyS0.service getty@tty1.service"
    )
    run("systemctl", f"--root={tree}", "--quiet", "enable", *enabled.split())
    for unit in CLOUD_UNITS:
        if not (tree / f"lib/systemd/system/{unit}.service").exists():
            continue
        run("systemctl", f"--root={tree}", "--quiet", "disable", f"{unit}.service")
        wants = etc / "systemd/system/cloud-init.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / f"{unit}.service").symlink_to(f"/lib/systemd/system/{unit}.service")
    run("chroot", tree, "systemctl", "--quiet", "set-default", "multi-user.target")
    for rubbish in ("var/lib/apt/lists", "var/cache/apt", "boot"):
        for path in sorted((tree / rubbish).glob("*")):
            if rubbish != "boot" or path.name.startswith(("initrd", "System.map")):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def unpacked(module: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a kernel module; not compressed, since LZ4 around all of them is far quicker to undo at boot than XZ."""
    if module.suffix == ".xz":
        target.with_suffix("").write_bytes(lzma.decompress(module.read_bytes()))
    else:
        shutil.copy2(module, target)


def make_initramfs(*, files: pathlib.Path, tree: pathlib.Path, version: str, target: pathlib.Path) -> None:
    """A minimal initramfs: a static busybox, the disk drivers and one script."""
    work = tree / "tmp/initramfs"
    for name in ("bin", "proc", "sys", "dev", "new", "tmp"):
        (work / name).mkdir(parents=True)
    shutil.copy2(tree / "bin/busybox", work / "bin/busybox")
    # The script is kept without its first line, since no other machine has a shell there.
    script = (files / "initramfs-init").read_text(encoding="utf-8")
    (work / "init").write_text(f"#!/bin/busybox sh\n{script}", encoding="utf-8")
    (work / "init").chmod(0o755)
    for module in DISK_DRIVERS:
        shown = subprocess.run(
            ["chroot", str(tree), "modprobe", "--set-version", version, "--show-depends", module],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,  # a driver that this kernel has no more is no reason to have no image
        ).stdout
        for line in shown.splitlines():
            if line.startswith("insmod "):
                path = line.split()[1].lstrip("/")
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                unpacked(tree / path, work / path)
    modules = work / "lib/modules" / version
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        shutil.copy2(tree / "lib/modules" / version / name, modules / name)
    run("chroot", tree, "depmod", "--basedir", "/tmp/initramfs", version)
    run(
        "chroot",
        tree,
        "sh",
        "-ec",
        "cd /tmp/initramfs; find . | sort | cpio -o -H newc --quiet -R 0:0 | lz4 -l -9 -q >/tmp/initrd",
    )
    shutil.move(str(tree / "tmp/initrd"), target)
    shutil.rmtree(work)


def make_esp(
    *, tree: pathlib.Path, kernel: pathlib.Path, initrd: pathlib.Path, cmdline: str, esp: pathlib.Path
) -> None:
    """The FAT partition: kernel and initramfs for both firmwares, and the signed loaders for UEFI."""
    with esp.open("wb") as handle:
        handle.truncate(ESP_SECTORS * SECTOR)
    run("mkfs.fat", "-F", "32", "-n", "OPENRESCUE", esp)
    config = esp.with_name("grub.cfg")
    config.write_text(
        "set timeout=0\n"
        "terminal_input console\n"
        "terminal_output console\n"
        f"linux ($root)/vmlinuz {cmdline}\n"
        "initrd ($root)/initrd.img\n"
        "boot\n"
    )
    files = {
        "vmlinuz": kernel,
        "initrd.img": initrd,
        "grub/grub.cfg": config,
        # Debian's signed GRUB looks for its configuration here.
        "EFI/debian/grub.cfg": config,
        "EFI/BOOT/BOOTX64.EFI": tree / "usr/lib/shim/shimx64.efi.signed",
        "EFI/BOOT/grubx64.efi": tree / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
    }
    run("mmd", "-i", esp, "::grub", "::EFI", "::EFI/BOOT", "::EFI/debian")
    for name, source in files.items():
        run("mcopy", "-i", esp, source, f"::{name}")


def install_grub_bios(*, tree: pathlib.Path, disk: t.BinaryIO, core_sector: int) -> None:
    """GRUB for BIOS: its core image into the bios_boot partition, its first sector into the disk's.

    grub-install does the same, but wants the disk as a device. The two numbers to set are where the core image starts,
    for the boot sector (byte 92), and where its second sector lies, for its first one (byte 500).
    """
    run(
        "chroot", tree, "grub-mkimage", "-O", "i386-pc", "-o", "/tmp/core.img", "-p", "(,gpt2)/grub", *GRUB_BIOS_MODULES
    )
    core = bytearray((tree / "tmp/core.img").read_bytes())
    (tree / "tmp/core.img").unlink()
    if len(core) > BIOS_SECTORS * SECTOR:
        sys.exit("rescue image: GRUB's core image is larger than its partition")
    struct.pack_into("<Q", core, 500, core_sector + 1)
    boot = bytearray((tree / "usr/lib/grub/i386-pc/boot.img").read_bytes())
    struct.pack_into("<Q", boot, 92, core_sector)
    # As grub-install does for a hard disk: some BIOSes hand over a wrong drive number, which this corrects.
    boot[102:104] = b"\x90\x90"
    disk.seek(0)
    disk.write(boot[:440])
    disk.seek(core_sector * SECTOR)
    disk.write(core)


def make_disk(
    spec: Spec, *, tree: pathlib.Path, esp: pathlib.Path, root_uuid: str, target: pathlib.Path
) -> dict[str, str]:
    """The whole disk: bios_boot, ESP, root."""
    run("truncate", "--size", spec.size, target)
    table = (
        "label: gpt\nfirst-lba: 2048\n"
        f"start=2048, size={BIOS_SECTORS}, type=21686148-6449-6E6F-744E-656564454649, name=openrescue-bios\n"
        f"size={ESP_SECTORS}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=openrescue-esp\n"
        "type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=openrescue-root\n"
    )
    run("sfdisk", "--quiet", target, stdin=table)
    bios, efi, root = json.loads(run("sfdisk", "--json", target))["partitiontable"]["partitions"]
    with target.open("r+b") as disk:
        install_grub_bios(tree=tree, disk=disk, core_sector=bios["start"])
    copy_into(esp, target, offset=efi["start"] * SECTOR)
    filesystem = target.with_name("root.ext4")
    with filesystem.open("wb") as handle:
        handle.truncate(root["size"] * SECTOR)
    run("mkfs.ext4", "-q", "-L", "openrescue", "-U", root_uuid, "-m", "0", "-d", tree, filesystem)
    copy_into(filesystem, target, offset=root["start"] * SECTOR)
    filesystem.unlink()
    return {"root_partuuid": root["uuid"].lower(), "esp_partuuid": efi["uuid"].lower()}


def copy_into(source: pathlib.Path, target: pathlib.Path, *, offset: int) -> None:
    """Write a file into another at an offset, and leave its holes holes."""
    run("dd", f"if={source}", f"of={target}", "bs=1M", f"seek={offset // MIB}", "conv=notrunc,sparse", "status=none")


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(lambda: handle.read(MIB), b""):
            digest.update(block)
    return digest.hexdigest()


def write_manifest(
    spec: Spec, *, tree: pathlib.Path, made: dict[str, pathlib.Path], facts: dict[str, str], target: pathlib.Path
) -> None:
    """What was built, from what, and how to boot it."""
    packages = run("dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\n")
    manifest = {
        "name": spec.name,
        "suite": spec.suite,
        "inputs": spec.inputs,
        **facts,
        "files": {
            kind: {"name": path.name, "sha256": sha256(path), "size": path.stat().st_size}
            for kind, path in made.items()
        },
        "packages": dict(line.split(" ", 1) for line in packages.splitlines()),
    }
    target.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def build(spec: Spec, *, files: pathlib.Path, work: pathlib.Path, target: pathlib.Path) -> None:
    """Everything, in a scratch directory on the target's file system; what is whole is moved into place."""
    build_id, root_uuid = str(uuid.uuid4()), str(uuid.uuid4())
    tree = work / "tree"
    bootstrap(spec, tree)
    configure(spec, files=files, tree=tree, build_id=build_id)
    version = sorted((tree / "lib/modules").iterdir())[-1].name
    kernel, initrd = work / f"{spec.name}.vmlinuz", work / f"{spec.name}.initrd"
    shutil.copyfile(tree / "boot" / f"vmlinuz-{version}", kernel)
    make_initramfs(files=files, tree=tree, version=version, target=initrd)
    cmdline = CMDLINE.format(uuid=root_uuid)
    make_esp(tree=tree, kernel=kernel, initrd=initrd, cmdline=cmdline, esp=work / "esp.fat")
    raw = work / f"{spec.name}.raw"
    ids = make_disk(spec, tree=tree, esp=work / "esp.fat", root_uuid=root_uuid, target=raw)
    made = {"kernel": kernel, "initrd": initrd}
    if "qcow2" in spec.formats:
        made["qcow2"] = work / f"{spec.name}.qcow2"
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made["qcow2"])
    if "raw" in spec.formats:
        made["raw"] = raw
    facts = {"build_id": build_id, "root_uuid": root_uuid, **ids, "cmdline": cmdline, "kernel_version": version}
    listing = work / "manifest.json"
    write_manifest(spec, tree=tree, made=made, facts=facts, target=listing)
    for path in made.values():
        path.chmod(0o644)
        path.replace(target / path.name)
    # Last: as long as it is the old one, the next run builds again.
    listing.replace(target / f"{spec.name}.json")


def main() -> None:
    """Read the arguments, build, leave nothing else behind."""
    spec = Spec(**json.loads(pathlib.Path(sys.argv[1]).read_text()))
    files, target = pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    with tempfile.TemporaryDirectory(prefix=f".{spec.name}-", dir=target) as work:
        build(spec, files=files, work=pathlib.Path(work), target=target)


if __name__ == "__main__":
    main()
