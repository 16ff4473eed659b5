# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Boots a layout by itself: what is tested on it would mean little if it were no system that runs."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import threading
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
    if not layout.passphrase:
        domain.wait_agent(timeout=PATIENCE)
        return domain
    domain.wait_for_console(r"(?i)unlock disk|passphrase", timeout=PATIENCE)
    with _console(domain) as console:
        os.write(console, f"{layout.passphrase}\n".encode())
        domain.wait_agent(timeout=PATIENCE)
    return domain


@contextlib.contextmanager
def _console(domain: Domain) -> t.Iterator[int]:
    """Its console to type on. What it says there is read and dropped: a guest waits for whoever opened its console."""
    console, ended = os.open(domain.virsh("ttyconsole").strip(), os.O_RDWR | os.O_NOCTTY), threading.Event()

    def drop() -> None:
        while not ended.is_set():
            if select.select([console], [], [], 0.2)[0]:
                os.read(console, 1 << 16)

    reader = threading.Thread(target=drop, daemon=True)
    reader.start()
    try:
        yield console
    finally:
        ended.set()
        reader.join()
        os.close(console)


def see_up(domain: Domain) -> None:
    """Every unit of it has started."""
    state = domain.execute(
        "/bin/sh", "-c", "systemctl is-system-running --wait || systemctl --failed", timeout=PATIENCE
    )
    if state.strip() != "running":
        raise LabError(f"{domain.name} is up but not well: {state}")
