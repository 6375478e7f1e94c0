"""Say why uv found no lock: each cause with its own fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.environment.locking.pip_settings import unused_pip_settings
from slipway.environment.locking.resolver import resolve
from slipway.environment.requirement_lines import NamedRequirement, read_requirement_lines
from slipway.errors import SlipwayError
from slipway.settings import FILE_NAME, Settings

PAGE = "docs/installation.md"
CONFIGURATION = re.compile(r"Failed to (?:parse|read)(?: uv configuration)?: `?([^`\s]+uv\.toml)`?")
OFFLINE = "the network was disabled"
UNREACHABLE = re.compile(r"Failed to fetch: `?(\S+?)`?\s|error sending request for url \((\S+)\)")
REFUSED = re.compile(r"\b(401 Unauthorized|403 Forbidden)\b")
UNKNOWN = re.compile(r"(\S+) was not found in the (?:package registry|provided package locations)")
NO_WHEEL = (
    re.compile(r"Wheels are required for `([^`]+)`"),
    re.compile(r"we only found wheels for `([^`]+)`"),
    re.compile(r"([A-Za-z0-9][\w.-]*)\S* ha(?:s|ve) no (?:usable )?wheels"),
)
OTHER_WHEELS = re.compile(
    r"wheels (?:for|are available for) `([^`]+)` \(\S+\) (?:with|on) the following"
    r" [\w ]+: (`[^`]+`(?:, `[^`]+`)*)",
    re.IGNORECASE,
)
OTHER_PYTHON = re.compile(r"(\S+) depends? on Python([^\s,]+)")
NO_VERSION = re.compile(
    r"(?:there are no versions? of|there is no version of|only) (?P<name>[A-Za-z0-9][\w.-]*)"
    r"(?P<limit>[=<>!~]\S+)"
)
CONCLUSION = re.compile(r",? we can conclude that .*?(?= And because |$)")
REQUIRED = re.compile(r"you require ((?:[^\s,]+(?:,[^\s,]+)*)(?: and [^\s,]+(?:,[^\s,]+)*)*)")


def explain(error: SlipwayError, requirements: Path, settings: Settings) -> SlipwayError:
    """Return uv's error with its cause in short, and a fix for that cause."""
    message = " ".join(error.what.split())
    unreadable = CONFIGURATION.search(message)
    if unreadable:
        reason = message[unreadable.end() :].removeprefix(" cause:").partition(", expected")[0]
        return SlipwayError(
            f"uv cannot read its configuration: {reason.strip()}",
            where=unreadable[1],
            fix="correct that file",
        )
    for cause in CAUSES:
        found = cause(message, requirements, settings)
        if found:
            return found
    return SlipwayError(
        error.what, where=str(requirements), fix=f"correct what uv names above ({PAGE})"
    )


