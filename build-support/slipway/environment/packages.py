"""Install the packages of a lock with uv, for this platform or another one."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from slipway import process
from slipway.environment.platforms import uv_platform
from slipway.errors import SlipwayError
from slipway.settings import Settings

# what canonical.py and conda-pack write into every environment
OWN_FILES = re.compile(
    r"bin/(activate|deactivate|python|python3|python3\.\d+)|lib/python\d+\.zip"
    r"|lib/python[\d.]+/site-packages(\.zip|/site-packages-zip\.pth)"
)


@dataclass(frozen=True)
class InstalledPackage:
    """A distribution, as its ``.dist-info`` describes it."""

    name: str
    version: str
    files: dict[str, str]  # path from the prefix → hash as in RECORD
    requires: tuple[str, ...]  # the canonical names of the packages that it requires


def install(
    requirements: Path,
    settings: Settings,
    platform: str,
    prefix: Path,
    *,
    lock: Path,
    wheels: Iterable[Path] = (),
) -> list[InstalledPackage]:
    """Install hashed ``requirements`` into the folder ``prefix``, without running their code.

    They are those of ``lock``, with a wheel for each package of the repository. ``wheels`` are
    those that were built from source.

    Raises:
        SlipwayError: a file is not the locked one, a package has no wheel for
            ``platform``, or one package overwrites another's file.
    """
    argv: list[str | Path] = [
        *("pip", "install", "--quiet", "--prefix", prefix, "--python", sys.executable),
        *("--python-platform", uv_platform(platform), "--python-version", settings.python),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"),
        *("-r", requirements),
    ]
    folders = find_links(wheel.parent for wheel in wheels)
    try:
        run_uv(argv, settings, what=f"installing {lock.name}", variables=folders)
    except SlipwayError as error:
        raise _translate_error(error, lock) from error
    installed = sorted(_read_metadata(prefix, settings.python), key=lambda package: package.name)
    _refuse_conflicts(installed, lock)
    return installed


def run_uv(
    argv: list[str | Path],
    settings: Settings,
    *,
    what: str,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run uv where the user's configuration of indexes is; see :func:`uv_program`."""
    return uv_program(argv, what=what, cwd=cwd or settings.root, variables=variables)


def uv_program(
    argv: Sequence[str | Path],
    *,
    what: str,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run uv with the user's configuration of indexes and ``variables``; return its stdout."""
    fixed = {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    environment = {**os.environ, **fixed, **(variables or {})}
    return process.run([uv.find_uv_bin(), *argv], what=what, cwd=cwd, env=environment).stdout


def find_links(folders: Iterable[Path]) -> dict[str, str]:
    """Return the variable by which uv takes wheels from ``folders`` as well.

    Its option --find-links would replace the folders that the user's own variable names.
    """
    configured = os.environ.get("UV_FIND_LINKS", "").split(",")
    names = [*configured, *(str(folder) for folder in folders)]
    return {"UV_FIND_LINKS": ",".join(name for name in names if name)}


def merge(packages: Path, installed: list[InstalledPackage], prefix: Path, lock: Path) -> None:
    """Move the tree ``packages`` into ``prefix``, which must not hold any of its files.

    Raises:
        SlipwayError: one of the ``installed`` packages overwrites a file of the interpreter, or
            brings a file that the environment writes itself.
    """
    for folder, _, files in os.walk(packages):
        into = prefix / Path(folder).relative_to(packages)
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            target = into / file
            name = target.relative_to(prefix).as_posix()
            if target.exists() or OWN_FILES.fullmatch(name):
                raise _overwritten(name, installed, lock)
            Path(folder, file).rename(target)


def _overwritten(name: str, installed: list[InstalledPackage], lock: Path) -> SlipwayError:
    owner = next((package for package in installed if name in package.files), None)
    if owner is None:
        what, fix = "a package", "find the package with this file, and remove it"
    else:
        what = f"{owner.name} {owner.version}"
        canonical = canonicalize_name(owner.name)
        parents = [package.name for package in installed if canonical in package.requires]
        required = f", and {', '.join(parents)}, which requires it" if parents else ""
        fix = f"remove {owner.name}{required}"
    return SlipwayError(
        f"{what} overwrites {name}, a file of the interpreter",
        where=str(lock.with_name("requirements.txt")),
        fix=f"{fix} from requirements.txt, or choose a version without the file; then lock again",
    )


def _read_metadata(prefix: Path, minor: str) -> Iterator[InstalledPackage]:
    site = PurePosixPath(f"lib/python{minor}/site-packages")
    for folder in (prefix / site).glob("*.dist-info"):
        metadata = HeaderParser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))
        files = {}
        with (folder / "RECORD").open(encoding="utf-8", newline="") as record:
            for path, digest, *_ in csv.reader(record):
                files[os.path.normpath(site / path)] = digest
        requires = {
            canonicalize_name(requirement.name)
            for requirement in map(Requirement, metadata.get_all("Requires-Dist", ()))
            if "extra" not in str(requirement.marker)
        }
        yield InstalledPackage(
            metadata["Name"], metadata["Version"], files, tuple(sorted(requires))
        )


def _refuse_conflicts(installed: list[InstalledPackage], lock: Path) -> None:
    owners: dict[str, InstalledPackage] = {}
    for package in installed:
        for path, digest in package.files.items():
            owner = owners.setdefault(path, package)
            if owner is not package and owner.files[path] != digest:
                raise SlipwayError(
                    f"{owner.name} and {package.name} both contain {path}, with different content:"
                    " the served one would depend on the order of installation",
                    where=str(lock.with_name("requirements.txt")),
                    fix=f"keep one of {owner.name} and {package.name}",
                )


def _translate_error(error: SlipwayError, lock: Path) -> SlipwayError:
    mismatch = re.search(r"Hash mismatch for `([^`]+)`", error.what)
    if mismatch:
        return SlipwayError(
            f"{mismatch[1]} on the index is not the locked file",
            where=str(lock),
            fix="find out why it changed; if that is intended, run `slipway lock --upgrade`",
        )
    return SlipwayError(error.what, where=str(lock), fix="reach the index, or run `slipway lock`")
