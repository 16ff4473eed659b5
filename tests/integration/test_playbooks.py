# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Playbooks on a healthy guest, and on all that is wrong around a server."""

from __future__ import annotations

import pathlib
import re
import typing as t

from openrescue_lab import breakage
from openrescue_lab.base import run
from openrescue_lab.disk import blank, mounted, sha256, silent
from openrescue_lab.domain import Domain, Shape
from openrescue_lab.ssh_server import SshServer, ssh_server

from playbooks import Play

NO_LIBVIRT = "qemu+unix:///system?socket=/no/such/socket"


def test_a_healthy_guest_is_the_same_to_the_byte_after_a_rescue(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]
) -> None:
    """One by UEFI, whose NVRAM is kept too; one by BIOS goes this way in molecule."""
    disk = guest_disk()
    patient.define(disk, shape=Shape(firmware="efi", machine="q35", bus="sata"))
    patient.start().wait_for_console("BdsDxe")
    kept = [disk, patient.nvram()]
    patient.destroy()
    # Not before: libvirt itself sorts a new q35 guest's controllers at its first start.
    definition = patient.virsh("dumpxml", "--inactive", "--security-info")
    checksums = [sha256(path) for path in kept]

    play("rescue", patient.name).must_end_well()
    diagnosed = play("diagnose", patient.name).must_end_well()
    play("unrescue", patient.name).must_end_well()

    assert patient.state() == "shut off", "a guest that was off is off after"
    assert [sha256(path) for path in kept] == checksums
    assert patient.virsh("dumpxml", "--inactive", "--security-info") == definition
    assert "bootable" in diagnosed.text
    assert not re.search(r"\b(warning|error|critical) [a-z-]+:", diagnosed.text), diagnosed.text


#: where each task runs is seen by what only that machine has
FIX = """---
- name: Leave a trace
  ansible.builtin.copy:
    dest: "{{ patient_root }}/root/trace"
    content: was here
    mode: "0600"

- name: Write on the controller
  ansible.builtin.copy:
    dest: "{{ here }}/on-the-controller"
    content: "{{ inventory_hostname }} {{ rescue_host }}"
    mode: "0600"
  delegate_to: localhost

- name: Include more
  ansible.builtin.include_tasks: "{{ here }}/more.yml"

- name: Go wrong
  ansible.builtin.fail:
    msg: this fix went wrong
"""
MORE = """---
- name: Learn about the machine
  ansible.builtin.setup:
    gather_subset: ["!all", "!min", distribution]

- name: See that nothing of it is believed of the server
  ansible.builtin.assert:
    that:
      - ansible_facts.distribution is not defined
      - hostvars[rescue_host].ansible_facts.distribution == 'Debian'

- name: Copy the name of the rescue disk to the patient
  ansible.builtin.shell: lsblk -dnro SERIAL | grep -x openrescue-rescue | tr -d '\\n' > {{ patient_root }}/root/nested
  changed_when: true
"""


