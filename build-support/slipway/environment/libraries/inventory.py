"""The ELF files of an environment: what each needs, as its dynamic section says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

FILE_NAME = "libraries.json"
FORMAT = 1  # raise it whenever the file's content changes for the same environment
INTERPRETER = "python"  # the package that owns what no package installed
MAGIC = b"\x7fELF"
# pyelftools' name of each text of a dynamic section
TEXTS = {
    "DT_NEEDED": "needed",
    "DT_SONAME": "soname",
    "DT_RPATH": "rpath",
    "DT_RUNPATH": "runpath",
}
VERSION = re.compile(r"(?P<kind>GLIBC|GLIBCXX|CXXABI)_(?P<version>\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class ElfFile:
    """A program or library of the environment; ``owner`` is the package that contains it."""

    name: str  # its path in the environment
    owner: str
    soname: str
    needed: tuple[str, ...]
    run_path: tuple[str, ...]  # folders, with $ORIGIN
    symbols: Mapping[str, str]  # the highest version of each kind that it needs


@dataclass(frozen=True)
class Inventory:
    """The ELF files of an environment, and what is known of the packages that contain them."""

    files: tuple[ElfFile, ...]
    imported: frozenset[str]  # the files that ``import PACKAGE`` loads in any case
    requires: Mapping[str, tuple[str, ...]]  # package → the packages that it requires


def read_elf_files(members: Mapping[str, Path], owners: Mapping[str, str]) -> Iterator[ElfFile]:
    """Yield every ELF file among the members of an environment.

    ``owners`` has the package of each file that a package installed; the interpreter has the rest.
    """
    for name, path in members.items():
        if _is_elf(path):
            file = _read(path, name, owners.get(name, INTERPRETER))
            if file is not None:
                yield file


def save_inventory(inventory: Inventory, folder: Path) -> None:
    """Write the inventory next to the environment in ``folder``."""
    values = asdict(inventory) | {"imported": sorted(inventory.imported)}
    (folder / FILE_NAME).write_text(json.dumps(values), encoding="utf-8")


def load_inventory(folder: Path) -> Inventory:
    """Read the inventory of the environment in ``folder``, which :func:`save_inventory` wrote."""
    values = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    files = [
        ElfFile(**row | {key: tuple(row[key]) for key in ("needed", "run_path")})
        for row in values["files"]
    ]
    requires = {package: tuple(names) for package, names in values["requires"].items()}
    return Inventory(tuple(files), frozenset(values["imported"]), requires)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read(path: Path, name: str, owner: str) -> ElfFile | None:
    """Return what the file needs; ``None`` for an object file or a damaged one."""
    texts: dict[str, list[str]] = {attribute: [] for attribute in TEXTS.values()}
    with path.open("rb") as stream:
        try:
            elf = ELFFile(stream)
            dynamic = next((s for s in elf.iter_segments() if isinstance(s, DynamicSegment)), None)
            if dynamic is None:
                return None
            for tag in dynamic.iter_tags():
                attribute = TEXTS.get(tag.entry.d_tag)
                if attribute:
                    texts[attribute].append(str(getattr(tag, attribute)))
            symbols = _symbols(elf)
        except (ELFError, UnicodeDecodeError):
            return None
    run_path = ":".join(texts["runpath"] or texts["rpath"])
    folders = tuple(folder for folder in run_path.split(":") if folder)
    return ElfFile(name, owner, "".join(texts["soname"]), tuple(texts["needed"]), folders, symbols)


def _symbols(elf: ELFFile) -> dict[str, str]:
    highest: dict[str, str] = {}
    for section in elf.iter_sections():
        if not isinstance(section, GNUVerNeedSection):
            continue
        for _, versions in section.iter_versions():
            for version in versions:
                match = VERSION.fullmatch(version.name)
                if match and numbers(match["version"]) > numbers(highest.get(match["kind"], "0")):
                    highest[match["kind"]] = match["version"]
    return highest


def numbers(version: str) -> tuple[int, ...]:
    """Return a symbol's version for comparison: ``2.35`` → ``(2, 35)``."""
    return tuple(int(part) for part in version.split("."))
