# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""server_rescue and server_rescue_info against a real libvirt, on guests without a system."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest
from blank import DISK, Blank, logs, make_image


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("autostart", [0, 1])
@pytest.mark.parametrize("was_running", [True, False])
def test_there_and_back(blank: Blank, modules: t.Any, *, was_running: bool, autostart: int) -> None:
    blank.define()
    blank.domain.setAutostart(autostart)
    before, disk, image = blank.definition(), sha256(blank.disk), sha256(modules.image)
    if was_running:
        blank.start()

    there = modules.rescue(blank.name)
    assert there.server["state"] == "rescued"
    assert there.values["changed"] is True
    assert blank.rescued()
    assert blank.without_marker() == before
    assert blank.domain.autostart() == 0
    previous = {"power_state": "running" if was_running else "shutdown", "autostart": bool(autostart)}
    assert there.server["previous"] == previous
    assert there.server["timings"]["total"] < 10
    assert ("stop_server" in there.server["actions"]) is was_running

    back = modules.unrescue(blank.name)
    assert back.server["state"] == "unrescued"
    assert back.server["previous"] is None
    assert back.server["rescue"] is None
    assert blank.definition() == before
    assert blank.running is was_running
    assert not blank.rescued()
    assert blank.domain.autostart() == autostart
    assert blank.files() == []
    blank.domain.isActive() and blank.domain.destroy()
    assert sha256(blank.disk) == disk
    assert sha256(modules.image) == image


