"""Write the zip of an environment's packages of pure Python, after trying to import from it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment.bytecode import SourceFile, compile_all
from slipway.environment.packages import InstalledPackage
from slipway.environment.stdlib import TIME
from slipway.environment.zipped.eligible import Site
from slipway.environment.zipped.tried import try_imports

ZIP = "site-packages.zip"  # next to the folder of this name
PTH = "site-packages-zip.pth"
LINE = f"../{ZIP}\n".encode()
NOT_WANTED = "named in [environment] unzipped"


@dataclass(frozen=True)
class Zipped:
    """What is in the zip at ``path``; no zip was written if ``packages`` is empty.

    ``packages`` has the modules of each package in it, ``unpacked`` why each other one is not.
    ``files`` are those of ``site-packages`` that are in the zip instead.
    """

    path: Path
    packages: Mapping[str, tuple[str, ...]]
    unpacked: Mapping[str, str]
    files: frozenset[str]


def zip_packages(
    installed: Sequence[InstalledPackage],
    files: Mapping[str, Path],
    packed: Path,
    minor: str,
    scratch: Path,
    *,
    unzipped: Sequence[str] = (),
    runs_here: bool,
) -> Zipped:
    """Zip the packages whose files allow it, and that can be imported from the zip.

    A package stays unpacked if it can be imported from its files only; that is tried with the
    environment's own Python, where this machine runs it.

    Args:
        files: those of ``site-packages``, by their names there.
        packed: the folder of the environment's files.
        unzipped: names of packages that stay as they are.
        runs_here: whether this machine runs the environment's Python.
    """
    site = Site(installed, files, f"lib/python{minor}/site-packages/")
    wanted = {canonicalize_name(name) for name in unzipped}
    unpacked: dict[str, str] = {}
    chosen: list[InstalledPackage] = []
    for package in site.packages:
        refused = canonicalize_name(package.name) in wanted
        why = NOT_WANTED if refused else site.obstacle(package)
        if why is None:
            chosen.append(package)
        else:
            unpacked[package.name] = why
    path = scratch / ZIP
    if chosen:
        bytecode = _compile(
            {n: p for k in chosen for n, p in site.files(k).items()}, minor, scratch
        )
    if chosen and runs_here:
        _write(site, chosen, bytecode, path)
        failed = _failures(site, chosen, path, packed, minor)
        chosen = [package for package in chosen if package.name not in failed]
        unpacked |= failed
    if chosen:
        _write(site, chosen, bytecode, path)
    return Zipped(
        path,
        {package.name: site.modules(package) for package in chosen},
        unpacked,
        frozenset(name for package in chosen for name in site.files(package)),
    )


def _compile(files: Mapping[str, Path], minor: str, scratch: Path) -> dict[str, Path]:
    """Return the bytecode of each source, by the name that it has in the zip."""
    place = f"lib/python{minor}/site-packages"
    sources = {
        f"{name}c": SourceFile(path, f"{place}/{name}", scratch / "zipped" / f"{name}c")
        for name, path in files.items()
        if name.endswith(".py")
    }
    compile_all(list(sources.values()))
    return {name: source.target for name, source in sources.items() if source.target.is_file()}


def _write(
    site: Site, packages: Sequence[InstalledPackage], bytecode: Mapping[str, Path], out: Path
) -> None:
    content: dict[str, Path] = {}
    for package in packages:
        files = site.files(package)
        content |= files
        content |= {f"{name}c": bytecode[f"{name}c"] for name in files if f"{name}c" in bytecode}
    with zipfile.ZipFile(out, "w") as archive:  # stored: the artifact compresses it
        for name, path in sorted(content.items()):
            info = zipfile.ZipInfo(name, TIME)
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())


def _failures(
    site: Site, packages: Sequence[InstalledPackage], path: Path, packed: Path, minor: str
) -> dict[str, str]:
    """Return the error of each package that can be imported from its files, not from the zip."""
    folder = packed / f"lib/python{minor}/site-packages"
    modules = {package.name: site.modules(package) for package in packages}
    zipped = try_imports(list(modules.values()), [path, folder], packed, minor)
    problems = {name: error for name, error in zip(modules, zipped, strict=True) if error}
    if not problems:
        return {}
    again = [modules[name] for name in problems]
    unpacked = try_imports(again, [folder], packed, minor)
    return {
        name: f"cannot be imported from a zip: {problems[name]}"
        for name, error in zip(problems, unpacked, strict=True)
        if not error
    }
