"""Refuse an environment whose libraries the serving image lacks: it would not load there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from slipway.environment.libraries.image import ServingImage, replacement
from slipway.environment.libraries.inventory import INTERPRETER, ElfFile, Inventory, numbers
from slipway.errors import SlipwayError

EXTENSION = re.compile(r"\.(cpython-\d+[^./]*|abi3)\.so$")
INTERPRETER_FILES = re.compile(r"bin/python[\d.]*$|lib/libpython|lib/python[\d.]+/lib-dynload/")
# modules of the standard library for terminals and old databases: no model needs them
UNUSED_MODULES = re.compile(r"/lib-dynload/(_curses|_curses_panel|_dbm|_gdbm|nis|readline)\.")


class Fault(NamedTuple):
    """A file that cannot be loaded in the serving image, and why."""

    file: ElfFile
    library: str  # the missing one, or that of a symbol
    symbol: str = ""  # "GLIBC_2.41", if the library is there and too old


class LibrarySearch:
    """The libraries of one environment in one image, searched as the dynamic loader does.

    It searches the folders of the file's own run path, the environment's ``lib``
    (``LD_LIBRARY_PATH`` of Triton's stub), then the system's folders. A library of the same
    package, or of one that it requires, may have been loaded before it is needed, as PyTorch does
    with NVIDIA's: it is then found by its name.
    """

    def __init__(self, inventory: Inventory, image: ServingImage) -> None:
        self._inventory = inventory
        self._image = image
        self._by_path = {file.name: file for file in inventory.files}
        self._by_name: dict[str, list[ElfFile]] = {}
        for file in inventory.files:
            for name in {posixpath.basename(file.name), file.soname}:
                self._by_name.setdefault(name, []).append(file)
        self._faults: dict[str, tuple[Fault, ...]] = {}

    def faults(self, file: ElfFile) -> tuple[Fault, ...]:
        """Return why the file cannot be loaded, its libraries' libraries included."""
        if file.name not in self._faults:
            self._faults[file.name] = ()  # libraries may need each other
            self._faults[file.name] = tuple(self._find_faults(file))
        return self._faults[file.name]

    def needs(self, file: ElfFile) -> set[str]:
        """Return the names of the environment's files that the loader takes for ``file``."""
        found = (self._find(file, library) for library in file.needed)
        return {library.name for library in found if library is not None}

    def needed_only_by_its_package(self) -> set[str]:
        """Return the files that other files of the same package need, and none of another one."""
        owners: dict[str, set[str]] = {}
        for file in self._inventory.files:
            for library in file.needed:
                found = self._find(file, library)
                if found is not None:
                    owners.setdefault(found.name, set()).add(file.owner)
        return {name for name, users in owners.items() if users == {self._by_path[name].owner}}

    def _find_faults(self, file: ElfFile) -> Iterator[Fault]:
        for kind, version in file.symbols.items():
            offered = self._image.symbols.get(kind)
            own = kind != "GLIBC" and "lib/libstdc++.so.6" in self._by_path
            if offered and not own and numbers(version) > numbers(offered):
                library = "glibc" if kind == "GLIBC" else "libstdc++"
                yield Fault(file, library, f"{kind}_{version}")
        for library in file.needed:
            found = self._find(file, library)
            if found is not None:
                yield from self.faults(found)
            elif library not in self._image.libraries:
                yield Fault(file, library)

    def _find(self, file: ElfFile, library: str) -> ElfFile | None:
        """Return the environment's file that the loader takes; ``None`` if it has none."""
        origin = posixpath.dirname(file.name)
        folders = [
            posixpath.normpath(re.sub(r"\$(ORIGIN|\{ORIGIN\})", origin, folder))
            for folder in file.run_path
        ]
        for folder in [*folders, "lib"]:
            found = self._by_path.get(posixpath.join(folder, library))
            if found is not None:
                return found
        if library in self._image.libraries:
            return None
        related = self._related(file.owner)
        candidates = self._by_name.get(library, ())
        return next((other for other in candidates if other.owner in related), None)

    def _related(self, package: str) -> set[str]:
        """Return the package and those that it requires, directly or not."""
        related, waiting = set(), [package]
        while waiting:
            name = waiting.pop()
            if name not in related:
                related.add(name)
                waiting += self._inventory.requires.get(name, ())
        return related


def refuse_missing_libraries(inventory: Inventory, image: ServingImage, where: str) -> None:
    """Refuse an environment with a package or an interpreter that cannot be loaded in ``image``.

    A library that a package loads only on demand, such as the one for another parallel runtime,
    may be missing: the tests, whose server has no more libraries than the image, find its use.

    Raises:
        SlipwayError: a library is missing in the environment and in the image, or an older one is
            there; the error names package, file and library.
    """
    faults = find_faults(inventory, image)
    if not faults:
        return
    fault = faults[0]
    if fault.file.owner == INTERPRETER:
        raise _interpreter_error(fault, image, where)
    owner = fault.file.owner
    lacking = [other for other in faults if other.file.owner == owner and not other.symbol]
    if fault.symbol:
        what = (
            f"{owner} needs {fault.symbol} ({fault.file.name}), newer than the {fault.library} of"
        )
        fix = f"choose a version of {owner} that was built for an older system, and lock again"
    else:
        listed = ", ".join(sorted({other.library for other in lacking}))
        what = f"{owner} needs {listed} ({fault.file.name}), missing in the environment and in"
        fix = _fix(owner, listed, inventory)
    raise SlipwayError(
        f"{what} the image of Triton {image.release} (Ubuntu {image.ubuntu}): the model would not"
        " load there",
        where=where,
        fix=fix,
    )


def _fix(owner: str, libraries: str, inventory: Inventory) -> str:
    instead = replacement(owner)
    parents = sorted(p for p, names in inventory.requires.items() if owner in names)
    if instead and parents:
        return (
            f"{', '.join(parents)} requires {owner}: add {instead} to requirements.txt, write"
            f" override-dependencies = [\"{owner}; sys_platform == 'never'\"] in uv.toml, and lock"
            " again"
        )
    if instead:
        return f"write {instead} instead of {owner} in requirements.txt, and lock again"
    required = f" and {', '.join(parents)}, which requires it," if parents else ""
    return (
        f"choose a package, or a version of {owner}, whose wheel has {libraries}; or remove"
        f" {owner}{required} from requirements.txt; then lock again"
    )


def find_faults(inventory: Inventory, image: ServingImage) -> list[Fault]:
    """Return the faults of files that are loaded in any case, a package's own file first."""
    search = LibrarySearch(inventory, image)
    inner = search.needed_only_by_its_package()
    certain: list[Fault] = []
    by_owner: dict[str, list[ElfFile]] = {}
    for file in inventory.files:
        by_owner.setdefault(file.owner, []).append(file)
    for owner, files in by_owner.items():
        if owner == INTERPRETER:
            loaded = [file for file in files if INTERPRETER_FILES.match(file.name)]
            loaded = [file for file in loaded if not UNUSED_MODULES.search(file.name)]
        else:
            loaded = [file for file in files if file.name in inventory.imported]
            main = _main_files(files, inner)
            if main and all(search.faults(file) for file in main):
                loaded += main
        certain += [fault for file in loaded for fault in search.faults(file)]
    return list({(f.file.name, f.library, f.symbol): f for f in certain}.values())


def _main_files(files: list[ElfFile], inner: set[str]) -> list[ElfFile]:
    """Return the files of a package by which it works at all.

    Its outermost extension modules; without any, the libraries that it loads by itself, as LightGBM
    does, or has for other packages, as NVIDIA's do.
    """
    extensions = [file for file in files if EXTENSION.search(file.name)]
    if extensions:
        depth = min(file.name.count("/") for file in extensions)
        return [file for file in extensions if file.name.count("/") == depth]
    return [file for file in files if file.name not in inner]


def _interpreter_error(fault: Fault, image: ServingImage, where: str) -> SlipwayError:
    lacks = (
        f"{fault.symbol}, newer than the {fault.library} of"
        if fault.symbol
        else f"{fault.library}, which is missing in"
    )
    return SlipwayError(
        f"this machine's Python ({fault.file.name}) needs {lacks} the image of Triton"
        f" {image.release} (Ubuntu {image.ubuntu}): the model would not load there",
        where=where,
        fix='take Python from a channel: [environment] channels = ["conda-forge"] in slipway.toml;'
        " or run Slipway with one built for older systems: uv python install",
    )
