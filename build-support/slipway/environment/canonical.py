"""List the members of one canonical archive, from a conda-packed folder."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.environment import links, stdlib
from slipway.environment.bytecode import SourceFile, compile_all
from slipway.environment.fallback import elf
from slipway.environment.libraries.symbols import without_symbols
from slipway.environment.zipped.site_zip import LINE, PTH, ZIP, Zipped

FORMAT = 3  # raise it whenever the same packages give other bytes
WRAPPER = '#!/bin/sh\nexec "$(dirname "$0")/python{minor}" "$@"\n'

# the needed files of the interpreter's conda packages: no compilers, manuals, programs
CONDA_FILES = ("bin/python{minor}", "lib/*", "share/zoneinfo/*", "ssl/*")
# dropped from the environment
DROPPED = (
    "conda-meta/*",
    "include/*",
    "lib/cmake/*",
    "lib/pkgconfig/*",
    "lib/python3.1/*",  # conda-forge's link to the standard library, for an old bug of pip
    "lib/tcl8*",
    "lib/tk8*",
    "lib/libtcl8*",
    "lib/libtk8*",
    "*/__pycache__/*",
    "*.a",
    "*.la",
)
# dropped from site-packages: installers, and their records of this installation
SITE_DROPPED = (
    "pip/*",
    "pip-*.dist-info/*",
    "README.txt",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_cache.json",
)
HEADERS = ("*.h", "*.hpp", "*.hh", "*.cuh", "*.pxd", "*.pyx")
COMPILERS = ("cupy", "nvidia", "triton")  # these compile their headers while they run
IMPORTS_TESTS = re.compile(
    rb"^[ \t]*(?:(?:from|import)[ \t]+([\w.]*\.tests)\b"
    rb"|from[ \t]+([\w.]+)[ \t]+import[ \t]+tests\b)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Member:
    """A file of the archive: its content is at ``path``, or is ``data``."""

    name: str
    mode: int
    path: Path | None = None
    data: bytes = b""


@dataclass(frozen=True)
class Collected:
    """An environment's content: ``members`` of the archive, sorted by name.

    ``files`` are what it was made from, with the packages' sources that a zip holds, and without
    ``left_out``, the names of what was pruned.
    """

    members: list[Member]
    files: Mapping[str, Path]
    zipped: Zipped | None
    left_out: Mapping[str, Path] = field(default_factory=dict)


def collect_members(
    packed: Path,
    minor: str,
    scratch: Path,
    *,
    is_pruned: Callable[[str], bool] = lambda name: False,
    zip_packages: Callable[[Mapping[str, Path]], Zipped] | None = None,
) -> Collected:
    """Collect the archive's members; new files are written to ``scratch``.

    The pure-Python standard library becomes one zip of bytecode. Packages keep their sources, for
    readable tracebacks and for packages that read them. Those that ``zip_packages`` takes of the
    files of ``site-packages`` become one zip as well.
    """
    library = f"lib/python{minor}/"
    site = f"{library}site-packages/"
    selected, modules = _select(packed, minor)
    left_out = {n: p for n, p in (selected | modules).items() if is_pruned(n)}
    selected = {n: p for n, p in selected.items() if n not in left_out}
    modules = {n: p for n, p in modules.items() if n not in left_out}
    selected = {n: without_symbols(p, scratch / "blanked") for n, p in sorted(selected.items())}
    # CPython finds its prefix by this file
    selected[f"{library}os.py"] = modules[f"{library}os.py"]
    files = dict(selected)
    packages = {n.removeprefix(site): p for n, p in selected.items() if n.startswith(site)}
    zipped = zip_packages(packages) if zip_packages else None
    members = []
    if zipped and zipped.packages:
        selected = {n: p for n, p in selected.items() if n.removeprefix(site) not in zipped.files}
        members = [
            Member(f"{library}{ZIP}", 0o644, zipped.path),
            Member(f"{site}{PTH}", 0o644, data=LINE),
        ]
    sources = [
        SourceFile(path, name, scratch / "site" / _pyc(name, minor))
        for name, path in sorted(selected.items())
        if name.startswith(site) and name.endswith(".py")
    ]
    compile_all(sources)
    for source in sources:
        if source.target.is_file():
            selected[source.target.relative_to(scratch / "site").as_posix()] = source.target
    by_module = {name.removeprefix(library): path for name, path in modules.items()}
    members += [Member(name, _mode(path), path) for name, path in selected.items()]
    archive = stdlib.zip_modules(by_module, scratch / "stdlib")
    members.append(Member(f"lib/python{minor.replace('.', '')}.zip", 0o644, archive))
    wrapper = WRAPPER.format(minor=minor).encode()
    members += [Member(f"bin/{name}", 0o755, data=wrapper) for name in ("python", "python3")]
    members.sort(key=lambda member: member.name)
    return Collected(members, files, zipped, left_out)


def _select(packed: Path, minor: str) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the needed files, and the modules of the standard library, by their names."""
    library = f"lib/python{minor}/"
    site = f"{library}site-packages/"
    conda_files = _conda_files(packed)
    conda_kept = tuple(pattern.format(minor=minor) for pattern in CONDA_FILES)
    modules: dict[str, Path] = {}
    selected: dict[str, Path] = {}
    packages: dict[str, Path] = {}
    for name, path in links.resolve_links(packed).items():
        if "/" not in name or _matches(name, DROPPED):
            continue  # conda-pack leaves an empty file at the root
        if name in conda_files and not _matches(name, conda_kept):
            continue
        if name.startswith(site):
            packages[name.removeprefix(site)] = path
        elif name.startswith(library):
            relative = name.removeprefix(library)
            if not _matches(relative, stdlib.DROPPED):
                (modules if relative.endswith(".py") else selected)[name] = path
        elif not name.startswith("bin/") or name in conda_files or _is_needed_program(name, path):
            selected[name] = path
    selected |= {site + name: path for name, path in _without_extras(packages).items()}
    return selected, modules


