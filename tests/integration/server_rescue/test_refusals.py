# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused: each with its code, the server's name and a way out, and with the server left as it was."""

from __future__ import annotations

import pathlib
import time
import typing as t

import libvirt
import pytest
from blank import Blank, make_image

NOVA = "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>"


def refused(blank: Blank, modules: t.Any, code: str, **params: t.Any) -> None:
    """The module and its check mode refuse, the info module says why, and nothing has changed."""
    before = (blank.run_id, blank.definition(), blank.files(), blank.domain.state(0))
    image = params.get("rescue_image", str(modules.image))
    told = modules.info(blank.name, **{**params, "rescue_image": image})
    assert told.server["rescuable"] is False
    assert code in [blocker["code"] for blocker in told.server["blockers"]]
    for outcome in (modules.rescue(blank.name, **params), modules.rescue(blank.name, check=True, **params)):
        assert outcome.returncode == 1
        assert outcome.code == code
        assert blank.name in outcome.values["msg"]
        assert outcome.server["error"]["hint"]
        assert outcome.server["changed"] is False
    assert (blank.run_id, blank.definition(), blank.files(), blank.domain.state(0)) == before


def test_managed_save(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    blank.domain.managedSave(0)
    refused(blank, modules, "managed_save_image")
    assert blank.domain.hasManagedSaveImage(0)


def test_block_job(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    xml = f"<disk type='file'><driver type='qcow2'/><source file='{blank.directory}/copy.qcow2'/></disk>"
    blank.domain.blockCopy("vda", xml, flags=libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB)
    refused(blank, modules, "block_job")
    blank.domain.blockJobAbort("vda", 0)


def test_nova(blank: Blank, modules: t.Any) -> None:
    blank.define(metadata=NOVA)
    refused(blank, modules, "owned_by_nova")


def test_transient(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    blank.domain.undefine()
    refused(blank, modules, "transient")
    blank.domain.destroy()
    blank.domain = None


def test_paused(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    blank.domain.suspend()
    refused(blank, modules, "paused")


def test_temporary_definition_of_somebody_else(blank: Blank, modules: t.Any) -> None:
    blank.define()
    other = make_image(blank.directory / "install.qcow2")
    blank.connection.createXML(blank.definition().replace(str(blank.disk), str(other)), 0)
    refused(blank, modules, "foreign_definition")


def test_image_that_is_not_there(blank: Blank, modules: t.Any) -> None:
    blank.define()
    for image in (f"{blank.directory}/no.qcow2", "/no/such/directory/no.qcow2", "no-such-pool/no.qcow2", "just-a-name"):
        refused(blank, modules, "image_missing", rescue_image=image)


def test_image_of_another_format(blank: Blank, modules: t.Any) -> None:
    blank.define()
    image = make_image(blank.directory / "other.vmdk", form="vmdk")
    refused(blank, modules, "image_format", rescue_image=str(image))
    refused(blank, modules, "image_format", rescue_image=str(blank.directory))


def test_kernel_that_is_not_there(blank: Blank, modules: t.Any) -> None:
    blank.define()
    refused(blank, modules, "kernel_missing", rescue_kernel=f"{blank.directory}/vmlinuz")


def test_image_that_is_its_own_disk(blank: Blank, modules: t.Any) -> None:
    blank.define()
    refused(blank, modules, "image_is_disk", rescue_image=str(blank.disk))


def test_read_only_on_ide(blank: Blank, modules: t.Any) -> None:
    blank.define(bus="ide", target="hda")
    refused(blank, modules, "read_only_impossible", disk_access="read_only")


def test_bus_that_the_machine_does_not_have(blank: Blank, modules: t.Any) -> None:
    blank.define(devices="<controller type='usb' model='none'/>")
    refused(blank, modules, "definition_refused", rescue_bus="usb")


def test_name_that_does_not_exist(blank: Blank, modules: t.Any) -> None:
    blank.define()
    outcome = modules.rescue(f"{blank.name}x")
    assert outcome.code == "server_not_found"
    assert f"'{blank.name}'" in outcome.server["error"]["hint"]
    assert modules.info("no-such-server").code == "server_not_found"


def test_name_that_is_anothers_uuid(blanks: t.Any, modules: t.Any) -> None:
    first = blanks().define()
    second = blanks(name=first.domain.UUIDString()).define()
    outcome = modules.rescue(second.name)
    assert outcome.code == "server_not_unique"
    assert first.name in outcome.values["msg"]
    assert not first.running
    assert not second.running


def test_warnings(blank: Blank, modules: t.Any) -> None:
    blank.define().start()
    blank.domain.snapshotCreateXML("<domainsnapshot/>", 0)
    disk = make_image(blank.directory / "plugged.qcow2")
    blank.domain.attachDevice(
        f"<disk type='file'><driver type='qcow2'/><source file='{disk}'/><target dev='vdb' bus='virtio'/></disk>"
    )
    codes = [warning["code"] for warning in modules.info(blank.name).server["warnings"]]
    assert codes == ["internal_snapshots", "live_only_disks"]
    outcome = modules.rescue(blank.name, admin_password="secret-word")
    assert len(outcome.values["warnings"]) >= 3
    assert "secret-word" not in str(outcome.values)


@pytest.mark.parametrize(
    "params",
    [
        {"server": "x"},
        {"server": "x", "state": "rescued"},
        {"server": "x", "state": "gone"},
        {"server": "x", "state": "rescued", "rescue_image": "/x", "disk_access": "overlay"},
        {"server": "x", "state": "rescued", "rescue_image": "/x", "rescue_cmdline": "x"},
        {"state": "rescued", "rescue_image": "/x"},
    ],
)
def test_wrong_options(modules: t.Any, params: dict[str, t.Any]) -> None:
    outcome = modules.call("server_rescue", **params)
    assert outcome.returncode == 1
    assert outcome.values["failed"] is True


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("qemu+unix:///system?socket=/no/such/socket", "connection_failed"),
        ("nonsense:///", "connection_failed"),
        ("qemu+tcp://192.0.2.1:1/system", "connection_failed"),
    ],
)
def test_libvirt_that_cannot_be_reached(modules: t.Any, uri: str, code: str) -> None:
    started = time.monotonic()
    outcome = modules.unrescue("x", libvirt_uri=uri, timeout=5)
    assert outcome.code == code
    assert uri in outcome.values["msg"]
    assert time.monotonic() - started < 20


def test_libvirt_that_never_answers(modules: t.Any, tmp_path: pathlib.Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        started = time.monotonic()
        outcome = modules.unrescue("x", libvirt_uri=f"qemu+unix:///system?socket={tmp_path}/s", timeout=3)
        assert outcome.code == "connection_failed"
        assert time.monotonic() - started < 20


def test_no_libvirt_python(modules: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "libvirt.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))
    outcome = modules.unrescue("x")
    assert outcome.code == "library_missing"
    assert "libvirt-python" in outcome.values["msg"]
