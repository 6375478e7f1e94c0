"""From a conda-packed folder to the members of one canonical archive."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.environment import links, stdlib
from slipway.environment.bytecode import SourceFile, compile_all
from slipway.environment.fallback import elf

FORMAT = 2  # to be raised whenever the same packages give other bytes
WRAPPER = '#!/bin/sh\nexec "$(dirname "$0")/python{minor}" "$@"\n'

# of the interpreter's conda packages only this serves: no compilers, terminals, manuals, programs
CONDA_FILES = ("bin/python{minor}", "lib/*", "share/zoneinfo/*", "ssl/*")
# of the whole environment
DROPPED = (
    "conda-meta/*",
    "include/*",
    "lib/cmake/*",
    "lib/pkgconfig/*",
    "lib/python3.1/*",  # conda-forge's link to the standard library, for an old mistake of pip's
    "lib/tcl8*",
    "lib/tk8*",
    "lib/libtcl8*",
    "lib/libtk8*",
    "*/__pycache__/*",
    "*.a",
    "*.la",
)
# of site-packages: installers, and what they wrote about this very installation
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
    rb"^[ \t]*(?:(?:from|import)[ \t]+([\w.]*\.tests)\b|from[ \t]+([\w.]+)[ \t]+import[ \t]+tests\b)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Member:
    """A file of the archive: its content lies at ``path``, or is ``data``."""

    name: str
    mode: int
    path: Path | None = None
    data: bytes = b""


def collect_members(packed: Path, minor: str, scratch: Path) -> list[Member]:
    """The archive's members, sorted by name; new files are made in ``scratch``.

    The pure-Python standard library becomes one zip of bytecode. Packages keep their sources, for
    readable tracebacks and for those that read them.
    """
    library = f"lib/python{minor}/"
    site = f"{library}site-packages/"
    conda_files = _conda_files(packed)
    conda_kept = tuple(pattern.format(minor=minor) for pattern in CONDA_FILES)
    modules: dict[str, Path] = {}
    files_kept: dict[str, Path] = {}
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
                (modules if relative.endswith(".py") else files_kept)[name] = path
        elif not name.startswith("bin/") or name in conda_files or _is_needed_program(name, path):
            files_kept[name] = path
    files_kept |= {site + name: path for name, path in _without_extras(packages).items()}
    # by this file CPython recognises its prefix
    files_kept[f"{library}os.py"] = modules[f"{library}os.py"]

    sources = [
        SourceFile(path, name, scratch / "site" / _pyc(name, minor))
        for name, path in sorted(files_kept.items())
        if name.startswith(site) and name.endswith(".py")
    ]
    compile_all(sources)
    for source in sources:
        if source.target.is_file():
            files_kept[source.target.relative_to(scratch / "site").as_posix()] = source.target
    by_module = {name.removeprefix(library): path for name, path in modules.items()}
    members_found = [Member(name, _mode(path), path) for name, path in files_kept.items()]
    archive = stdlib.zip_modules(by_module, scratch / "stdlib")
    members_found.append(Member(f"lib/python{minor.replace('.', '')}.zip", 0o644, archive))
    wrapper = WRAPPER.format(minor=minor).encode()
    members_found += [Member(f"bin/{name}", 0o755, data=wrapper) for name in ("python", "python3")]
    return sorted(members_found, key=lambda member: member.name)


def _without_extras(files: Mapping[str, Path]) -> dict[str, Path]:
    """Packages without tests, headers, type stubs and notes of their installation."""
    folders_with_stubs = {
        name.rpartition("/")[0]
        for name, path in files.items()
        if name.endswith("/__init__.py") and b"attach_stub" in path.read_bytes()
    }
    files_kept = {}
    for name, path in files.items():
        folder = name.rpartition("/")[0]
        if _matches(name, SITE_DROPPED):
            continue
        if _matches(name, HEADERS) and not name.startswith(COMPILERS):
            continue
        if name.endswith(".pyi") and folder not in folders_with_stubs:  # lazy_loader reads some
            continue
        files_kept[name] = path
    needed = _tests_needed({n: p for n, p in files_kept.items() if not _tests_folder(n)})
    return {
        n: p for n, p in files_kept.items() if not _tests_folder(n) or _tests_folder(n) in needed
    }


def _tests_folder(name: str) -> str | None:
    """The outermost folder ``tests`` that holds the file, if one does."""
    parts = name.split("/")[:-1]
    return "/".join(parts[: parts.index("tests") + 1]) if "tests" in parts else None


def _tests_needed(files: Mapping[str, Path]) -> set[str]:
    """Folders ``tests`` that a package imports when it runs (numpy 2's ``numpy.testing`` does)."""
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
    """The files of the interpreter's conda packages."""
    members_found: set[str] = set()
    for record in (packed / "conda-meta").glob("*.json"):
        members_found.update(json.loads(record.read_text(encoding="utf-8"))["files"])
    return members_found


def _is_needed_program(name: str, path: Path) -> bool:
    """What activates the environment, and programs that packages bring.

    Scripts would name this machine's Python in their first line.
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
