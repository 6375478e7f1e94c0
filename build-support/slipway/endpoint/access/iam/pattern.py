"""Patterns of IAM: ``*`` is any number of characters, ``?`` one, ``${key}`` a value of the request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

type Values = tuple[str, ...]
type Context = Mapping[str, Values]
"""The values of each condition key, whose names are in lower case."""

VARIABLE = re.compile(r"\$\{([^}]*)\}")
DEFAULT = re.compile(r"\s*([^,\s]+)\s*,\s*'([^']*)'\s*")
ESCAPED = {"*": "*", "?": "?", "$": "$"}  # ${*} is the character itself
SEGMENTS = 6  # of an ARN: arn, partition, service, region, account, resource


class Unresolved(Exception):
    """A variable has no value in this request, so that its pattern matches nothing."""


def matches(pattern: str, text: str, context: Context, *, ignore_case: bool = False) -> bool:
    """Return whether ``text`` matches ``pattern`` as StringLike does.

    Raises:
        Unresolved: a variable of the pattern has no single value.
    """
    if ignore_case:
        pattern, text = pattern.casefold(), text.casefold()
    if "${" not in pattern:
        return _compiled(pattern).fullmatch(text) is not None
    return re.compile(_like(_pieces(pattern, context)), re.DOTALL).fullmatch(text) is not None


def matches_arn(pattern: str, arn: str, context: Context) -> bool:
    """Return whether ``arn`` matches, segment by segment.

    A star stays within its segment, unless it is the segment's last character.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if pattern == "*":
        return True
    return _arn(tuple(_pieces(pattern, context))).fullmatch(arn) is not None


def literal(text: str, context: Context) -> str:
    """Return ``text`` with its variables replaced, for operators without wildcards."""
    if "${" not in text:
        return text
    return VARIABLE.sub(lambda found: _value(found[1], context), text)


def variables(text: str) -> list[str]:
    """Return the condition keys that ``text`` takes values of, in lower case."""
    names = [found[1] for found in VARIABLE.finditer(text) if found[1] not in ESCAPED]
    return [(DEFAULT.fullmatch(name) or [name, name])[1].strip().lower() for name in names]


# a piece is a literal text, or a wildcard
type _Piece = tuple[str, bool]


def _pieces(pattern: str, context: Context) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    for found in VARIABLE.finditer(pattern):
        pieces += _plain(pattern[position : found.start()])
        pieces.append((_value(found[1], context), False))
        position = found.end()
    return pieces + _plain(pattern[position:])


def _plain(text: str) -> list[_Piece]:
    return [(part, part in ("*", "?")) for part in re.split(r"([*?])", text) if part]


def _value(name: str, context: Context) -> str:
    if name in ESCAPED:
        return ESCAPED[name]
    default = DEFAULT.fullmatch(name)
    key = default[1] if default else name.strip()
    values = context.get(key.lower(), ())
    if len(values) == 1:
        return values[0]
    if default and not values:
        return default[2]
    raise Unresolved(key)


@lru_cache(4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_like(_plain(pattern)), re.DOTALL)


def _like(pieces: list[_Piece]) -> str:
    parts = [""]
    for text, is_wildcard in pieces:
        if is_wildcard and text == "*":
            parts.append("")
        else:
            parts[-1] += "." if is_wildcard else re.escape(text)
    first, *rest = parts
    if not rest:
        return first
    *middle, last = rest
    # as in endpoint/policy.py: with many stars, to try other places would take exponential time
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"


@lru_cache(1024)
def _arn(pieces: tuple[_Piece, ...]) -> re.Pattern[str]:
    regular, segment = "", 1
    for number, (text, is_wildcard) in enumerate(pieces):
        if not is_wildcard:
            regular += re.escape(text)
            segment += text.count(":")
            continue
        inside = segment < SEGMENTS
        following = pieces[number + 1] if number + 1 < len(pieces) else ("", False)
        ends = following[0][:1] in ("", ":") and not following[1]
        if text == "?":
            regular += "[^:]" if inside else "."
        else:
            regular += "[^:]*" if inside and not ends else ".*"
    return re.compile(regular, re.DOTALL)
