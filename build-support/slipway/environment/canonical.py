"""From a conda-packed folder to the members of one canonical archive."""

from __future__ import annotations

import fnmatch
import io
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from slipway.environment import elf
from slipway.environment.bytecode import Source, compile_all
from slipway.errors import SlipwayError

FORMAT = 1  # to be raised whenever the same packages give other bytes
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
WRAPPER = '#!/bin/sh\nexec "$(dirname "$0")/python{minor}" "$@"\n'

# of the whole environment: build-time files, documentation, and what a server never starts
DROPPED = (
    "conda-meta/*",
    "include/*",
    "man/*",
    "etc/conda/*",
    "share/doc/*",
    "share/info/*",
    "share/man/*",
    "share/terminfo/*",
    "lib/cmake/*",
    "lib/pkgconfig/*",
    "lib/tcl8*",
    "lib/tk8*",
    "lib/libtcl8*",
    "lib/libtk8*",
    "*/__pycache__/*",
    "*.a",
    "*.la",
)
# of the standard library, whatever channel it came from
STDLIB_DROPPED = (
    "config-*",
    "ensurepip/*",
    "idlelib/*",
    "lib2to3/*",
    "pydoc_data/*",
    "test/*",
    "*/test/*",
    "*/tests/*",
    "tkinter/*",
    "turtle.py",
    "turtledemo/*",
    "lib-dynload/_test*",
    "lib-dynload/_tkinter*",
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

    The pure-Python standard library becomes one stored zip of bytecode, which CPython has on its
    path by default (python.org's embeddable distribution has the same layout): one file is
    extracted in the place of 500. Packages keep their sources, for readable tracebacks.
    """
    library = f"lib/python{minor}/"
    site = f"{library}site-packages/"
    files = {
        name: path
        for name, path in _without_links(packed).items()
        if not _matches(name, DROPPED)
        and not (name.startswith(library) and _matches(name.removeprefix(library), STDLIB_DROPPED))
        and not (name.startswith("bin/") and not _wanted_program(name, path, minor))
    }
    third_party = _lean({n.removeprefix(site): p for n, p in files.items() if n.startswith(site)})
    kept = {n: p for n, p in files.items() if not n.startswith(site)}
    kept |= {site + name: path for name, path in third_party.items()}

    modules = {}  # of the standard library
    for name in [n for n in kept if n.startswith(library) and n.endswith(".py")]:
        if not name.startswith(site):
            modules[name.removeprefix(library)] = kept[name]
            if name != f"{library}os.py":  # by this file CPython recognises its prefix
                del kept[name]
    zipped = [
        Source(path, f"<python>/{name}", scratch / "stdlib" / f"{name}c")
        for name, path in sorted(modules.items())
    ]
    compiled = [
        Source(path, name, scratch / "site" / _pyc(name, minor))
        for name, path in sorted(kept.items())
        if name.startswith(site) and name.endswith(".py")
    ]
    compile_all(zipped + compiled)

    found = [Member(name, _mode(path), path) for name, path in kept.items()]
    for source in compiled:
        if source.target.is_file():
            name = source.target.relative_to(scratch / "site").as_posix()
            found.append(Member(name, 0o644, source.target))
    archive = _stored_zip(scratch / "stdlib", [s.target for s in zipped])
    found.append(Member(f"lib/python{minor.replace('.', '')}.zip", 0o644, data=archive))
    wrapper = WRAPPER.format(minor=minor).encode()
    found += [Member(f"bin/{name}", 0o755, data=wrapper) for name in ("python", "python3")]
    return sorted(found, key=lambda member: member.name)


def _without_links(packed: Path) -> dict[str, Path]:
    """Every file by its name, links resolved; of a library's several names those that are loaded.

    Raises:
        SlipwayError: a link leads out of the environment.
    """
    root = packed.resolve()
    files: dict[str, Path] = {}
    names: dict[Path, list[str]] = {}
    for folder, folders, entries in os.walk(packed):
        inside = Path(folder).relative_to(packed)
        linked = [f for f in folders if Path(folder, f).is_symlink()]
        for entry in entries + linked:
            name = (inside / entry).as_posix()
            real = Path(folder, entry).resolve()
            if not real.exists() or "/" not in name:
                continue  # a dangling link; conda-pack's own leavings at the root
            if not real.is_relative_to(root):
                raise SlipwayError(f"{name} in the environment leads out of it", fix="report it")
            if real.is_dir():
                for path in real.rglob("*"):
                    if path.is_file():
                        files[f"{name}/{path.relative_to(real).as_posix()}"] = path.resolve()
            else:
                files[name] = real
                names.setdefault(real, []).append(name)
    for real, several in names.items():
        libraries = [n for n in several if ".so" in PurePosixPath(n).name]
        loaded = [n for n in libraries if ".so." in n and files[n].name != PurePosixPath(n).name]
        if len(libraries) > 1:
            # libz.so → libz.so.1.3 ← libz.so.1: linkers want the first, loaders the last
            keep = loaded or [real.relative_to(root).as_posix()]
            for name in set(libraries) - set(keep):
                del files[name]
    return files


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
    """The innermost-but-first folder ``tests`` that holds the file, if one does."""
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


def _wanted_program(name: str, path: Path, minor: str) -> bool:
    """Python itself, what activates the environment, and programs that packages bring.

    Scripts would name this machine's Python in their first line.
    """
    program = name.removeprefix("bin/")
    if program in ("python", "python3"):
        return False  # become scripts
    if program in ("activate", "deactivate", f"python{minor}"):
        return True
    with path.open("rb") as file:
        return elf.is_elf(file.read(8))


def _stored_zip(root: Path, files: Iterable[Path]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in files:
            if file.is_file():
                info = zipfile.ZipInfo(file.relative_to(root).as_posix(), ZIP_TIME)
                info.external_attr = 0o644 << 16
                archive.writestr(info, file.read_bytes())
    return out.getvalue()


def _pyc(name: str, minor: str) -> str:
    folder, _, file = name.rpartition("/")
    tag = f"cpython-{minor.replace('.', '')}"
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.{tag}.pyc"


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