def test_our_share_of_the_downtime(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    assert modules.rescue(blank.name).server["timings"]["switch"] < 2
    assert modules.unrescue(blank.name).server["timings"]["switch"] < 2


def test_second_run_changes_nothing(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    first = modules.rescue(blank.name)
    run, marker = blank.run_id, blank.marker()
    second = modules.rescue(blank.name)
    assert second.values["changed"] is False
    assert second.server["actions"] == []
    assert second.server["rescue"]["id"] == first.server["rescue"]["id"]
    assert (blank.run_id, blank.marker()) == (run, marker)


@pytest.mark.parametrize("running", [True, False])
def test_unrescue_of_what_is_not_rescued(blank: Blank, modules: t.Any, *, running: bool) -> None:
    blank.define()
    if running:
        blank.start()
    run, before = blank.run_id, blank.definition()
    outcome = modules.unrescue(blank.name)
    assert outcome.values["changed"] is False
    assert outcome.server["state"] == "unrescued"
    assert (blank.run_id, blank.definition()) == (run, before)


@pytest.mark.parametrize("start", ["off", "running", "rescued", "dead rescue"])
@pytest.mark.parametrize("state", ["rescued", "unrescued"])
def test_check_mode_changes_nothing(blank: Blank, modules: t.Any, start: str, state: str) -> None:
    blank.define()
    if start == "running":
        blank.start()
    if "rescue" in start:
        modules.rescue(blank.name)
    if start == "dead rescue":
        blank.domain.destroy()
    call = modules.rescue if state == "rescued" else modules.unrescue
    pools = {pool.name() for pool in blank.connection.listAllStoragePools(0)}
    before = (blank.run_id, blank.definition(), blank.files(), blank.domain.autostart())
    checked = call(blank.name, check=True)
    assert (blank.run_id, blank.definition(), blank.files(), blank.domain.autostart()) == before
    assert {pool.name() for pool in blank.connection.listAllStoragePools(0)} == pools
    done = call(blank.name)
    for key in ("changed", "state", "actions", "power_state", "previous"):
        assert checked.server[key] == done.server[key], key
    assert checked.values["diff"] == done.values["diff"]


def test_another_image_is_refused(blank: Blank, modules: t.Any) -> None:
    other = make_image(blank.directory / "other.qcow2")
    blank.define()
    modules.rescue(blank.name)
    run = blank.run_id
    outcome = modules.rescue(blank.name, rescue_image=str(other))
    assert outcome.code == "rescued_otherwise"
    assert "unrescue" in outcome.values["msg"].lower()
    assert modules.rescue(blank.name, disk_access="read_only").code == "rescued_otherwise"
    assert blank.run_id == run


def test_rescue_that_was_switched_off_comes_back(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    before = modules.rescue(blank.name).server
    blank.domain.destroy()
    assert modules.info(blank.name).server["state"] == "interrupted"
    again = modules.rescue(blank.name)
    assert again.values["changed"] is True
    assert again.server["state"] == "rescued"
    assert again.server["previous"] == before["previous"]
    assert blank.rescued()
    blank.domain.destroy()
    assert modules.unrescue(blank.name).server["state"] == "unrescued"
    assert blank.running
    assert blank.files() == []


@pytest.mark.parametrize("state", ["rescued", "unrescued"])
def test_original_that_was_started_by_hand(blank: Blank, modules: t.Any, state: str) -> None:
    blank.define()
    before = blank.definition()
    modules.rescue(blank.name)
    blank.domain.destroy()
    blank.domain.create()
    run = blank.run_id
    if state == "rescued":
        assert modules.rescue(blank.name).server["previous"]["power_state"] == "running"
        assert blank.rescued()
    else:
        assert modules.unrescue(blank.name).values["changed"] is True
        assert blank.run_id == run
        assert blank.definition() == before
        assert blank.files() == []


def test_power_state_is_not_restored_where_so_wished(blank: Blank, modules: t.Any) -> None:
    blank.define()
    modules.rescue(blank.name)
    modules.unrescue(blank.name, restore_power_state=False)
    assert blank.running
    assert not blank.rescued()


def test_originals_are_untouched_and_rescue_boots_first(blank: Blank, modules: t.Any) -> None:
    blank.define(boot="", more="<boot order='1'/>").start()
    original = blank.live()
    modules.rescue(blank.name)
    live = blank.live()
    keys = [f"devices/disk/{part}" for part in ("target", "address", "alias", "source")]
    for key in keys:
        assert {k: v for k, v in live.find(key).attrib.items() if k != "index"} == {
            k: v for k, v in original.find(key).attrib.items() if k != "index"
        }, key
    orders = {
        disk.findtext("serial"): disk.find("boot").get("order")
        for disk in live.findall("devices/disk")
        if disk.find("boot") is not None
    }
    assert orders == {"openrescue-rescue": "1"}
    assert live.find("os/boot") is None


SHAPES: dict[str, dict[str, t.Any]] = {
    "q35": {"machine": "q35"},
    "uefi": {"machine": "q35", "firmware": " firmware='efi'"},
    "scsi": {
        "bus": "scsi",
        "target": "sda",
        "devices": "<controller type='scsi' index='0' model='virtio-scsi'/>",
        "more": "<address type='drive' controller='0' bus='0' target='0' unit='3'/>",
    },
    "sata": {"machine": "q35", "bus": "sata", "target": "sda"},
    "ide": {"bus": "ide", "target": "hda"},
    "usb": {"bus": "usb", "target": "sda"},
    "agent": {"devices": "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"},
    "metadata": {"metadata": "<metadata><x:own xmlns:x='http://example.com/x'>text</x:own></metadata>"},
    "serial": {"devices": "<serial type='pty'/><console type='pty'/>"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_machines(blank: Blank, modules: t.Any, shape: str) -> None:
    blank.define(**SHAPES[shape])
    before = blank.definition()
    outcome = modules.rescue(blank.name, ssh_authorized_keys=["ssh-ed25519 AAAA test"], user_data="#cloud-config\n{}\n")
    assert outcome.server["error"] is None
    live = blank.live()
    serials = [serial.text for serial in live.findall("devices/disk/serial")]
    assert serials[-2:] == ["openrescue-rescue", "openrescue-seed"]
    assert outcome.server["agent"] == "disconnected"
    assert (logs() / pathlib.Path(outcome.server["rescue"]["console_log"]).name).exists()
    if shape == "uefi":
        assert "openrescue-" in live.findtext("os/nvram")
    assert modules.unrescue(blank.name).server["state"] == "unrescued"
    assert blank.definition() == before
    assert blank.files() == []


def test_definition_that_is_changed_meanwhile_is_kept(blank: Blank, modules: t.Any) -> None:
    blank.define()
    modules.rescue(blank.name)
    changed = blank.definition().replace("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
    blank.connection.defineXML(changed)
    outcome = modules.unrescue(blank.name)
    assert "changed its persistent definition" in str(outcome.values["warnings"])
    assert ">2</vcpu>" in blank.definition()
    assert "openrescue" not in blank.definition()


def test_marker_that_somebody_lost(blank: Blank, modules: t.Any) -> None:
    """The running rescue system carries a copy."""
    blank.define().start()
    before = blank.definition()
    modules.rescue(blank.name)
    blank.connection.defineXML(before)
    assert modules.info(blank.name).server["state"] == "rescued"
    modules.unrescue(blank.name)
    assert blank.definition() == before
    assert blank.running
    assert blank.files() == []


def test_read_only(blank: Blank, modules: t.Any) -> None:
    blank.define()
    outcome = modules.rescue(blank.name, disk_access="read_only")
    assert [disk["read_only"] for disk in outcome.server["rescue"]["disks"]] == [True]
    assert outcome.server["rescue"]["disks"][0]["device"] == "/dev/disk/by-id/virtio-openrescue-vda"


def test_cdrom_is_attached_as_it_is(blank: Blank, modules: t.Any) -> None:
    image = make_image(blank.directory / "rescue.iso", form="raw")
    blank.define()
    modules.rescue(blank.name, rescue_image=str(image), rescue_device="cdrom")
    sources = [source.get("file") for source in blank.live().findall("devices/disk/source")]
    assert str(image) in sources
    assert not [name for name in blank.files() if name.endswith(".qcow2")]


def test_own_config_drive_is_left_out(blank: Blank, modules: t.Any) -> None:
    from ansible_collections.openrescue.server.plugins.module_utils._libvirt.seed import seed_image

    seed, other = blank.directory / "own-seed.iso", make_image(blank.directory / "own.iso", form="raw")
    seed.write_bytes(seed_image(instance_id="own", hostname="own", keys=(), user_data=""))
    cdroms = [
        DISK.format(kind="cdrom", form="raw", path=path, target=target, bus="ide", more="<readonly/>")
        for path, target in ((seed, "hdc"), (other, "hdd"))
    ]
    blank.define(disks="".join(cdroms))
    before = blank.definition()
    outcome = modules.rescue(blank.name, user_data="#cloud-config\n{}\n")
    assert [disk["source"] for disk in outcome.server["rescue"]["disks"]] == [str(blank.disk), str(other)]
    modules.unrescue(blank.name)
    assert blank.definition() == before


def test_direct_kernel_of_the_server_is_not_booted(blank: Blank, modules: t.Any) -> None:
    blank.define(boot="<kernel>/nowhere/vmlinuz</kernel><initrd>/nowhere/initrd</initrd><cmdline>root=x</cmdline>")
    before = blank.definition()
    modules.rescue(blank.name)
    assert [blank.live().find(f"os/{name}") for name in ("kernel", "initrd", "cmdline")] == [None] * 3
    modules.unrescue(blank.name, restore_power_state=True)
    assert blank.definition() == before


def test_many_servers(blanks: t.Callable[[], Blank], modules: t.Any) -> None:
    servers = [blanks().define() for _ in range(4)]
    names = [server.name for server in servers]
    outcome = modules.rescue([*names[:2], "no-such-server", *names[2:]])
    assert outcome.values["failed"] is True
    assert [server["name"] for server in outcome.values["servers"]] == [*names[:2], "no-such-server", *names[2:]]
    assert [server["state"] for server in outcome.values["servers"] if not server["error"]] == ["rescued"] * 4
    assert "no-such-server" in outcome.values["msg"]
    assert all(server.rescued() for server in servers)
    back = modules.unrescue(names)
    assert [server["state"] for server in back.values["servers"]] == ["unrescued"] * 4
    assert not any(server.running for server in servers)


def test_by_uuid_and_through_a_pool(blank: Blank, modules: t.Any) -> None:
    blank.define()
    target = f"<target><path>{blank.directory}</path></target>"
    xml = f"<pool type='dir'><name>pool-{blank.name}</name>{target}</pool>"
    pool = blank.connection.storagePoolCreateXML(xml, 0)
    try:
        image = f"{pool.name()}/{modules.image.name}"
        outcome = modules.rescue(blank.domain.UUIDString().upper(), rescue_image=image)
        assert outcome.server["name"] == blank.name
        assert outcome.server["rescue"]["image"] == str(modules.image)
        assert modules.rescue(blank.name).values["changed"] is False
        modules.unrescue(blank.name)
        assert pool.isActive()
    finally:
        pool.destroy()