def test_tasks_of_the_users_own_and_a_repair_that_is_taken_back(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    disk = guest_disk()
    breakage.apply("fstab-missing-device", disk)
    broken = fstab(disk)
    patient.define(disk)
    tasks = tmp_path / "my_fix.yml"
    (tmp_path / "more.yml").write_text(MORE)
    tasks.write_text(FIX)

    outcome = play(
        "recover",
        hosts={patient.name: {"ansible_ssh_common_args": "-o ProxyJump=nowhere.invalid"}},
        recover_tasks=str(tasks),
        recover_probe_timeout=2,
        here=str(tmp_path),
    )

    outcome.must_fail_naming("this fix went wrong")
    assert patient.state() == "shut off", "it has its own system back, and was off before"
    with mounted(disk) as root:
        assert (root / "root/trace").read_text(encoding="ascii") == "was here"
        assert (root / "root/nested").read_text(encoding="ascii") == "openrescue-rescue"
    assert (tmp_path / "on-the-controller").read_text(encoding="ascii") == f"{patient.name} {patient.name}-rescue"
    assert fstab(disk) != broken, "what the tasks did wrong is no reason to take the repair back"

    undo = outcome.record(patient.name)["undo"]
    play("undo", patient.name, undo=undo).must_end_well()

    assert fstab(disk) == broken
    assert patient.state() == "shut off"
    with mounted(disk) as root:
        assert (root / "root/trace").exists(), "what the user wrote is the user's"


def fstab(disk: pathlib.Path) -> str:
    with mounted(disk) as root:
        return (root / "etc/fstab").read_text(encoding="utf-8")


def test_a_rescue_image_that_does_not_boot(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    patient.define(blank(tmp_path / "disk.raw")).start()
    image = silent(tmp_path / "not-a-system.raw")
    definition = patient.virsh("dumpxml", "--inactive", "--security-info")

    for name in ("rescue", "recover"):
        outcome = play(
            name, patient.name, rescue_image=str(image), rescue_system_timeout=5, rescue_shutdown_timeout=1,
            recover_probe_timeout=2,
        )  # fmt: skip
        outcome.must_fail_naming(patient.name, "wait for the rescue system", "has its own system back", "rescue_image")
        assert patient.state() == "running"
        assert patient.virsh("dumpxml", "--inactive", "--security-info") == definition


#: how healthy servers look where something else is broken
NO_WAY = {
    "no agent": {},
    "wrong address": {"verify_by": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
    "broken bastion": {
        "verify_by": "ssh",
        "ansible_host": "192.0.2.1",
        "ansible_ssh_common_args": "-o ProxyCommand=/bin/false",
    },
}


def test_servers_of_which_nobody_can_tell_are_left_alone(
    domains: t.Callable[..., Domain], play: Play, tmp_path: pathlib.Path
) -> None:
    hosts, identities = {}, {}
    for way, variables in NO_WAY.items():
        name = "untold-" + way.replace(" ", "-")
        identities[name] = domains(name, silent(tmp_path / f"{name}.raw")).start().virsh("domid")
        hosts[name] = variables

    outcome = play("recover", hosts=hosts, recover_probe_timeout=0)

    outcome.must_fail_naming("recover_running=true")
    for name, identity in identities.items():
        record = outcome.record(name)
        assert record["outcome"] == "left_alone", record
        assert f"server '{name}'" in record["error"] and "was left alone" in record["error"], record
        assert Domain(name).virsh("domid") == identity, "the guest was not touched"


def by_ssh(server: SshServer, known_hosts: pathlib.Path) -> dict[str, t.Any]:
    """How a server of an inventory is reached that is this SSH server."""
    return {
        "verify_by": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": server.port,
        "ansible_user": "root",
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known_hosts} -o IdentitiesOnly=yes",
    }


def test_a_server_that_refuses_our_key_is_left_alone(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    patient.define(silent(tmp_path / "disk.raw")).start()
    identity = patient.virsh("domid")
    (tmp_path / "ssh").mkdir()
    with ssh_server(tmp_path / "ssh") as server:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n", encoding="ascii")
        reached = by_ssh(server, tmp_path / "known_hosts")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "another-key")

        refused = {**reached, "ansible_ssh_private_key_file": str(tmp_path / "another-key")}
        outcome = play("recover", hosts={patient.name: refused}, recover_probe_timeout=0)
        outcome.must_fail_naming(patient.name, "Permission denied", "nobody can tell", "was left alone")

        known = {**reached, "ansible_ssh_private_key_file": str(server.key)}
        outcome = play("recover", hosts={patient.name: known}, recover_probe_timeout=0).must_end_well()
        assert "is up and was left alone (it lets us log in)" in outcome.text
    assert patient.virsh("domid") == identity, "the guest was not touched"


def test_a_server_with_another_host_key_is_left_alone(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    """It was built anew, or somebody sits in between: neither says that it is down."""
    patient.define(silent(tmp_path / "disk.raw")).start()
    identity = patient.virsh("domid")
    (tmp_path / "ssh").mkdir()
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "old-host-key")
    old = (tmp_path / "old-host-key.pub").read_text(encoding="ascii")
    with ssh_server(tmp_path / "ssh") as server:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {old}", encoding="ascii")
        changed = {**by_ssh(server, tmp_path / "known_hosts"), "ansible_ssh_private_key_file": str(server.key)}
        outcome = play("recover", hosts={patient.name: changed}, recover_probe_timeout=0)
    outcome.must_fail_naming(
        patient.name, "REMOTE HOST IDENTIFICATION HAS CHANGED", "nobody can tell", "was left alone"
    )
    assert patient.virsh("domid") == identity, "the guest was not touched"


#: what the agents of RHEL and SUSE are started with
FILTERED = """[Service]
ExecStart=
ExecStart=-/usr/sbin/qemu-ga --block-rpcs=guest-file-open,guest-file-close,guest-file-read,guest-file-write,\
guest-file-seek,guest-file-flush,guest-exec,guest-exec-status
"""


def test_a_server_whose_agent_runs_no_commands(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    """It is proven to be up, the result says by which proof, and nobody rescues it."""
    disk = guest_disk()
    with mounted(disk) as root:
        unit = root / "etc/systemd/system/qemu-guest-agent.service.d/filtered.conf"
        unit.parent.mkdir(parents=True)
        unit.write_text(FILTERED, encoding="ascii")
    patient.define(disk).start()
    identity = patient.virsh("domid")
    verify = tmp_path / "verify.yml"
    verify.write_text("---\n- hosts: servers\n  gather_facts: false\n  roles: [openrescue.server.verify]\n")

    proven = play(verify, patient.name).must_end_well()
    left = play("recover", patient.name).must_end_well()

    assert "degraded proof, its guest agent answers (its guest agent answers, Debian" in proven.text
    assert "is up and was left alone (its guest agent answers" in left.text
    assert patient.virsh("domid") == identity, "the guest was not touched"


def test_one_run_after_another_tells_each_its_own(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    """Triage ends well, and the recover that follows in the same run fails: the record is not the first one's."""
    patient.define(silent(tmp_path / "disk.raw")).start()
    both = tmp_path / "both.yml"
    both.write_text(
        "---\n- import_playbook: openrescue.server.triage\n- import_playbook: openrescue.server.recover\n"
        "- hosts: servers\n  gather_facts: false\n  tasks: []\n"
    )
    outcome = play(both, patient.name, recover_probe_timeout=0)
    outcome.must_fail_naming("was left alone")
    record = outcome.text[outcome.text.index("CUSTOM STATS") :]
    assert '"outcome": "left_alone"' in record
    assert "was left alone" in record


def test_a_disk_without_an_operating_system(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    patient.define(blank(tmp_path / "disk.raw"))
    outcome = play("recover", patient.name, recover_probe_timeout=2, verify_timeout=4)
    outcome.must_fail_naming(patient.name, "no operating system")
    assert patient.state() == "shut off"


#: how a server is to be proven to have booted -> why there is no proof
NO_PROOF: dict[str, tuple[dict[str, str], str]] = {
    "agent": ({"verify_by": "agent"}, "its power state running, its guest agent disconnected"),
    "console": ({"verify_by": "console"}, "found nothing to boot from"),
    "no-server": ({"verify_by": "agent", "rescue_server": "no-such-server"}, "no domain of that name"),
    "agent-no-libvirt": ({"verify_by": "agent", "rescue_libvirt_uri": NO_LIBVIRT}, NO_LIBVIRT),
    "console-no-libvirt": ({"verify_by": "console", "rescue_libvirt_uri": NO_LIBVIRT}, NO_LIBVIRT),
}


def test_no_proof_of_a_boot_says_why(patient: Domain, play: Play, tmp_path: pathlib.Path) -> None:
    patient.define(blank(tmp_path / "disk.raw")).start()
    verify = tmp_path / "verify.yml"
    verify.write_text("---\n- hosts: servers\n  gather_facts: false\n  roles: [openrescue.server.verify]\n")
    common = {"rescue_server": patient.name, "rescue_libvirt_uri": play.uri}
    hosts = {name: {**common, **variables} for name, (variables, _why) in NO_PROOF.items()}

    outcome = play(verify, hosts=hosts, rescue_libvirt_uri=None, verify_timeout=5, verify_interval=1)

    assert outcome.code != 0, outcome.text
    for name, (variables, why) in NO_PROOF.items():
        # The last one is of the role itself.
        said = re.findall(rf"^fatal: \[{name}(?: -> localhost)?\]: .*", outcome.text, re.MULTILINE)[-1]
        server = hosts[name]["rescue_server"]
        # What goes wrong with the provider is told by the module.
        proof = f": verify by {variables['verify_by']}: not proven to have booted within 5 s: "
        assert f"server '{server}': " in said, said
        assert (proof in said) == (name in ("agent", "console")), said
        assert why in said, said
        assert ("cannot connect to libvirt" in said) == ("libvirt" in name), said
    assert "has no attribute" not in outcome.text
