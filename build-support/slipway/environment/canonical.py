"""From a conda-packed folder to the members of one canonical archive."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.environment import links, stdlib
from slipway.environment.bytecode import Source, compile_all
from slipway.environment.fallback import elf

FORMAT = 2  # to be raised whenever the same packages give other bytes
WRAPPER = '#!/bin/sh\nexec "$(dirname "$0")/python{minor}" "$@"\n'

# of the interpreter's conda packages only this serves: no compilers, terminals, manuals, programs
CONDA_KEPT = ("bin/python{minor}", "lib/*", "share/zoneinfo/*", "ssl/*")
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


def members(packed: Path, minor: str, scratch: Path) -> list[Member]:
    """The archive's members, sorted by name; new files are made in ``scratch``.

    The pure-Python standard library becomes one zip of bytecode. Packages keep their sources, for
    readable tracebacks and for those that read them.
    """
    library = f"lib/python{minor}/"
    site = f"{library}site-packages/"
    managed = _conda_files(packed)
    conda_kept = tuple(pattern.format(minor=minor) for pattern in CONDA_KEPT)
    modules: dict[str, Path] = {}
    kept: dict[str, Path] = {}
    packages: dict[str, Path] = {}
    for name, path in links.resolved(packed).items():
        if "/" not in name or _matches(name, DROPPED):
            continue  # conda-pack leaves an empty file at the root
        if name in managed and not _matches(name, conda_kept):
            continue
        if name.startswith(site):
            packages[name.removeprefix(site)] = path
        elif name.startswith(library):
            inside = name.removeprefix(library)
            if not _matches(inside, stdlib.DROPPED):
                (modules if inside.endswith(".py") else kept)[name] = path
        elif not name.startswith("bin/") or name in managed or _wanted_program(name, path):
            kept[name] = path
    kept |= {site + name: path for name, path in _lean(packages).items()}
    # by this file CPython recognises its prefix
    kept[f"{library}os.py"] = modules[f"{library}os.py"]

    compiled = [
        Source(path, name, scratch / "site" / _pyc(name, minor))
        for name, path in sorted(kept.items())
        if name.startswith(site) and name.endswith(".py")
    ]
    compile_all(compiled)
    for source in compiled:
        if source.target.is_file():
            kept[source.target.relative_to(scratch / "site").as_posix()] = source.target
    by_module = {name.removeprefix(library): path for name, path in modules.items()}
    found = [Member(name, _mode(path), path) for name, path in kept.items()]
    archive = stdlib.zipped(by_module, scratch / "stdlib")
    found.append(Member(f"lib/python{minor.replace('.', '')}.zip", 0o644, archive))
    wrapper = WRAPPER.format(minor=minor).encode()
    found += [Member(f"bin/{name}", 0o755, data=wrapper) for name in ("python", "python3")]
    return sorted(found, key=lambda member: member.name)


def _lean(files: Mapping[str, Path]) -> dict[str, Path]:
    """Packages without tests, headers, type stubs and notes of their installation."""
    stubs_read = {
        name.rpartition("/")[0]
        for name, path in files.items()
        if name.endswith("/__init__.py") and b"attach_stub" in path.read_bytes()
    }
    kept = {}
    for name, path in files.items():
        folder = name.rpartition("/")[0]
        if _matches(name, SITE_DROPPED):
            continue
        if _matches(name, HEADERS) and not name.startswith(COMPILERS):
            continue
        if name.endswith(".pyi") and folder not in stubs_read:  # lazy_loader reads some
            continue
        kept[name] = path
    needed = _imported_tests({n: p for n, p in kept.items() if not _tests(n)})
    return {n: p for n, p in kept.items() if not _tests(n) or _tests(n) in needed}


def _tests(name: str) -> str | None:
    """The outermost folder ``tests`` that holds the file, if one does."""
    parts = name.split("/")[:-1]
    return "/".join(parts[: parts.index("tests") + 1]) if "tests" in parts else None


def _imported_tests(files: Mapping[str, Path]) -> set[str]:
    """Folders ``tests`` that a package imports when it runs (numpy 2's ``numpy.testing`` does)."""
    needed = set()
    for name, path in files.items():
        if not name.endswith(".py"):
            continue
        for module, parent in IMPORTS_TESTS.findall(path.read_bytes()):
            module = (module or parent + b".tests").decode()
            above = len(module) - len(module.lstrip("."))
            parents = name.split("/")[:-above] if above else []
            needed.add("/".join([*parents, *module.strip(".").replace("..", ".").split(".")]))
    return needed


def _conda_files(packed: Path) -> set[str]:
    """The files of the interpreter's conda packages."""
    found: set[str] = set()
    for record in (packed / "conda-meta").glob("*.json"):
        found.update(json.loads(record.read_text(encoding="utf-8"))["files"])
    return found


def _wanted_program(name: str, path: Path) -> bool:
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
