"""Install the packages of a lock, and write what a model's archive has of them."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.archive.segment import THOROUGH
from slipway.archive.writer import TarGzWriter, write_indexed
from slipway.environment import canonical, interpreter, packages
from slipway.environment.environment import (
    ARCHIVE,
    ExecutionEnvironment,
    LeftOut,
    Package,
    save_environment,
)
from slipway.environment.libraries.imports import imported_files
from slipway.environment.libraries.inventory import Inventory, read_elf_files, save_inventory
from slipway.environment.lock import lock_content
from slipway.environment.locking.numpy_api import refuse_compiled_for_later
from slipway.environment.platforms import OWN_PLATFORM
from slipway.environment.pruning.listing import Pruned
from slipway.environment.shared.locked import locked_packages, with_wheels
from slipway.environment.wheels.sources import build_locked
from slipway.environment.zipped import site_zip
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.settings import Settings

# the prefix that conda packages get: the real one is known only when a server unpacks them
ANYWHERE = "/opt/python_env"


def assemble(
    lock: Path,
    settings: Settings,
    platform: str,
    python_source: interpreter.Interpreter,
    pruned: Pruned | None,
    folder: Path,
) -> None:
    """Fill ``folder`` with the execution environment of ``lock``, without what is ``pruned``.

    Raises:
        SlipwayError: see ``build.build_environment``.
    """
    with tempfile.TemporaryDirectory(prefix=".work-", dir=folder) as work:
        prefix, site = Path(work, "prefix"), Path(work, "packages")
        conda_packages = interpreter.install(python_source, prefix, platform)
        python = _verified_version(conda_packages, prefix, settings)
        shared = {locked.package.name: locked.source for locked in locked_packages(lock)}
        # beside the work folders: errors name the lock
        wheels = Path(work, lock.name)
        wheels.write_text(with_wheels(lock, settings), encoding="utf-8")
        built = [wheel.path for wheel in build_locked(lock, settings)]
        pip_packages = packages.install(wheels, settings, platform, site, lock=lock, wheels=built)
        numpy = next(p.version for p in pip_packages if canonicalize_name(p.name) == "numpy")
        owners = {name: p.name for p in pip_packages for name in p.files}
        refuse_compiled_for_later(
            site, owners, numpy, requirements=lock.with_name("requirements.txt")
        )
        packages.merge(site, pip_packages, prefix, lock)
        packed = _conda_pack(prefix, Path(work, "packed"))
        scratch = Path(work, "scratch")
        zip_packages = partial(
            site_zip.zip_packages,
            pip_packages,
            packed=packed,
            minor=settings.python,
            scratch=scratch,
            unzipped=settings.unzipped,
            runs_here=platform == OWN_PLATFORM,
        )
        collected = canonical.collect_members(
            packed,
            settings.python,
            scratch,
            is_pruned=pruned.matches if pruned else lambda _: False,
            zip_packages=zip_packages if settings.zip_packages else None,
        )
        archive = folder / ARCHIVE
        unpacked = _write(collected.members, archive)
        left_out = _left_out(pruned, collected.left_out)
        save_inventory(_inventory(collected.files, pip_packages, settings), folder)
    all_packages = [
        Package(p.name, p.version, _source_name(p.channel, python_source.local, python))
        for p in conda_packages
    ] + [
        Package(p.name, p.version, shared.get(canonicalize_name(p.name), "pip"))
        for p in pip_packages
    ]
    save_environment(
        ExecutionEnvironment(
            folder=folder,
            sha256=sha256_of(archive),
            python=python,
            platform=platform,
            interpreter=next(p.source for p in all_packages if p.name == "python"),
            packages=tuple(
                sorted(all_packages, key=lambda package: (package.source, package.name))
            ),
            lock=hashlib.sha256(lock_content(lock).encode()).hexdigest(),
            size=archive.stat().st_size,
            unpacked=unpacked,
            files=len(collected.members),
            zipped=collected.zipped.packages if collected.zipped else {},
            unzipped=collected.zipped.unpacked if collected.zipped else {},
            pruned=left_out,
        )
    )


def _verified_version(
    conda_packages: list[interpreter.CondaPackage], prefix: Path, settings: Settings
) -> str:
    """Return the installed Python's version; Triton would silently ignore a wrong one."""
    version = next(
        (package.version for package in conda_packages if package.name == "python"), "none"
    )
    library = f"lib/libpython{settings.python}.so.1.0"
    if not version.startswith(f"{settings.python}.") or not (prefix / library).exists():
        raise SlipwayError(
            f"no {library} in the channels' packages (Python {version}): Triton would silently"
            " serve with another Python",
            where=str(settings.root),
            fix=f"remove {interpreter.LOCK_NAME} and lock again, or correct [environment] channels",
        )
    return version


def _conda_pack(prefix: Path, packed: Path) -> Path:
    from conda_pack import CondaEnv  # slow to import, and most environments are in the cache

    packed.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that packages are outside conda's own cache
        environment = CondaEnv.from_prefix(str(prefix), ignore_missing_files=True)
        environment.pack(output=str(packed), format="no-archive", dest_prefix=ANYWHERE, force=True)
    return packed


def _left_out(pruned: Pruned | None, files: Mapping[str, Path]) -> LeftOut | None:
    if pruned is None:
        return None
    size = sum(path.stat().st_size for path in files.values())
    return LeftOut(pruned.digest, len(files), size)


def _inventory(
    files: Mapping[str, Path],
    pip_packages: list[packages.InstalledPackage],
    settings: Settings,
) -> Inventory:
    site = f"lib/python{settings.python}/site-packages/"
    modules = {n.removeprefix(site): path for n, path in files.items() if n.startswith(site)}
    tag = f"cpython-{settings.python.replace('.', '')}"
    owners = {
        name: canonicalize_name(package.name) for package in pip_packages for name in package.files
    }
    return Inventory(
        tuple(read_elf_files(files, owners)),
        frozenset(site + name for name in imported_files(modules, tag)),
        {canonicalize_name(package.name): package.requires for package in pip_packages},
    )


def _write(members: list[canonical.Member], archive: Path) -> int:
    size = 0
    with archive.open("wb") as out, TarGzWriter(out, level=THOROUGH) as writer:
        for member in members:
            if member.path:
                size += member.path.stat().st_size
                writer.add_file(member.name, member.path, member.mode)
            else:
                size += len(member.data)
                writer.add_bytes(member.name, member.data, member.mode)
    write_indexed(archive, writer)
    return size


def _source_name(channel: str, local: bool, python: str) -> str:
    if local:
        return f"local CPython {python}"
    return "local channel" if channel.startswith("file:") else channel
