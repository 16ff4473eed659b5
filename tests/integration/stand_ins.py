# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The collection's playbooks with stand-ins for its modules, which answer as they are told and write down who called.

What roles and playbooks decide is seen so for many servers in one run. What the modules do is seen elsewhere.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t

from openrescue_lab.base import LAB_DIR, REPOSITORY, run

BIN = pathlib.Path(sys.executable).parent
MODULES = ("server_rescue", "server_rescue_info", "console_diagnose", "disk_diagnose", "disk_repair", "disk_mount")

#: takes the parameters that the real module documents, and no other
MODULE = """\
import json
import os
import time

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec=json.loads({spec!r}), supports_check_mode=True)
# fake ssh says on whose rescue system this is
host = os.environ.get("RESCUE_OF") or "".join(module.params.get("server") or [])
given = {{key: value for key, value in module.params.items() if value is not None}}
with open(f"{home}/{{host}}.calls", "a") as file:
    file.write(json.dumps([{name!r}, given]) + "\\n")
path = f"{home}/{{host}}.answers"
with open(path) as file:
    answers = json.load(file)
mine = answers[{name!r}]
answer = mine.pop(0) if len(mine) > 1 else mine[0]
with open(path, "w") as file:
    json.dump(answers, file)
if answer == "lost":
    os._exit(255)
if answer == "endless":
    time.sleep(300)
(module.fail_json if answer.get("failed") else module.exit_json)(**{{"msg": "", **answer}})
"""
#: runs here what it is asked to run there; a rescue system has its own disk below its root, and a server has booted
SSH = """\
#!/bin/sh
for last; do :; done
case "$*" in *HostKeyAlias=*)
    RESCUE_OF=$(echo "$*" | sed 's/.*HostKeyAlias=id-\\([^.]*\\)[.].*/\\1/')
    export RESCUE_OF;;
esac
case "$*" in *"refused.example"*) echo 'ssh: refused' >&2; exit 255;; esac
case "$last" in
    *lsblk*) echo "disk vdb 8 $(cat "{home}/$RESCUE_OF.serial" 2>/dev/null || echo openrescue-rescue)";;
    *is-system-running*) echo running;;
    *openrescue-release*) ;;
    *) exec /bin/sh -c "$last";;
esac
"""
#: libvirt as the connection to a guest agent sees it, and the agent: one runs no commands, one answers none
LIBVIRT = """\
VIR_ERR_AGENT_UNRESPONSIVE, VIR_ERR_AGENT_UNSYNCED = 86, 97


class libvirtError(Exception):
    def get_error_code(self):
        return VIR_ERR_AGENT_UNRESPONSIVE


class Hypervisor:
    def lookupByName(self, name):
        return name


def open(uri):
    return Hypervisor()
"""
LIBVIRT_QEMU = """\
import base64
import json
import pathlib

import libvirt

COMMANDS = "exec exec-status file-close file-open file-read file-write info ping".split()


def qemuAgentCommand(domain, command, timeout, flags):
    asked = json.loads(command)
    says = (pathlib.Path(__file__).parent / (domain + ".agent")).read_text()
    answer = {}
    if asked["execute"] == "guest-info":
        answer["supported_commands"] = [
            {"name": "guest-" + name, "enabled": bool(says) or not name.startswith(("exec", "file")),
             "success-response": True}
            for name in COMMANDS
        ]
    elif asked["execute"] == "guest-exec":
        if says == "nothing":
            raise libvirt.libvirtError("Guest agent is not responding")
        assert says and "is-system-running" in asked["arguments"]["arg"][-1]
        answer["pid"] = 1
    elif asked["execute"] == "guest-exec-status":
        answer = {"exited": True, "exitcode": 0, "out-data": base64.b64encode(says.encode()).decode()}
    return json.dumps({"return": answer})
"""


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One server: what the modules answer, each in turn and the last one for ever, and its variables.

    :param agent: how far its guest agent says that the boot has come; empty where that runs no commands.
    """

    answers: t.Mapping[str, t.Sequence[t.Any]]
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    serial: str = "openrescue-rescue"
    agent: str = "running"


@dataclasses.dataclass(frozen=True)
class Told:
    """What was seen of one run."""

    code: int
    text: str
    records: dict[str, dict[str, t.Any]]
    calls: dict[str, list[tuple[str, dict[str, t.Any]]]]


def specs() -> dict[str, dict[str, t.Any]]:
    """What the real modules take, by their documentation."""
    names = [f"openrescue.server.{name}" for name in MODULES]
    tree = run(LAB_DIR / "venv", "tree").strip()
    text = run(BIN / "ansible-doc", "--type", "module", "--json", *names, env={"ANSIBLE_COLLECTIONS_PATH": tree})
    kept = ("type", "elements", "required", "default", "choices", "aliases")
    return {
        name.rpartition(".")[2]: {
            option: {key: value for key, value in about.items() if key in kept and value is not None}
            for option, about in found["doc"]["options"].items()
        }
        for name, found in json.loads(text).items()
    }


def collection(directory: pathlib.Path, home: pathlib.Path) -> pathlib.Path:
    """A copy of the collection with the stand-ins in it."""
    target = directory / "ansible_collections/openrescue/server"
    for name in ("plugins", "roles", "playbooks", "meta"):
        shutil.copytree(REPOSITORY / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "galaxy.yml", target)
    for name, spec in specs().items():
        text = MODULE.format(spec=json.dumps(spec), name=name, home=home)
        (target / f"plugins/modules/{name}.py").write_text(text, encoding="utf-8")
    return directory


def ansible_playbook(core: str) -> pathlib.Path:
    """The command of one of the lab's environments: ``main``, or ``oldest`` has the oldest that will do."""
    bins = BIN if core == "main" else pathlib.Path(run(LAB_DIR / "venv", "path", core).strip(), "bin")
    return bins / "ansible-playbook"


