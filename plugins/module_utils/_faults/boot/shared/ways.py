# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways in which a server could boot: a boot loader, what it reads, and the entry that it starts by itself.

Nobody can tell from the disks alone whether the platform starts them by BIOS or by UEFI, so each way is followed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...._formats.bls import menu_order, parse_bls
from ...._formats.boot_entry import MAX_ENTRIES, BootEntry
from ...._formats.extlinux import parse_extlinux
from ...._formats.grub import Menu, default_entry, parse_grub, written_by_mkconfig
from ...._formats.grubenv import parse_grubenv
from ...._formats.kernel_cmdline import split_cmdline
from ...._formats.systemd_boot import default_entry_name, parse_loader_conf
from ...._formats.uki import Uki, read_uki
from ...._formats.versions import version_key
from ...._text import printable
from .loaders import boot_code, efi_programs
from .places import Place, locate, unmounted

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient

__all__ = ("GRUB_CONFIGS", "Way", "is_by_hand", "is_redirect", "main_way", "place_of", "shown_ways", "ways")

GRUB_CONFIGS = ("/boot/grub2/grub.cfg", "/boot/grub/grub.cfg")
EXTLINUX_CONFIGS = (
    "/boot/extlinux/extlinux.conf",
    "/boot/extlinux.conf",
    "/boot/syslinux/syslinux.cfg",
    "/boot/syslinux/extlinux.conf",
    "/extlinux.conf",
)
MAX_FOLLOWED = 4

Kind = t.Literal["grub", "systemd-boot", "extlinux", "uki"]


@dataclasses.dataclass(frozen=True)
class Way:
    """One way in which the server could boot.

    :param loader: why the firmware would start this loader; empty where that cannot be told.
    :param config: the file that says what is booted, in the patient's tree.
    :param text: what it holds; None if it is not there.
    :param entry: what starts by itself; None if nothing does, or if that cannot be told.
    :param follows: the files that were read on the way to the entry, the first of them the loader's own.
    :param unknown: why this is not certainly what the loader reads; empty if it is.
    :param uki: where the entry is a unified kernel image.
    """

    kind: Kind
    firmware: t.Literal["BIOS", "UEFI"]
    loader: str
    config: str
    text: str | None = None
    menu: Menu | None = None
    entry: BootEntry | None = None
    follows: tuple[str, ...] = ()
    unknown: str = ""
    uki: Uki | None = None

    @property
    def folder(self) -> str:
        """Where relative paths of the entry begin."""
        return self.config.rsplit("/", 1)[0] if self.kind == "extlinux" else ""


def ways(patient: Patient) -> list[Way]:
    """All that could be meant by this server's disks, the likeliest first."""
    return patient.once("ways to boot", lambda: [*_by_bios(patient), *_by_uefi(patient)])


def shown_ways(patient: Patient) -> list[Way]:
    """The ways whose loader is there; all of them where none is.

    The configuration of a GRUB for BIOS is there too where the one for UEFI reads it, and would hide what is wrong.
    """
    return [way for way in ways(patient) if way.loader] or ways(patient)


def place_of(patient: Patient, way: Way, path: str) -> Place:
    """Where a path is that the way's entry names."""
    if way.kind in ("systemd-boot", "uki"):  # already a path of the tree
        return Place(path, patient.tree.is_file(path), unmounted(patient, "/boot", "/boot/efi", "/efi"))
    return locate(patient, path, device=way.entry.device if way.entry else "", folder=way.folder)


def main_way(patient: Patient) -> Way | None:
    """The first way with an entry that loads a kernel."""
    return next((way for way in shown_ways(patient) if way.entry is not None and way.entry.linux), None)


# -- BIOS


