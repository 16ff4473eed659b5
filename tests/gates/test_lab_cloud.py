# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's cloud is judged rightly: what serves, what tempest said, and which port belongs to which server."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab"
sys.path.insert(0, str(LAB))

from openrescue_lab import cloud_ready, cloud_service, cloud_tempest  # noqa: E402

START = 1795467600.5  # 2026-11-23T21:00:00.5 UTC


def service(state: str = "up", seen: str | None = "2026-11-23T21:00:01.000000") -> dict[str, str | None]:
    return {"binary": "nova-compute", "host": "lab", "state": state, "status": "enabled", "updated_at": seen}


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ([service()], True),
        ([service(), service()], True),
        ([], False),
        ([service(state="down")], False),
        ([service(seen=None)], False),
        # Nova says "up" for a minute after a service was killed.
        ([service(seen="2026-11-23T20:59:59.000000")], False),
        # A time without fractions may be from before the start in the same second.
        ([service(seen="2026-11-23T21:00:00")], False),
        ([service(), service(seen="2026-11-23T20:00:00.000000")], False),
    ],
)
def test_a_service_is_there_when_it_has_reported_since_it_began(
    services: list[dict[str, str | None]], expected: bool
) -> None:
    assert cloud_ready.has_reported(services, START) is expected


def test_what_did_not_pass_and_was_not_skipped_has_failed() -> None:
    seen = cloud_tempest.outcome(
        [
            {"test": "a", "status": "success", "why": ""},
            {"test": "b", "status": "skip", "why": "no floating IPs"},
            {"test": "c", "status": "fail", "why": "Traceback"},
            {"test": "d", "status": "inprogress", "why": ""},
        ]
    )
    assert seen.passed == ("a",)
    assert seen.skipped == {"b": "no floating IPs"}
    assert set(seen.failed) == {"c", "d"}
    assert str(seen).startswith("3 ran: 1 passed, 2 failed; 1 skipped\n")


def test_a_process_is_known_by_its_birth_and_its_children_are_found() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & read line"], stdin=subprocess.PIPE) as shell:
        assert cloud_service.birth(shell.pid)
        while not cloud_service.descendants(shell.pid):
            assert shell.poll() is None
        [child] = cloud_service.descendants(shell.pid)
        subprocess.run(["kill", str(child)], check=True)
        shell.kill()
        # Dead, and not reaped yet: no more to be taken for alive.
        shell.wait()
    assert cloud_service.birth(shell.pid) is None


def test_mount_passes_on_what_is_not_its_own() -> None:
    stand_in = LAB / "cloud/roles/cinder/files/bin/mount"
    said = subprocess.run([stand_in, "--version"], check=True, capture_output=True, text=True).stdout
    assert "util-linux" in said


@pytest.mark.parametrize("made_before", [False, True])
def test_a_schema_is_made_once(tmp_path: pathlib.Path, made_before: bool) -> None:
    tools = {"mariadb": "cat > loaded", "mariadb-dump": "echo tables"}
    for name, line in tools.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\n{line}\n", encoding="ascii")
        tool.chmod(0o755)
    if made_before:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache/one.sql").write_text("tables\n", encoding="ascii")
    subprocess.run(
        [LAB / "cloud/schema", "socket", "cache", "one", "two", "--", "touch", "made"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
    )
    assert (tmp_path / "cache/one.sql").read_text(encoding="ascii") == "tables\n"
    assert (tmp_path / "made").exists() is not made_before
    assert (tmp_path / "loaded").exists() is made_before
