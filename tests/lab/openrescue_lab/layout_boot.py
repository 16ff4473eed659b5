# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Boots a layout by itself: what is tested on it would mean little if it were no system that runs."""

from __future__ import annotations

import os
import pathlib
import typing as t

from .base import LabError
from .domain import Domain, Shape
from .layout import Layout

#: for an emulated processor on a busy machine
PATIENCE = 600


def boot(domain: Domain, layout: Layout, disks: t.Sequence[pathlib.Path]) -> Domain:
    """Switch it on; its passphrase is typed on the console when it is asked for."""
    machine = "q35" if layout.firmware == "efi" else "pc"
    domain.define(*disks, shape=Shape(memory=1024, firmware=layout.firmware, machine=machine, unsigned=True)).start()
    if layout.passphrase:
        domain.wait_for_console(r"(?i)unlock disk|passphrase", timeout=PATIENCE)
        console = os.open(domain.virsh("ttyconsole").strip(), os.O_WRONLY | os.O_NOCTTY)
        try:
            os.write(console, f"{layout.passphrase}\n".encode())
        finally:
            os.close(console)
    domain.wait_agent(timeout=PATIENCE)
    return domain


def see_up(domain: Domain) -> None:
    """Every unit of it has started."""
    state = domain.execute(
        "/bin/sh", "-c", "systemctl is-system-running --wait || systemctl --failed", timeout=PATIENCE
    )
    if state.strip() != "running":
        raise LabError(f"{domain.name} is up but not well: {state}")
