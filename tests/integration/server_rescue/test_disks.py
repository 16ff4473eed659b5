# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rescue system gets of the server's own disks, and what is never looked into, on a real libvirt."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import threading
import typing as t
import xml.etree.ElementTree as ET

import libvirt
import pytest
from blank import DISK, Blank, Modules, logs, make_image

BLOCK = """\
<disk type='block' device='{kind}'><driver name='qemu' type='raw'/><source dev='{path}'/>\
<target dev='{target}' bus='{bus}'/>{more}</disk>"""

SERVED = """\
<disk type='vhostuser' device='disk'><driver name='qemu' type='raw'/>\
<source type='unix' path='{directory}/served.sock'/><target dev='vdb' bus='virtio'/></disk>"""


@pytest.fixture
def loop(tmp_path: pathlib.Path) -> t.Iterator[str]:
    image = make_image(tmp_path / "device.raw", form="raw")
    device = subprocess.run(
        ["losetup", "--find", "--show", str(image)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def pools_seen(libvirt_uri: str) -> t.Iterator[set[str]]:
    """The directory of every pool that there is at any moment."""
    seen: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        connection = libvirt.open(libvirt_uri)
        while not stop.wait(0.002):
            for pool in connection.listAllStoragePools(0):
                with contextlib.suppress(libvirt.libvirtError):
                    seen.add(ET.fromstring(pool.XMLDesc(0)).findtext("target/path") or "")
        connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def test_no_pool_is_made_over_devices(blank: Blank, modules: Modules, pools_seen: set[str], loop: str) -> None:
    """A raw disk and a CD that are devices of the host."""
    disks = BLOCK.format(kind="disk", path=loop, target="vdb", bus="virtio", more="")
    disks += BLOCK.format(kind="cdrom", path=loop, target="hdc", bus="ide", more="<readonly/>")
    blank.define(disks=disks)
    before = blank.definition()
    there = modules.rescue(blank.name)
    assert there.server["error"] is None
    modules.info(blank.name, rescue_image=str(modules.image))
    modules.unrescue(blank.name)
    assert str(blank.directory) in pools_seen, "the watch sees pools"
    assert not [path for path in pools_seen if path.startswith(("/dev", "/proc", "/sys"))]
    # The disk is the patient's; of the CD nobody can say what is in it.
    assert [disk["source"] for disk in there.server["rescue"]["disks"]] == [str(blank.disk), loop]
    assert "hdc" in str(there.values["warnings"])
    assert blank.definition() == before


def test_a_raw_file_that_cannot_be_read_is_left_out(blank: Blank, modules: Modules) -> None:
    """It is not there now, and what is there later nobody has seen."""
    gone = f"<source file='{blank.directory}/gone.iso' startupPolicy='optional'/>"
    blank.define(
        disks=f"""<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{gone}
        <target dev='hdc' bus='ide'/><readonly/></disk>"""
    )
    there = modules.rescue(blank.name)
    assert [disk["target"] for disk in there.server["rescue"]["disks"]] == ["vda"]
    assert "hdc" in str(there.values["warnings"])
    modules.unrescue(blank.name)


def test_a_cd_that_cannot_be_read_is_left_out(blank: Blank, modules: Modules) -> None:
    """A volume of a pool, a file in another format; an empty drive stays."""
    target = f"<target><path>{blank.directory}</path></target>"
    pool = blank.connection.storagePoolCreateXML(f"<pool type='dir'><name>{blank.name}</name>{target}</pool>", 0)
    try:
        make_image(blank.directory / "cd.iso", form="raw")
        make_image(blank.directory / "cd.qcow2")
        pool.refresh(0)
        disks = f"""<disk type='volume' device='cdrom'><driver name='qemu' type='raw'/>
        <source pool='{blank.name}' volume='cd.iso'/><target dev='hdb' bus='ide'/><readonly/></disk>
        <disk type='file' device='cdrom'><target dev='hdd' bus='ide'/><readonly/></disk>"""
        disks += DISK.format(
            kind="cdrom",
            form="qcow2",
            path=blank.directory / "cd.qcow2",
            target="hdc",
            bus="ide",
            more="<readonly/>",
        )
        blank.define(disks=disks)
        before = blank.definition()
        there = modules.rescue(blank.name)
        assert [disk["target"] for disk in there.server["rescue"]["disks"]] == ["vda", "hdd"]
        assert "hdb, hdc" in str(there.values["warnings"])
        modules.unrescue(blank.name)
        assert blank.definition() == before
    finally:
        pool.destroy()


def test_a_shared_disk_is_attached_read_only_and_told(blank: Blank, modules: Modules) -> None:
    """H10."""
    shared = make_image(blank.directory / "shared.raw", form="raw")
    blank.define(
        disks=DISK.format(kind="disk", form="raw", path=shared, target="vdb", bus="virtio", more="<shareable/>")
    )
    looked = modules.info(blank.name, rescue_image=str(modules.image))
    assert [problem["code"] for problem in looked.server["warnings"]] == ["shared_disks"]
    there = modules.rescue(blank.name)
    assert there.server["error"] is None
    told = {disk["target"]: (disk["shared"], disk["read_only"]) for disk in there.server["rescue"]["disks"]}
    assert told == {"vda": (False, False), "vdb": (True, True)}
    assert "vdb is shared" in str(there.values["warnings"])
    modules.unrescue(blank.name)


def test_a_shared_disk_that_cannot_be_read_only_is_refused_before_anything(blank: Blank, modules: Modules) -> None:
    shared = make_image(blank.directory / "shared.raw", form="raw")
    disk = DISK.format(kind="disk", form="raw", path=shared, target="sdb", bus="sata", more="<shareable/>")
    blank.define(machine="q35", disks=disk).start()
    run_id, before = blank.run_id, blank.definition()
    assert modules.rescue(blank.name).code == "shared_writable"
    assert (blank.run_id, blank.definition()) == (run_id, before)


def test_a_transient_disk_is_told_before_the_server_is_stopped(blank: Blank, modules: Modules) -> None:
    """H25."""
    blank.define(more="<transient/>")
    looked = modules.info(blank.name, rescue_image=str(modules.image))
    assert [problem["code"] for problem in looked.server["warnings"]] == ["transient_disks"]
    planned = modules.rescue(blank.name, check=True)
    assert "transient" in str(planned.values["warnings"])
    assert not blank.rescued()
    there = modules.rescue(blank.name)
    assert there.server["state"] == "rescued"
    assert "transient" in str(there.values["warnings"])
    modules.unrescue(blank.name)


def test_a_disk_that_another_process_serves_is_no_reason_to_refuse(blank: Blank, modules: Modules) -> None:
    """Libvirt itself judges the definition of the rescue system, without starting it."""
    shared_memory = "<memoryBacking><access mode='shared'/></memoryBacking>"
    blank.define(disks=SERVED.format(directory=blank.directory), metadata=shared_memory)
    looked = modules.info(blank.name, rescue_image=str(modules.image))
    assert (looked.server["blockers"], looked.server["rescuable"]) == ([], True)
    read_only = modules.rescue(blank.name, disk_access="read_only")
    assert (read_only.code, blank.running) == ("read_only_impossible", False)


def test_by_what_the_rescue_system_is_known(blank: Blank, modules: Modules) -> None:
    """And the log is where virtlogd may write."""
    # Where no domain has ever run, the lab's libvirt has no directory for logs yet.
    blank.define().start()
    rescue = modules.rescue(blank.name).server["rescue"]
    assert rescue["root_serial"] == "openrescue-rescue"
    assert rescue["root_serial"] in [serial.text for serial in blank.live().findall("devices/disk/serial")]
    log = pathlib.Path(rescue["console_log"])
    assert log.parent == pathlib.Path("/var/log/libvirt/qemu")
    assert (logs() / log.name).exists()
    modules.unrescue(blank.name)
    assert not (logs() / log.name).exists()
    cd = make_image(blank.directory / "rescue.iso", form="raw")
    there = modules.rescue(blank.name, rescue_image=str(cd), rescue_device="cdrom")
    assert there.server["rescue"]["root_serial"] is None
    modules.unrescue(blank.name)


def test_what_cannot_be_removed_is_told_and_does_not_keep_the_server(blank: Blank, modules: Modules) -> None:
    """S7."""
    blank.define().start()
    there = modules.rescue(blank.name)
    assert there.server["state"] == "rescued"
    [layer] = blank.directory.glob("openrescue-*.qcow2")
    layer.unlink()
    # libvirt removes no directory that holds something.
    (layer / "kept").mkdir(parents=True)
    back = modules.unrescue(blank.name)
    assert (back.server["state"], back.server["error"], blank.running) == ("unrescued", None, True)
    assert not blank.rescued()
    assert f"left behind: {layer}" in str(back.values["warnings"])
    assert blank.marker() is None
