# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The rescue image, built by the collection's own role."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

from .base import LAB_DIR, REPOSITORY, cached, fingerprint, run


@dataclasses.dataclass(frozen=True)
class RescueImage:
    """A built rescue image."""

    directory: pathlib.Path
    raw: pathlib.Path
    qcow2: pathlib.Path
    kernel: pathlib.Path
    initrd: pathlib.Path
    manifest: dict[str, t.Any]

    @property
    def cmdline(self) -> str:
        """The kernel command line for direct boot."""
        return str(self.manifest["cmdline"])

    def layer(self, target: pathlib.Path) -> pathlib.Path:
        """A throw-away layer over the image."""
        target.unlink(missing_ok=True)
        run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.raw, target)
        return target


def rescue_image() -> RescueImage:
    """The rescue image, from the cache or built now. Nobody writes to it: see `RescueImage.layer`."""
    role = REPOSITORY / "roles/rescue_image"
    parts = [role / name for name in ("defaults", "files", "tasks", "vars")]
    directory = cached("rescue-image", fingerprint(*parts, LAB_DIR / "rescue_image.yml"), run_role)
    manifest = json.loads((directory / "openrescue.json").read_text(encoding="utf-8"))
    return RescueImage(
        directory=directory,
        raw=directory / "openrescue.raw",
        qcow2=directory / "openrescue.qcow2",
        kernel=directory / "openrescue.vmlinuz",
        initrd=directory / "openrescue.initrd",
        manifest=manifest,
    )


def run_role(directory: pathlib.Path, **variables: t.Any) -> str:
    """Run the role for a directory; what ansible-playbook said."""
    environment = pathlib.Path(run(LAB_DIR / "venv", "path", "main").strip())
    values = {
        "rescue_image_path": str(directory),
        "rescue_image_formats": ["raw", "qcow2"],
        "ansible_python_interpreter": str(environment / "bin/python"),
        **variables,
    }
    check = ["--check"] if values.pop("check_mode", False) else []
    return run(
        environment / "bin/ansible-playbook",
        LAB_DIR / "rescue_image.yml",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        json.dumps(values),
        *check,
        env={"ANSIBLE_COLLECTIONS_PATH": run(LAB_DIR / "venv", "tree").strip(), "ANSIBLE_NOCOLOR": "1"},
    )
