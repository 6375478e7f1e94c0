"""Typing mistakes in a ``config.pbtxt``: a name, a number, a field, a mark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from slipway.triton import config
from slipway.triton.pbtxt import FieldPath, Fields, Span
from tests.check.mutation.mistake import configs, misspell, relative_name

# their keys and values are free: only the model's code gives them a meaning
FREE = "parameters"
MARKS = '{}[]":,'
ENSEMBLE_SPELLINGS = (
    "platform: 'ensemble'",
    'platform : "ensemble"',
    'platform: "Ensemble"',
    'platform: "ensembles"',
    "platform: ensemble",
    'backend: "ensemble"',
    'platform: "ensem" "ble"',
)


def name(folder: Path, random: Random) -> str | None:
    """Misspell a text value."""

    def change_value(value: str) -> str:
        return f"{value[0]}{misspell(value[1:-1], random)}{value[-1]}"

    return _value(folder, random, r"[\"'][^\"']+[\"']", change_value)


def constant(folder: Path, random: Random) -> str | None:
    """Misspell an enumeration's value."""
    return _value(folder, random, r"[A-Z]\w+", lambda value: misspell(value, random))


def number(folder: Path, random: Random) -> str | None:
    """Change a number."""

    def change_value(value: str) -> str:
        is_number = value.lstrip("-").isdigit()
        old = int(value) if is_number else 1
        return str(random.choice([old + 1, old - 1, old * 2, 0, -1, 1]))

    return _value(folder, random, r"-?[0-9]\w*", change_value)


def kind_of_number(folder: Path, random: Random) -> str | None:
    """Write a number as text, or with a point."""
    forms = ('"{}"', "{}.5", "{}x")
    return _value(folder, random, r"-?[0-9]+", lambda value: random.choice(forms).format(value))


def field(folder: Path, random: Random) -> str | None:
    """Misspell a field's name."""
    path = random.choice(configs(folder))
    text, fields = _read(path)
    with_name = [
        (where, span)
        for where, span in _unique(fields)
        if text[span.start : span.end].startswith(_last(where)) and span.start != span.value
    ]
    if not with_name:
        return None
    where, span = random.choice(with_name)
    old = _last(where)
    new = misspell(old, random)
    path.write_text(text[: span.start] + new + text[span.start + len(old) :], encoding="utf-8")
    return f"{relative_name(path, folder)}: field {old} → {new}"


def mark(folder: Path, random: Random) -> str | None:
    """Remove or duplicate a brace, bracket, quote, colon or comma."""
    path = random.choice(configs(folder))
    text = path.read_text(encoding="utf-8")
    positions = [at for at, character in enumerate(text) if character in MARKS]
    at = random.choice(positions)
    times = random.choice((0, 2))
    path.write_text(text[:at] + text[at] * times + text[at + 1 :], encoding="utf-8")
    line = text.count("\n", 0, at) + 1
    return (
        f"{relative_name(path, folder)}:{line}: {text[at]} {'missing' if times == 0 else 'twice'}"
    )


def platform(folder: Path, random: Random) -> str | None:
    """Write ``platform: "ensemble"`` in another spelling."""
    for path in configs(folder):
        text = path.read_text(encoding="utf-8")
        if 'platform: "ensemble"' in text:
            new = random.choice(ENSEMBLE_SPELLINGS)
            path.write_text(text.replace('platform: "ensemble"', new), encoding="utf-8")
            return f"{relative_name(path, folder)}: {new}"
    return None


def _value(folder: Path, random: Random, pattern: str, change: Callable[[str], str]) -> str | None:
    path = random.choice(configs(folder))
    text, fields = _read(path)
    values = [
        (where, span)
        for where, span in _unique(fields)
        if re.fullmatch(pattern, text[span.value : span.end]) and where[0] != FREE
    ]
    if not values:
        return None
    where, span = random.choice(values)
    old = text[span.value : span.end]
    new = change(old)
    if new == old:
        return None
    path.write_text(text[: span.value] + new + text[span.end :], encoding="utf-8")
    return f"{relative_name(path, folder)}: {dotted(where)} {old} → {new}"


def dotted(where: FieldPath) -> str:
    """``input[0].dims[1]``"""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in where]
    return "".join(parts).lstrip(".")


def _read(path: Path) -> tuple[str, Fields]:
    text = path.read_text(encoding="utf-8")
    return text, Fields(text, config.schema().ModelConfig.DESCRIPTOR)


def _unique(fields: Fields) -> list[tuple[FieldPath, Span]]:
    """Return each field once: entries of maps and first elements have several paths."""
    unique: dict[tuple[int, int], tuple[FieldPath, Span]] = {}
    for where, span in fields.spans.items():
        unique.setdefault((span.start, span.value), (where, span))
    return list(unique.values())


def _last(where: FieldPath) -> str:
    return next(step for step in reversed(where) if isinstance(step, str))
