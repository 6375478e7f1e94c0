"""Which newer versions a lock passed over, and why: nobody should get old ones in silence."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from slipway.environment.locking.resolver import resolve, static_metadata
from slipway.environment.packages import run_uv
from slipway.errors import SlipwayError
from slipway.settings import FILE_NAME, Settings
from slipway.triton.image import numpy_support

AT_ONCE = 2  # processes of uv
MOST = 8  # packages whose reason is asked for
PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+))?")
LATER_PYTHON = re.compile(r"python_full_version (?:>=|>|==) '(\d+\.\d+)")
DEPENDS = re.compile(r"(\S+) depends? on ([^\s,]+(?:,[^\s,]+)*)")
NO_WHEEL = re.compile(r"([A-Za-z0-9][\w.-]*)(?:[=<>!~][^ ]*)? ha(?:s|ve) no (?:usable )?wheels")


@dataclass(frozen=True)
class PassedOver:
    """A locked version, and the newest one that its own requirement allows."""

    name: str
    locked: str
    newest: str
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.name} {self.locked}, not {self.newest}: {self.reason}"
        return f"{text} ({self.fix})" if self.fix else text


def find_passed_over(
    lines: Sequence[str], locked: Mapping[str, str], settings: Settings, *, where: Path
) -> list[PassedOver]:
    """Return the packages of a lock of which there is a newer version, with the reason for each.

    Of a package that the requirements name, versions within the limits that they write count. Of
    another, those count that no locked package excludes. A release counts as newer than what comes
    before a release.

    Args:
        lines: the requirements, for uv.
        locked: versions by names.
        where: the ``requirements.txt``.

    Raises:
        SlipwayError: uv reaches no index.
    """
    named: dict[str, Requirement] = {}
    for line in lines:
        requirement = Requirement(line)
        if requirement.url is None:
            named[canonicalize_name(requirement.name)] = requirement
    by_url = {canonicalize_name(Requirement(line).name) for line in lines} - named.keys()
    asked = [name for name in locked if name not in by_url]
    newest = _newest(asked, named, settings, where)
    unserved = _limit_of_numpy(newest, settings)
    behind = [
        name
        for name in asked
        if name in newest and _is_behind(Version(locked[name]), Version(newest[name][0]))
    ]
    behind.sort(key=lambda name: (name not in named, name))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(
            lambda name: _explain(
                name, *newest[name], [*lines, *unserved], locked, settings, where
            ),
            behind[:MOST],
        )
        return [
            passed
            for passed, limited_by in found
            if passed.name in named or limited_by not in locked
        ]


def _newest(
    names: Iterable[str], named: Mapping[str, Requirement], settings: Settings, where: Path
) -> dict[str, tuple[str, str]]:
    """Return the newest version of each package for any system, and the Python that it needs.

    The Python is empty if the configured one will do. uv's universal resolution gives versions for
    this and all later ones.
    """
    names = sorted(names)
    with tempfile.TemporaryDirectory(prefix="slipway-lock-") as work:
        source = Path(work, "requirements.txt")
        lines = [f"{name}{named[name].specifier if name in named else ''}" for name in names]
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        text = run_uv(
            [
                *("pip", "compile", "--quiet", "--universal", "--no-deps", "--no-header"),
                *("--no-annotate", "--python-version", settings.python, source),
            ],
            settings,
            what=f"looking for newer versions than {where} locks",
            cwd=where.parent,
            variables=static_metadata(names, Path(work)),
        )
    newest: dict[str, tuple[str, str]] = {}
    for pin in PIN.finditer(text):
        name, version = canonicalize_name(pin["name"]), pin["version"]
        python = LATER_PYTHON.match(pin["marker"] or "")
        later = python[1] if python and _later(python[1], settings.python) else ""
        if name not in newest or Version(version) > Version(newest[name][0]):
            newest[name] = version, later
    return newest


def _limit_of_numpy(newest: Mapping[str, tuple[str, str]], settings: Settings) -> list[str]:
    """Return the limit that the configured releases of Triton set to numpy, for uv."""
    version = newest.get("numpy", ("",))[0]
    if not version:
        return []
    limit = numpy_support.limit(version, settings.triton_release, settings.test_release)
    return [f"numpy{limit}"] if limit else []


def _is_behind(locked: Version, newest: Version) -> bool:
    return newest > locked or (locked.is_prerelease and not newest.is_prerelease)


def _later(python: str, configured: str) -> bool:
    return Version(python) > Version(configured)


def _explain(
    name: str,
    version: str,
    python: str,
    lines: Sequence[str],
    locked: Mapping[str, str],
    settings: Settings,
    where: Path,
) -> tuple[PassedOver, str]:
    """Return why a lock has not ``version`` of a package, and the package that excludes it."""
    if python:
        reason = f"{version} needs Python {python}, and Triton {settings.triton_release} serves"
        return PassedOver(name, locked[name], version, f"{reason} {settings.python}"), ""
    releases = settings.triton_release, settings.test_release
    if name == "numpy" and numpy_support.limit(version, *releases):
        return PassedOver(name, locked[name], version, numpy_support.reason(version, *releases)), ""
    from_source = {canonicalize_name(listed) for listed in settings.build_from_source} & set(locked)
    if any(_name(line) == name for line in lines):
        limits = []
    else:
        limits = [f"{other}=={pinned}" for other, pinned in locked.items() if other != name]
    wanted = [*lines, f"{name}=={version}"]
    try:
        resolve(wanted, settings, where=where, from_source=from_source, limits=limits)
    except SlipwayError as error:
        reason, fix, limited_by = _reason(name, version, " ".join(error.what.split()), settings)
        return PassedOver(name, locked[name], version, reason, fix), limited_by
    reason = "both fit, and pins are kept"
    return PassedOver(name, locked[name], version, reason, "slipway lock --upgrade"), ""


def _reason(name: str, version: str, message: str, settings: Settings) -> tuple[str, str, str]:
    """Return the reason in uv's message, a fix if there is one, and the package that excludes."""
    target = f"Python {settings.python} on {settings.platform}"
    message = re.sub(r"\{[^}]*\}", "", message)  # markers
    without_wheel = {canonicalize_name(found) for found in NO_WHEEL.findall(message)}
    depends = DEPENDS.findall(message)
    for parent, required in depends:
        needed = _name(required)
        if _name(parent) == name and needed in without_wheel:
            reason = f"{version} needs {required}, which has no wheel for {target}"
            return reason, _build(needed, settings), ""
    for parent, required in depends:
        if _name(parent) == name:
            return f"{version} needs {required}", "", ""
    if name in without_wheel:
        return f"{version} has no wheel for {target}", _build(name, settings), ""
    for parent, required in depends:
        if _name(required) == name:
            return f"{parent} needs {required}", "", _name(parent)
    cause = message.partition("cause: ")[2].partition(", we can conclude")[0]
    return (cause.removeprefix("Because ") or message)[:300], "", ""


def _build(name: str, settings: Settings) -> str:
    """Return how a package without wheels can be had, if it is not built from source already."""
    if name in {canonicalize_name(listed) for listed in settings.build_from_source}:
        return ""
    return f'if of pure Python: [environment] build-from-source = ["{name}"] in {FILE_NAME}'


def _name(requirement: str) -> str:
    return canonicalize_name(re.split(r"[=<>!~\[{; ]", requirement)[0])