def _by_bios(patient: Patient) -> t.Iterator[Way]:
    code = boot_code(patient)
    config = next((path for path in GRUB_CONFIGS if _is_grub(patient, path)), None)
    if config is None and code.startswith("GRUB"):
        config = GRUB_CONFIGS[1] if not patient.tree.is_dir("/boot/grub2") else GRUB_CONFIGS[0]
    if config is not None:
        yield _grub_way(patient, config, firmware="BIOS", loader=code if code.startswith("GRUB") else "")
    for path in EXTLINUX_CONFIGS:
        text = patient.tree.read_text(path) if patient.tree.is_file(path) else None
        if text is not None:
            entry = parse_extlinux(text).default_entry()
            loader = code if code.startswith("extlinux") else ""
            yield Way("extlinux", "BIOS", loader, path, text, entry=entry, follows=(path,))


def _is_grub(patient: Patient, config: str) -> bool:
    folder = config.rsplit("/", 1)[0]
    return patient.tree.is_file(config) or patient.tree.is_file(f"{folder}/i386-pc/normal.mod")


# -- UEFI


def _by_uefi(patient: Patient) -> t.Iterator[Way]:
    yield from _by_programs(patient, *efi_programs(patient))


def _by_programs(patient: Patient, top: str, programs: t.Sequence[str]) -> t.Iterator[Way]:
    names = {path: path.rsplit("/", 1)[1].lower() for path in programs}
    for path in (one for one in programs if names[one].startswith("grub")):
        folder = path.rsplit("/", 1)[0]
        if not any(way_folder == folder for way_folder in _shims(names, path)):
            yield _uefi_grub(patient, path)
    managers = [path for path in programs if names[path].startswith("systemd-boot")]
    if managers:
        yield from _systemd_boot(patient, top, managers[0])
    for path in programs if not managers else ():
        if not names[path].startswith(("grub", "shim")):
            yield from _as_uki(patient, path, loader=path)


def _shims(names: t.Mapping[str, str], path: str) -> list[str]:
    """The fallback's own copy of GRUB reads the distribution's configuration, which is followed beside it."""
    folder = path.rsplit("/", 1)[0]
    others = [other for other, name in names.items() if name.startswith("grub") and not other.startswith(f"{folder}/")]
    return [folder] if folder.lower().endswith("/boot") and others else []


def _uefi_grub(patient: Patient, program: str) -> Way:
    """GRUB reads what lies beside it, or what was built into it where nothing does."""
    beside = f"{program.rsplit('/', 1)[0]}/grub.cfg"
    if patient.tree.lstat(beside) is not None:
        return _grub_way(patient, beside, firmware="UEFI", loader=program)
    size = patient.tree.stat(program)
    for config in GRUB_CONFIGS:
        for core in patient.tree.glob(f"{config.rsplit('/', 1)[0]}/*-efi/core.efi"):
            built = patient.tree.stat(core)
            same = built is not None and size is not None and built.st_size == size.st_size
            return _grub_way(
                patient,
                config,
                firmware="UEFI",
                loader=program,
                unknown="" if same else f"{program} is another one than was built with this configuration",
            )
    full = next((path for path in GRUB_CONFIGS if patient.tree.is_file(path)), beside)
    return _grub_way(
        patient, full, firmware="UEFI", loader=program, unknown=f"where {program} looks for it cannot be told"
    )


def _systemd_boot(patient: Patient, top: str, program: str) -> t.Iterator[Way]:
    """Entries and images on the EFI partition, and on the extended boot partition beside it."""
    tree = patient.tree
    tops = list(dict.fromkeys((top, "/boot")))
    files = [path for base in tops for path in tree.glob(f"{base}/loader/entries/*.conf", limit=2000)[:MAX_ENTRIES]]
    entries = [(path, tree.read_text(path, limit=1 << 20) or "") for path in files]
    entries.sort(key=lambda item: menu_order(_stem(item[0]), item[1]))
    images = [path for base in tops for path in tree.glob(f"{base}/EFI/Linux/*.efi", limit=2000)[:MAX_ENTRIES]]
    images.sort(key=lambda path: version_key(_stem(path)), reverse=True)
    settings = parse_loader_conf(tree.read_text(f"{top}/loader/loader.conf") or "")
    order = [path for path, _text in entries] + images
    name = default_entry_name([path.rsplit("/", 1)[1] for path in order], settings)
    chosen = next((path for path in order if path.rsplit("/", 1)[1] == name), None)
    if chosen in images:
        yield from _as_uki(patient, chosen, loader=program)
        return
    text = dict(entries).get(chosen or "")
    entry = parse_bls(_stem(chosen), text) if chosen and text is not None else None
    if entry is not None and chosen is not None:
        # Its paths begin at the partition that the entry itself is on.
        base = chosen.split("/loader/entries/")[0]
        entry.linux, entry.initrds = f"{base}{entry.linux}", tuple(f"{base}{path}" for path in entry.initrds)
    unknown = "the firmware's variables say which entry starts" if name is None and order else ""
    config = chosen or f"{top}/loader/loader.conf"
    yield Way("systemd-boot", "UEFI", program, config, text, entry=entry, follows=(config,), unknown=unknown)


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[1].rsplit(".", 1)[0]


