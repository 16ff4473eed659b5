# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Real tempest's rescue tests on the cloud: they show that it behaves as a cloud does."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from . import cloud_host
from .base import LAB_DIR, run

# A security group is a port's, and the lab's servers have none.
EXCLUDED = {"test_rescued_vm_add_remove_security_group": "the lab's servers have no Neutron port"}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of each test; skipped and failed ones with the reason."""

    passed: tuple[str, ...]
    skipped: dict[str, str]
    failed: dict[str, str]

    def __str__(self) -> str:
        lines = [f"skipped {test}: {why}" for test, why in self.skipped.items()]
        lines += [f"left out {test}: {why}" for test, why in EXCLUDED.items()]
        lines += [f"FAILED {test}: {why}" for test, why in self.failed.items()]
        ran = len(self.passed) + len(self.failed)
        head = f"{ran} ran: {len(self.passed)} passed, {len(self.failed)} failed; {len(self.skipped)} skipped"
        return "\n".join([head, *lines])


def tempest(regex: str = "test_server_rescue") -> Outcome:
    """Run those of tempest's tests whose names match."""
    script = LAB_DIR / "cloud/tempest_rescue.py"
    python = cloud_host.environment("cloud") / "bin/python"
    env = {"OS_CLIENT_CONFIG_FILE": str(cloud_host.config())}
    said = run(python, script, cloud_host.cloud_dir() / "tempest", regex, "|".join(EXCLUDED), env=env)
    return outcome(json.loads(said))


def outcome(results: t.Sequence[t.Mapping[str, str]]) -> Outcome:
    """Sort the tests by what became of them; whatever neither passed nor was skipped has failed."""
    good, left = ("success", "xfail"), "skip"
    return Outcome(
        passed=tuple(result["test"] for result in results if result["status"] in good),
        skipped={result["test"]: result["why"] for result in results if result["status"] == left},
        failed={result["test"]: result["why"] for result in results if result["status"] not in (*good, left)},
    )
