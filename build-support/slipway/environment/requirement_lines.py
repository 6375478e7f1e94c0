"""Parse ``requirements.txt`` into typed lines, as pip reads it, without judging them.

Source: pip's documentation, "Requirements File Format" and "Requirement Specifiers".
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from slipway.errors import SlipwayError
from slipway.unchanged import read_bytes, remembered

COMMENT = re.compile(r"(^|\s+)#.*")
SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):")
VERSION_CONTROL = ("git", "hg", "svn", "bzr")
SSH = re.compile(r"[\w.-]+@[\w.-]+:(?!//)\S+")  # git@host:group/name.git, as git clone takes it
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
SHORT_OPTIONS = {
    "-c": "--constraint",
    "-C": "--config-settings",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-r": "--requirement",
}
# `path[extra] ; marker`, of a path that is not a URL
PATH = re.compile(r"(?P<path>[^;\[]+?)\s*(?:\[(?P<extras>[^]]*)\])?\s*(?:;\s*(?P<marker>.+))?")


@dataclass(frozen=True)
class Line:
    """A line without its comment; ``number`` is that of its first physical line, from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class NamedRequirement(Line):
    """A package from an index, such as ``numpy<2``; ``options`` follow it, such as ``--hash``."""

    requirement: Requirement
    options: str = ""


@dataclass(frozen=True)
class UrlRequirement(Line):
    """A wheel or source archive by its URL, such as ``name @ https://host/name.whl``."""

    url: str
    name: str | None


@dataclass(frozen=True)
class RepositoryRequirement(Line):
    """A revision of a repository, such as ``git+https://host/name.git@v1``."""

    url: str
    name: str | None


@dataclass(frozen=True)
class PathRequirement(Line):
    """A folder or file of this machine, such as ``../../libs/name`` or ``name @ file:../x``.

    ``path`` is as it was written, without ``file:``, extras and marker; see :meth:`resolve`.
    """

    path: str
    name: str | None
    extras: tuple[str, ...] = ()
    marker: str | None = None
    editable: bool = False

    def resolve(self, requirements: Path) -> Path:
        """Return the absolute path; a relative one starts at the folder of ``requirements``."""
        return (requirements.parent / self.path).resolve()


@dataclass(frozen=True)
class Option(Line):
    """An option of pip for the whole file, by its long name, such as ``--index-url``."""

    option: str
    value: str


@dataclass(frozen=True)
class Malformed(Line):
    """A line that pip does not understand either."""

    reason: str


RequirementLine = (
    NamedRequirement | UrlRequirement | RepositoryRequirement | PathRequirement | Option | Malformed
)


@remembered
def read_requirement_lines(requirements: Path) -> Sequence[RequirementLine]:
    """Return the lines of a ``requirements.txt``, without blank ones and comments.

    Raises:
        SlipwayError: it is not text in UTF-8.
    """
    data = read_bytes(requirements)
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ValueError("it is UTF-16, as PowerShell writes it")
        text = data.decode("utf-8-sig")
    except ValueError as error:
        raise SlipwayError(
            f"not text in UTF-8: {error}", where=str(requirements), fix="save the file as UTF-8"
        ) from error
    return parse_requirement_lines(text)


@lru_cache(maxsize=32)  # of the latest models, of which many have the same requirements
def parse_requirement_lines(text: str) -> Sequence[RequirementLine]:
    """Return the lines of the text of a ``requirements.txt``, without blank ones and comments."""
    return [parse_line(number, line) for number, line in _logical_lines(text)]


def parse_line(number: int, text: str) -> RequirementLine:
    """Return one line, without comment, as a typed value."""
    if text.startswith("-"):
        option, value = _split_option(text)
        if option == "--editable":
            return _parse_location(number, text, value, editable=True) or Malformed(
                number, text, "-e takes a folder or a repository"
            )
        return Option(number, text, option, value)
    requirement_text, options = _split_options(text)
    is_archive = requirement_text.lower().endswith(ARCHIVES) and "@" not in requirement_text
    if is_archive or SSH.fullmatch(requirement_text):
        return _parse_location(number, text, requirement_text) or Malformed(
            number, text, "neither a URL nor a path"
        )
    try:
        requirement = Requirement(requirement_text)
    except InvalidRequirement as error:
        return _parse_location(number, text, requirement_text) or Malformed(
            number, text, str(error).splitlines()[0]
        )
    if requirement.url is None:
        return NamedRequirement(number, text, requirement, options)
    located = _parse_location(number, text, requirement.url, name=requirement.name)
    if isinstance(located, PathRequirement):
        return PathRequirement(
            number,
            text,
            located.path,
            requirement.name,
            tuple(sorted(requirement.extras)),
            str(requirement.marker) if requirement.marker else None,
        )
    return located or Malformed(number, text, f"{requirement.url!r} is neither a URL nor a path")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; a backslash at the end continues a line, as in pip."""
    first, parts = 0, list[str]()
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        first = first if parts else number
        comment = COMMENT.match(line) is not None
        continued = line.endswith("\\") and not comment and number < len(lines)
        parts.append(f" {line}" if comment else line.rstrip("\\"))
        if continued:
            continue
        joined = COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if joined:
            yield first, joined


def _split_option(text: str) -> tuple[str, str]:
    """Return long name and value of ``-r x``, ``-rx``, ``--requirement x``, ``--requirement=x``."""
    if text.startswith("--"):
        name, _, value = re.sub(r"\s+", "=", text, count=1).partition("=")
        return name, value.lstrip("= ").strip()
    name = text[:2]
    return SHORT_OPTIONS.get(name, name), text[2:].lstrip("= ").strip()


def _split_options(text: str) -> tuple[str, str]:
    """Return a requirement, and the options after it."""
    start = re.search(r"\s-{1,2}[A-Za-z]", text)
    return (text[: start.start()].strip(), text[start.start() :].strip()) if start else (text, "")


def _parse_location(
    number: int, text: str, location: str, *, name: str | None = None, editable: bool = False
) -> UrlRequirement | RepositoryRequirement | PathRequirement | None:
    """Return a URL or path as a typed value; None if ``location`` is neither."""
    location = location.strip()
    matched = SCHEME.match(location)
    scheme = matched["scheme"].lower() if matched else ""
    name = name or next(iter(parse_qs(urlsplit(location).fragment).get("egg", [])), None)
    if scheme.partition("+")[0] in VERSION_CONTROL or SSH.fullmatch(location):
        return RepositoryRequirement(number, text, location, name)
    if scheme in ("http", "https"):
        return UrlRequirement(number, text, location, name)
    if scheme == "file":
        location = unquote(urlsplit(location).path)
    elif scheme:
        return None
    path = PATH.fullmatch(location)
    named_by_path = "/" in location or location.startswith(".")
    if not path or not (named_by_path or editable or name or location.lower().endswith(ARCHIVES)):
        return None
    extras = tuple(sorted(filter(None, re.split(r"\s*,\s*", path["extras"] or ""))))
    return PathRequirement(number, text, path["path"], name, extras, path["marker"], editable)