def _offline(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    if OFFLINE not in message:
        return None
    return SlipwayError(
        f"a package is not in uv's cache, and the network is disabled: {_reasons(message)}",
        where=str(requirements),
        fix="lock without UV_OFFLINE (and offline in uv.toml), or where the cache has the package",
    )


def _network(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    found = UNREACHABLE.search(message)
    if not found:
        return None
    url = re.sub(r"//[^/@]*@", "//", found[1] or found[2])  # without credentials
    refused = REFUSED.search(message)
    if refused:
        return SlipwayError(
            f"the package index refuses the request: {refused[1]} ({url})",
            where=str(requirements),
            fix=f"put credentials for it into ~/.netrc, or into the index's URL ({PAGE})",
        )
    return SlipwayError(
        f"the package index is not reached: {message.rpartition('cause: ')[2]} ({url})",
        where=str(requirements),
        fix=_with_pip(
            f"reach it, or name another one by UV_DEFAULT_INDEX or in uv.toml ({PAGE})", settings
        ),
    )


def _unknown(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    found = UNKNOWN.search(message)
    if not found:
        return None
    return SlipwayError(
        f"no index has a package named {found[1]}{_required_by(found[1], message)}",
        where=_where(found[1], requirements),
        fix=_with_pip(
            f"correct the name, or name the index that has it in uv.toml ({PAGE})", settings
        ),
    )


def _no_wheel(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    found = next((match for pattern in NO_WHEEL if (match := pattern.search(message))), None)
    if not found:
        return None
    package = _name(found[1])
    what = f"{package} has no wheel for Python {settings.python} on {settings.platform}: "
    fix = f"choose a version of {package} that has one"
    others = OTHER_WHEELS.search(message)
    if others and canonicalize_name(others[1]) == package:
        what += f"its wheels are for {others[2].replace('`', '')}"
        fix += ", or build one into an index of your own"
    else:
        what += "it is published as source only, or for other systems"
        fix += (
            f'; if it is of pure Python, [environment] build-from-source = ["{package}"] in'
            f" {FILE_NAME} builds it; else build a wheel into an index of your own"
        )
    return SlipwayError(
        what + _required_by(package, message), where=_where(package, requirements), fix=fix
    )


def _python(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    found = OTHER_PYTHON.search(message)
    if not found:
        return None
    name = _name(found[1])
    return SlipwayError(
        f"{name} needs Python {found[2]}, and Triton {settings.triton_release} serves"
        f" {settings.python}",
        where=_where(name, requirements),
        fix=f"choose a version of {name} that runs on Python {settings.python}",
    )


def _no_version(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    found = NO_VERSION.search(message)
    if not found or re.search(r"depends? on", message):
        return None
    try:
        (newest,) = resolve([found["name"]], settings, where=requirements, dependencies=False)
    except SlipwayError:
        return None
    return SlipwayError(
        _reasons(message),
        where=_where(found["name"], requirements),
        fix=f"choose a version that exists: the newest is {newest.version}",
    )


def _conflict(message: str, requirements: Path, settings: Settings) -> SlipwayError | None:
    if "No solution found" not in message:
        return None
    # as the file has them: uv shortens limits that only one version meets
    names = {
        _name(requirement)
        for many in REQUIRED.findall(message)
        for requirement in many.split(" and ")
    }
    lines = [
        line
        for line in read_requirement_lines(requirements)
        if isinstance(line, NamedRequirement) and _name(line.text) in names
    ]
    return SlipwayError(
        f"the requirements contradict each other: {_reasons(message)}",
        where=f"{requirements}:{lines[0].number}" if lines else str(requirements),
        fix=f"loosen {' or '.join(line.text for line in lines) or 'one of the requirements'}",
    )


Cause = Callable[[str, Path, Settings], SlipwayError | None]
CAUSES: tuple[Cause, ...] = (
    _offline, _network, _unknown, _no_wheel, _python, _no_version, _conflict
)  # fmt: skip


def _required_by(package: str, message: str) -> str:
    """Return which package requires ``package``, if uv names one."""
    parent = re.search(rf"(\S+) depends? on {re.escape(package)}\b", message)
    return f"; {parent[1]} depends on it" if parent else ""


def _reasons(message: str) -> str:
    """Return uv's reasons without its conclusions."""
    text = message.partition("cause: ")[2].partition(" hint: ")[0] or message
    text = CONCLUSION.sub("", text)
    return text.replace(" And because ", "; ").removeprefix("Because ").strip().removesuffix(".")


def _where(requirement: str, requirements: Path) -> str:
    """Return the line of ``requirements`` that names a package, otherwise the file."""
    for line in read_requirement_lines(requirements):
        if isinstance(line, NamedRequirement) and _name(line.text) == _name(requirement):
            return f"{requirements}:{line.number}"
    return str(requirements)


def _name(requirement: str) -> str:
    """Return the package that a requirement or uv's form of one names."""
    return canonicalize_name(re.split(r"[=<>!~\[{; ]", requirement)[0])


def _with_pip(fix: str, settings: Settings) -> str:
    """Return ``fix`` with pip's settings that are set and not used, if there are any."""
    return "; ".join([fix, *(setting.advice for setting in unused_pip_settings(settings.root))])
