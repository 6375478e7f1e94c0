"""Choose what an environment can do without, from a trace of a model's tests."""

from __future__ import annotations

import ast
import marshal
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import CodeType

from slipway.environment.libraries.image import ServingImage
from slipway.environment.libraries.imports import MODULE
from slipway.environment.libraries.inventory import Inventory
from slipway.environment.libraries.missing import LibrarySearch
from slipway.environment.pruning.listing import collapse, kept_by
from slipway.environment.pruning.references import Module, closure
from slipway.environment.pruning.traced import Trace
from slipway.triton.environment_path import ENVIRONMENT

HEADER = 16  # bytes before the code in a .pyc
# found by name while a program runs: text in any encoding, what reports an error, and what the
# interpreter's own C code imports (its strings are no help: libpython has the names of all modules)
ALWAYS = (
    *("encodings", "codecs", "traceback", "linecache", "faulthandler", "importlib", "warnings"),
    *(
        "_pyio",
        "_pylong",
        "_strptime",
        "_compat_pickle",
        "copyreg",
        "locale",
        "runpy",
        "unicodedata",
    ),
    *("asyncio", "contextvars", "tracemalloc", "zoneinfo", "multiprocessing"),
)
CODECS = ("_codecs_", "_multibytecodec")
NO_IMAGE = ServingImage("", "", frozenset(), {})  # what a system has replaces nothing here


@dataclass(frozen=True)
class Choice:
    """The lines of a list, and the bytes of the files that each names."""

    names: tuple[str, ...]
    sizes: Mapping[str, int]


def choose(
    root: Path,
    minor: str,
    trace: Trace,
    inventory: Inventory,
    *,
    keep: Iterable[str] = (),
    own: Iterable[Path] = (),
) -> Choice:
    """Return what the environment in ``root`` can do without, for ``pruned.txt``.

    A Python or extension module goes if the traced tests did not import it and no import statement
    of one that stays names it. A library goes if only such modules need it. Other files go with the
    package that they lie in; programs and packages' metadata stay.

    Args:
        minor: of Python, such as "3.12".
        keep: patterns of files that stay in any case.
        own: the Python files of the model; what they import stays.
    """
    names = _names(root, minor)
    modules = _modules(root, minor, names)
    kept = kept_by(keep, names)
    opened = {_in_environment(file) for file in trace.files}
    roots = {
        name
        for name, module in modules.items()
        if name in trace.modules or module.file in kept | opened or _always(name)
    }
    for path in own:
        roots |= _imports_of(path) & set(modules)
    stays = closure(roots, modules, lambda file: root / file)
    gone = {module.file for name, module in modules.items() if name not in stays}
    gone -= {module.file for name, module in modules.items() if name in stays} | kept
    gone |= _unneeded_libraries(inventory, gone, opened | kept)
    gone |= _data_of_gone_packages(names, modules, gone) - kept
    lines = collapse(gone, names)
    return Choice(tuple(lines), {line: sum(names[name] for name in lines[line]) for line in lines})


def _names(root: Path, minor: str) -> dict[str, int]:
    """Return the sizes of the environment's files.

    Those in zips have the names that they would have outside; bytecode has its source's.
    """
    names: dict[str, int] = defaultdict(int)
    for path in root.rglob("*"):
        if not path.is_file():
            continue
        name = path.relative_to(root).as_posix()
        place = _zipped_place(name, minor)
        if place is None:
            names[_source(name)] += path.stat().st_size
            continue
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                names[place + _source(info.filename)] += info.file_size
    return names


def _zipped_place(name: str, minor: str) -> str | None:
    """Return the folder whose content the zip ``name`` holds, if it is one of ours."""
    places = {
        f"lib/python{minor.replace('.', '')}.zip": f"lib/python{minor}/",
        f"lib/python{minor}/site-packages.zip": f"lib/python{minor}/site-packages/",
    }
    return places.get(name)


def _source(name: str) -> str:
    """Return the name of a file, of bytecode that of its source."""
    path = PurePosixPath(name)
    if path.suffix != ".pyc":
        return name
    folder = path.parent.parent if path.parent.name == "__pycache__" else path.parent
    return (folder / f"{path.name.partition('.')[0]}.py").as_posix()


def _modules(root: Path, minor: str, names: Iterable[str]) -> dict[str, Module]:
    library = f"lib/python{minor}/"
    places = (f"{library}site-packages/", f"{library}lib-dynload/", library)
    tag = f"cpython-{minor.replace('.', '')}"
    codes = _bytecode(root, minor)
    modules: dict[str, Module] = {}
    for name in sorted(names):
        place = next((place for place in places if name.startswith(place)), None)
        match = MODULE.fullmatch(name.removeprefix(place)) if place else None
        if match:
            # one without a tag may be a library; those go with what needs them
            module = match["path"].replace("/", ".")
            if match["kind"] == "py" or match["tag"] in ("abi3", tag):
                modules[module] = Module(name, codes.get(name), bool(match["package"]))
    return modules


def _bytecode(root: Path, minor: str) -> dict[str, CodeType]:
    codes = {}
    for path in root.rglob("*.zip"):
        place = _zipped_place(path.relative_to(root).as_posix(), minor)
        if place is not None:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(".pyc"):
                        codes[place + _source(name)] = marshal.loads(archive.read(name)[HEADER:])
    for path in root.rglob("__pycache__/*.pyc"):
        codes[_source(path.relative_to(root).as_posix())] = marshal.loads(
            path.read_bytes()[HEADER:]
        )
    return codes


def _always(name: str) -> bool:
    return name.partition(".")[0] in ALWAYS or name.startswith(CODECS)


def _in_environment(file: str) -> str:
    """Return the name of an opened file in the environment, by its source if it is bytecode."""
    return _source(file.rpartition(f"/{ENVIRONMENT}/")[2])


def _imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _unneeded_libraries(inventory: Inventory, gone: set[str], used: set[str]) -> set[str]:
    """Return the libraries that only what is gone needs.

    One that no file needs is loaded by its name while a program runs, and stays.
    """
    search = LibrarySearch(inventory, NO_IMAGE)
    needs = {file.name: search.needs(file) for file in inventory.files}
    needed = {library for libraries in needs.values() for library in libraries}
    stays = {name for name in needs if name not in gone and (name not in needed or name in used)}
    waiting = list(stays)
    while waiting:
        found = needs[waiting.pop()] - stays
        stays |= found
        waiting += found
    return set(needs) - stays - gone


def _data_of_gone_packages(
    names: Iterable[str], modules: Mapping[str, Module], gone: set[str]
) -> set[str]:
    files = {module.file for module in modules.values()}
    stays: set[str] = set()
    known: set[str] = set()
    for file in files:
        for folder in _folders(file):
            known.add(folder)
            if file not in gone:
                stays.add(folder)
    found = set()
    for name in set(names) - files - gone:
        # the nearest folder above it with modules in it
        home = next((folder for folder in _folders(name) if folder in known), None)
        if home is not None and home not in stays:
            found.add(name)
    return found


def _folders(name: str) -> list[str]:
    """Return the folders above a file, the nearest first."""
    return [str(parent) for parent in PurePosixPath(name).parents][:-1]
