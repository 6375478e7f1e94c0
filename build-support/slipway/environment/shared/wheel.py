"""Build a package of the repository to a wheel, once per content on a machine.

Its build backend runs in an environment of its own, on a copy of the sources. The backend and what
it needs are those of ``backends.txt``, with hashes: equal sources give equal wheels everywhere.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from slipway.environment.packages import run_uv
from slipway.environment.shared.package import PYPROJECT, SharedPackage
from slipway.environment.shared.sources import copy_sources, digest_of_sources
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.settings import Settings

BACKENDS = Path(__file__).parent.parent / "backends.txt"
# the oldest time that a zip archive can hold; https://reproducible-builds.org/specs/source-date-epoch
EPOCH = "315532800"
PURE = "any"  # the platform in the name of a wheel without compiled code
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
FRONT = "uv_build, setuptools, hatchling, flit_core, poetry-core and pdm-backend"


def build_shared_wheel(package: SharedPackage, settings: Settings) -> Path:
    """Return the wheel of ``package``, built or from the cache.

    Raises:
        SlipwayError: the build fails or needs another backend than those of ``backends.txt``, or
            the wheel holds compiled code or another package.
    """
    parts = (
        digest_of_sources(package.folder),
        BACKENDS.read_text(encoding="utf-8"),
        version("uv"),
        sys.version.split()[0],
    )
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
    _refuse_unpinned(package)
    argv: list[str | Path] = [
        *("build", "--quiet", "--wheel", "--python", sys.executable),
        *("--require-hashes", "--build-constraint", BACKENDS, "--out-dir", output),
    ]
    with tempfile.TemporaryDirectory() as work:
        sources = Path(work, package.name)
        copy_sources(package.folder, sources)
        try:
            run_uv(
                [*argv, sources],
                settings,
                what=f"building {package.name}",
                variables={"SOURCE_DATE_EPOCH": EPOCH},
            )
        except SlipwayError as error:
            raise SlipwayError(
                error.what.replace(str(sources), str(package.folder)),
                where=str(package.folder / PYPROJECT),
                fix=f"correct it, until this passes: uv build {package.folder}",
            ) from error
    (output / ".gitignore").unlink(missing_ok=True)  # uv's own
    wheel = next(output.glob("*.whl"))
    name, _, _, tags = parse_wheel_filename(wheel.name)
    where = str(package.folder / PYPROJECT)
    if canonicalize_name(name) != package.name:
        raise SlipwayError(
            f"its backend builds {name}, not {package.name}",
            where=where,
            fix="let [project] and the backend's own table have the same name",
        )
    if any(tag.platform != PURE for tag in tags):
        raise SlipwayError(
            f"{package.name} holds compiled code, which would be this machine's: {wheel.name}",
            where=where,
            fix="keep the Python part here, and publish the compiled part as wheels in your index",
        )


def _refuse_unpinned(package: SharedPackage) -> None:
    """Refuse a backend that is not in ``backends.txt``, or of another version than there.

    PEP 518 names setuptools where there is no ``[build-system]``.
    """
    file = package.folder / PYPROJECT
    system = tomllib.loads(file.read_text(encoding="utf-8")).get("build-system", {})
    pinned = {canonicalize_name(name): v for name, v in PINNED.findall(BACKENDS.read_text())}
    pinned[canonicalize_name("uv-build")] = version(
        "uv"
    )  # uv builds by itself what asks for its own backend
    for text in system.get("requires", ["setuptools"]):
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        found = pinned.get(canonicalize_name(requirement.name))
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            known = f"pinned is {found}" if found else "it is not pinned"
            raise SlipwayError(
                f"[build-system] requires {text}, and {known}: a backend writes its version into"
                " the wheel",
                where=str(file),
                fix=f"require one of {FRONT}, without an upper limit",
            )