def _as_uki(patient: Patient, path: str, *, loader: str) -> t.Iterator[Way]:
    file = patient.tree.open(path)
    if file is None:
        return
    with file:
        uki = read_uki(file)
    if uki is not None:
        entry = BootEntry(title=path, id=path, linux=path, options=split_cmdline(uki.cmdline or ""), loads=True)
        yield Way("uki", "UEFI", loader, path, uki.cmdline, entry=entry, follows=(path,), uki=uki)


# -- GRUB's configuration


def _grub_way(
    patient: Patient, config: str, *, firmware: t.Literal["BIOS", "UEFI"], loader: str, unknown: str = ""
) -> Way:
    """Read a configuration, go on where it leads to another one, and add the entries of the specification."""
    doubt = unknown or unmounted(patient, "/boot", *(["/boot/efi"] if firmware == "UEFI" else []))
    read: list[str] = []
    path, text, menu = config, None, None
    while path not in read and len(read) < MAX_FOLLOWED:
        read.append(path)
        text = patient.tree.read_text(path) if patient.tree.is_file(path) else None
        menu = _menu(patient, path, text) if text is not None else None
        if menu is None or menu.bootable() or not menu.follows:
            break
        if menu.follows[0].startswith("(prefix)"):
            path = path.rsplit("/", 1)[0] + menu.follows[0][len("(prefix)") :]
            continue
        place = locate(patient, menu.follows[0])
        path = place.path
        doubt = doubt or _elsewhere(patient, menu.follows[0]) or ("" if place.exists else place.unknown)
    entry = default_entry(menu) if menu else None
    return Way("grub", firmware, loader, path, text, menu, entry, tuple(read), doubt)


def _elsewhere(patient: Patient, path: str) -> str:
    """Why a configuration that is found under this path may be another one: it is on a file system that is not here."""
    device = re.match(r"^\(((?:UUID|LABEL)=[^)]*)\)", path)
    if device is None or patient.find(device[1]) is not None:
        return ""
    return f"GRUB goes on with {printable(path, limit=200)}, which is on none of the file systems here"


def _menu(patient: Patient, path: str, text: str) -> Menu:
    env = patient.tree.read_text(path.rsplit("/", 1)[0] + "/grubenv", limit=1 << 20) or ""
    menu = parse_grub(text, parse_grubenv(env))
    if menu.uses_bls:
        files = sorted(patient.tree.glob("/boot/loader/entries/*.conf"), key=version_key, reverse=True)
        texts = ((_stem(name), patient.tree.read_text(name, limit=1 << 20) or "") for name in files[:MAX_ENTRIES])
        menu.entries = [parse_bls(name, text, variables=menu.variables) for name, text in texts] + menu.entries
    return menu


def is_by_hand(text: str) -> bool:
    """Whether a person wrote this grub.cfg, who may have used more of GRUB's language than is understood here."""
    return bool(text.strip("\0 \t\r\n")) and not written_by_mkconfig(text)


def is_redirect(text: str) -> bool:
    """Whether a grub.cfg only leads to the real one, as on the EFI partition."""
    menu = parse_grub(text)
    return bool(menu.follows) and not menu.entries and not menu.uses_bls and bool(re.search(r"\S", text))