def play(
    directory: pathlib.Path,
    playbook: str | pathlib.Path,
    scenarios: t.Mapping[str, Scenario],
    *arguments: str,
    core: str = "main",
    env: t.Mapping[str, str] | None = None,
    interrupt_at: str = "",
) -> Told:
    """Run a playbook on all these servers at once; `env` comes on top of what it is run with.

    :param interrupt_at: the module at which somebody presses Ctrl-C.
    """
    home = directory / "home"
    home.mkdir()
    tree = collection(directory, home)
    for name, text in {"ssh": SSH.replace("{home}", str(home)), "systemctl": "#!/bin/sh\necho running\n"}.items():
        (home / name).write_text(text, encoding="utf-8")
        (home / name).chmod(0o755)
    (home / "libvirt.py").write_text(LIBVIRT, encoding="utf-8")
    (home / "libvirt_qemu.py").write_text(LIBVIRT_QEMU, encoding="utf-8")
    hosts = {}
    for name, scenario in scenarios.items():
        (home / f"{name}.answers").write_text(json.dumps(scenario.answers), encoding="utf-8")
        (home / f"{name}.serial").write_text(scenario.serial, encoding="ascii")
        (home / f"{name}.agent").write_text(scenario.agent, encoding="ascii")
        hosts[name] = dict(scenario.variables)
    variables = {
        "ansible_ssh_executable": str(home / "ssh"),
        "rescue_provider": "libvirt",
        "rescue_image": "/images/rescue.qcow2",
        "rescue_access": "ssh",
        "verify_by": "ssh",
        "verify_timeout": 1,
        "recover_probe_timeout": 0,
        "common_mount_path": str(directory / "mnt"),
    }
    (home / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    named = str(playbook) if isinstance(playbook, pathlib.Path) else f"openrescue.server.{playbook}"
    running = subprocess.Popen(
        [ansible_playbook(core), "-i", home / "hosts.json", named, "-e", "rescue_hosts=all", *arguments],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(tree),
            "ANSIBLE_FORKS": "20",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "HOME": str(home),
            "PYTHONPATH": str(home),
            **(env or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if interrupt_at:
        _press_ctrl_c(running, [home / f"{name}.calls" for name in scenarios], interrupt_at)
    text, _none = running.communicate(timeout=600)
    stats = text.rpartition("CUSTOM STATS: ")[2]
    at = stats.find("RUN: ")
    records = json.JSONDecoder().raw_decode(stats[at + len("RUN: ") :])[0]["openrescue"]["servers"] if at >= 0 else {}
    calls = {name: [tuple(json.loads(line)) for line in _lines(home / f"{name}.calls")] for name in scenarios}
    return Told(running.returncode, text, records, calls)


def _press_ctrl_c(running: subprocess.Popen[str], calls: t.Sequence[pathlib.Path], module: str) -> None:
    """As a terminal does: to the whole group, when a module is at work."""
    for _again in range(1200):
        if any(f'["{module}", ' in line for path in calls for line in _lines(path)):
            break
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)


def _lines(path: pathlib.Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