def _without_extras(files: Mapping[str, Path]) -> dict[str, Path]:
    """Return the packages' files without tests, headers, type stubs and installation records."""
    folders_with_stubs = {
        name.rpartition("/")[0]
        for name, path in files.items()
        if name.endswith("/__init__.py") and b"attach_stub" in path.read_bytes()
    }
    selected = {}
    for name, path in files.items():
        folder = name.rpartition("/")[0]
        if _matches(name, SITE_DROPPED):
            continue
        if _matches(name, HEADERS) and not name.startswith(COMPILERS):
            continue
        if name.endswith(".pyi") and folder not in folders_with_stubs:  # lazy_loader reads stubs
            continue
        selected[name] = path
    needed = _tests_needed({n: p for n, p in selected.items() if not _tests_folder(n)})
    return {n: p for n, p in selected.items() if not _tests_folder(n) or _tests_folder(n) in needed}


def _tests_folder(name: str) -> str | None:
    """Return the outermost folder ``tests`` that contains the file, if any."""
    parts = name.split("/")[:-1]
    return "/".join(parts[: parts.index("tests") + 1]) if "tests" in parts else None


def _tests_needed(files: Mapping[str, Path]) -> set[str]:
    """Return the folders ``tests`` that packages import at run time, as ``numpy.testing`` does."""
    needed = set()
    for name, path in files.items():
        if not name.endswith(".py"):
            continue
        for module, parent in IMPORTS_TESTS.findall(path.read_bytes()):
            module = (module or parent + b".tests").decode()
            dots = len(module) - len(module.lstrip("."))
            parents = name.split("/")[:-dots] if dots else []
            needed.add("/".join([*parents, *module.strip(".").replace("..", ".").split(".")]))
    return needed


def _conda_files(packed: Path) -> set[str]:
    """Return the files of the interpreter's conda packages."""
    names: set[str] = set()
    for record in (packed / "conda-meta").glob("*.json"):
        names.update(json.loads(record.read_text(encoding="utf-8"))["files"])
    return names


def _is_needed_program(name: str, path: Path) -> bool:
    """Return whether a file activates the environment, or is a program of a package.

    Scripts are left out, since their first line names this machine's Python.
    """
    if name in ("bin/activate", "bin/deactivate"):
        return True
    with path.open("rb") as file:
        return elf.is_elf(file.read(8))


def _pyc(name: str, minor: str) -> str:
    folder, _, file = name.rpartition("/")
    tag = f"cpython-{minor.replace('.', '')}"
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.{tag}.pyc"


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
