"""Build a package of the repository to a wheel, once per content on a machine.

Its build backend and what that needs are those of ``backends.txt``, with hashes: a backend writes
its own version into a wheel, and equal sources have to give equal wheels everywhere.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from slipway.environment.shared.package import PYPROJECT, SharedPackage
from slipway.environment.shared.sources import copy_sources, digest_of_sources
from slipway.environment.wheels.builder import Project, build_wheel
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.settings import Settings

BACKENDS = Path(__file__).parent.parent / "backends.txt"
PINNED = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+).*")
# of backends.txt, without what they need themselves
FRONT = "hatchling, setuptools, uv_build, flit_core, poetry-core and pdm-backend"


def build_shared_wheel(package: SharedPackage, settings: Settings) -> Path:
    """Return the wheel of ``package``, built or from the cache.

    Raises:
        SlipwayError: the build fails or needs another backend than those of ``backends.txt``, or
            the wheel is not of pure Python, or is another package's.
    """
    backends = BACKENDS.read_text(encoding="utf-8")
    parts = (digest_of_sources(package.folder), backends, sys.version.split()[0])
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    folder = cache_dir("wheels") / key
    if not folder.is_dir():
        with locked(folder.with_name(f"{key}.guard")):
            if not folder.is_dir():
                with atomic_write(folder) as sibling:
                    sibling.mkdir()
                    _build(package, settings, sibling)
    return next(folder.glob("*.whl"))


def _build(package: SharedPackage, settings: Settings, output: Path) -> None:
    where = package.folder / PYPROJECT
    pins = _build_requirements(package)
    with tempfile.TemporaryDirectory(prefix="slipway-shared-") as work:
        sources = Path(work, package.name)
        copy_sources(package.folder, sources)
        try:
            wheel = build_wheel(Project(sources, package.name, where, pins), settings, output)
        except SlipwayError as error:
            raise SlipwayError(
                error.what,
                where=str(where),
                fix=f"correct it, until this passes: uv build {package.folder}; compiled code"
                " belongs in wheels in an index of your own",
            ) from error
    name = canonicalize_name(parse_wheel_filename(wheel.name)[0])
    if name != package.name:
        raise SlipwayError(
            f"its backend builds {name}, not {package.name}",
            where=str(where),
            fix="let [project] and the backend's own table have the same name",
        )


def _build_requirements(package: SharedPackage) -> tuple[str, ...]:
    """Return the pins of ``backends.txt``; none if the backend is a file of the package itself.

    Raises:
        SlipwayError: the package requires a backend that is not among them, or another version.
    """
    file = package.folder / PYPROJECT
    system = tomllib.loads(file.read_text(encoding="utf-8")).get("build-system", {})
    text = BACKENDS.read_text(encoding="utf-8").replace("\\\n", " ")
    pins = [pin for pin in map(PINNED.fullmatch, text.splitlines()) if pin]
    versions = {canonicalize_name(pin["name"]): pin["version"] for pin in pins}
    # PEP 518: without a table, setuptools builds it
    required = [Requirement(line) for line in system.get("requires", ["setuptools"])]
    for requirement in required:
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            pinned = f"pinned is {version}" if version else "it is not pinned"
            raise SlipwayError(
                f"[build-system] requires {requirement}, and {pinned}: a backend writes its version"
                " into the wheel",
                where=str(file),
                fix=f"require one of {FRONT}, without an upper limit",
            )
    return tuple(" ".join(pin[0].split()) for pin in pins) if required else ()
