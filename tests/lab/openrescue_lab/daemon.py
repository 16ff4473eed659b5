# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A libvirtd of the lab's own: up, down, and healed when something killed half of it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import typing as t

from .base import LabError, locked, run, say, state_dir, wait_until

CONFIG = {
    "libvirtd.conf": """\
unix_sock_dir = "{state}/sock"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_outputs = "2:file:{state}/libvirtd.log"
max_clients = 500
max_anonymous_clients = 500
""",
    "virtlogd.conf": """\
max_size = 67108864
log_outputs = "2:file:{state}/virtlogd.log"
""",
    # The test machine has neither a security module nor cgroups for libvirt, and images lie in root's own cache.
    "qemu.conf": """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
""",
}


def uri() -> str:
    """How clients reach the lab's libvirtd."""
    return f"qemu+unix:///system?socket={state_dir()}/sock/libvirt-sock"


def processes() -> list[int]:
    """Every process in the lab's mount namespace. Told by a mount that only the lab makes, so never somebody else's."""
    marker = f" openrescue-lab:{state_dir()} "
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if marker in (entry / "mountinfo").read_text(encoding="utf-8", errors="replace"):
                found.append(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or a zombie: that has no mounts any more
    return found


def answers() -> bool:
    """Whether libvirtd serves clients now."""
    if not (state_dir() / "sock/libvirt-sock").exists():
        return False
    try:
        done = subprocess.run(["virsh", "-q", "-c", uri(), "version"], capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def up() -> str:
    """Start the lab unless it runs; the URI."""
    if len(str(state_dir())) > 60:
        raise LabError(f"OPENRESCUE_LAB is too long for a UNIX socket's path: {state_dir()}")
    with locked(state_dir().with_name(state_dir().name + ".lock")):
        if answers():
            return uri()
        _stop()
        _start()
    return uri()


def down() -> None:
    """Stop every guest and daemon of the lab and remove all that it kept."""
    with locked(state_dir().with_name(state_dir().name + ".lock")):
        _stop()


def restart_libvirtd() -> None:
    """Kill libvirtd alone; its keeper starts it again, as a host's service manager would."""
    pid_file = state_dir() / "libvirtd.pid"
    old = pid_file.read_text(encoding="ascii").strip()
    os.kill(int(old), signal.SIGKILL)

    def renewed() -> bool:
        return pid_file.exists() and pid_file.read_text(encoding="ascii").strip() not in ("", old) and answers()

    wait_until("libvirtd comes back", renewed, timeout=60)


def _start() -> None:
    state = state_dir()
    for name in ("sock", "lib", "log/qemu", "cache", "etc/qemu", "console", "mnt"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "no-kvm").touch()
    for name, text in CONFIG.items():
        (state / "etc" / name).write_text(text.format(state=state), encoding="utf-8")
    for directory in ("/run/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt", "/etc/libvirt"):
        pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    script = pathlib.Path(__file__).with_name("daemon.sh")
    with (state / "daemon.log").open("ab") as log:
        subprocess.Popen(
            ["unshare", "--mount", "--propagation", "slave", "--", "tini", "-s", "--", str(script), str(state)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    try:
        wait_until("libvirtd answers", answers, timeout=60)
    except LabError as error:
        said = (state / "daemon.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise LabError(f"{error}\n{said}") from error


def _stop() -> None:
    state = state_dir()
    pids = processes()
    if pids:
        say(f"stopping {len(pids)} processes")
    # The keepers first: what they keep would come back otherwise.
    for pids in iter(processes, []):
        for pid in sorted(pids):
            _kill(pid)
        _wait_gone(pids)
    for target in _mounts_below(state):
        run("umount", target)
    if state.exists():
        shutil.rmtree(state)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _wait_gone(pids: t.Sequence[int]) -> None:
    wait_until("the lab's processes end", lambda: not set(pids) & set(processes()), timeout=30, interval=0.05)


def _mounts_below(directory: pathlib.Path) -> list[str]:
    """Mount points below a directory, innermost first."""
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        target = line.split()[4].encode().decode("unicode_escape")
        if target.startswith(f"{directory}/"):
            found.append(target)
    return list(reversed(found))
