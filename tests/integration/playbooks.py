# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Playbooks of the collection as a user runs them: ansible-playbook, an inventory, extra variables."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from openrescue_lab.base import LAB_DIR, run


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a playbook ended and what it printed."""

    code: int
    text: str

    def must_end_well(self) -> Outcome:
        assert self.code == 0, self.text
        return self

    def must_fail_naming(self, *words: str) -> Outcome:
        assert self.code != 0, self.text
        for word in words:
            assert word in self.text, f"{word!r} is not in:\n{self.text}"
        return self

    def record(self, server: str) -> dict[str, t.Any]:
        """What the run has kept of one server."""
        _before, _title, stats = self.text.partition("CUSTOM STATS")
        kept, _end = json.JSONDecoder().raw_decode(stats[stats.index("{") :])
        return t.cast("dict[str, t.Any]", kept["openrescue"]["servers"][server])


@dataclasses.dataclass(frozen=True)
class Play:
    """One inventory of libvirt servers, and what all runs on it have in common."""

    directory: pathlib.Path
    uri: str
    image: pathlib.Path

    def __call__(
        self,
        playbook: str | pathlib.Path,
        *servers: str,
        hosts: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
        arguments: t.Sequence[str] = (),
        environment: t.Mapping[str, str] | None = None,
        **variables: t.Any,
    ) -> Outcome:
        """Run a playbook on the servers; a variable that is None is not given.

        :param playbook: one of the collection by its name, or the path of another.
        :param hosts: servers with variables of their own.
        """
        given = {**self._shared(), **variables}
        self._inventory.write_text(
            json.dumps({"servers": {"hosts": {**{server: {} for server in servers}, **(hosts or {})}}}),
            encoding="utf-8",
        )
        done = subprocess.run(
            self._command(playbook, given, arguments),
            env={**self._environment(), **(environment or {})},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=900,
        )
        return Outcome(done.returncode, done.stdout + done.stderr)

    def command(self, program: str, *arguments: str) -> str:
        """What another program of Ansible prints, as a user calls it."""
        return run(pathlib.Path(sys.executable).with_name(program), *arguments, env=self._environment())

    def start(self, playbook: str, log: pathlib.Path, **variables: t.Any) -> subprocess.Popen[bytes]:
        """Begin to run a playbook on the servers of the last run, as a group of processes of its own."""
        given = {**self._shared(), **variables}
        with log.open("wb") as output:
            return subprocess.Popen(
                self._command(playbook, given, ()),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _shared(self) -> dict[str, t.Any]:
        return {
            "rescue_hosts": "servers",
            "rescue_provider": "libvirt",
            "rescue_libvirt_uri": self.uri,
            "rescue_image": str(self.image),
            # What is broken here does not hear the power button: a whole minute would be waited in vain.
            "rescue_shutdown_timeout": 10,
        }

    @property
    def _inventory(self) -> pathlib.Path:
        return self.directory / "inventory.json"

    def _command(
        self, playbook: str | pathlib.Path, given: t.Mapping[str, t.Any], arguments: t.Sequence[str]
    ) -> list[str]:
        return [
            str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
            f"--inventory={self._inventory}",
            str(playbook) if isinstance(playbook, pathlib.Path) else f"openrescue.server.{playbook}",
            f"--extra-vars={json.dumps({key: value for key, value in given.items() if value is not None})}",
            *arguments,
        ]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": run(LAB_DIR / "venv", "tree").strip(),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        }
