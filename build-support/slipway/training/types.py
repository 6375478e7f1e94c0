"""Check that the record of a run, which anyone may have written, holds values of its types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from slipway.training.run import TrainingRun


def reject_other_types(run: TrainingRun) -> None:
    """Refuse a run whose fields hold other values than they say.

    Raises:
        ValueError: names the field.
    """
    _check(run, TrainingRun, "run")


def _check(value: Any, hint: Any, where: str) -> None:
    if not _conforms(value, hint, where):
        raise ValueError(f"{where} is {value!r:.60}")


def _conforms(value: Any, hint: Any, where: str) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin is Literal:
        return value in arguments
    if origin in (Union, UnionType):
        return any(_conforms(value, argument, where) for argument in arguments)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        for number, part in enumerate(value):
            _check(part, arguments[0], f"{where}[{number}]")
        return True
    if origin is Mapping:
        if not isinstance(value, Mapping):
            return False
        for key, part in value.items():
            _check(key, arguments[0], f"a key of {where}")
            _check(part, arguments[1], f"{where}.{key}")
        return True
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, hint):
            return False
        for name, inner in get_type_hints(hint).items():
            _check(getattr(value, name), inner, f"{where}.{name}")
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NoneType if hint is None else hint)
