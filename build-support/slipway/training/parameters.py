"""Set values of a training's parameters: ``--set train.rounds=20``, in its params.yaml."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

# what no shell reads as anything but text: DVC puts ${parameter} into a stage's command, and a
# value may come from whoever may start a run
PLAIN_SIGNS = "_.,:/@+=%-"
PLAIN = re.compile(rf"[\w {re.escape(PLAIN_SIGNS)}]*")


def stage_parameters(stages: Sequence[Any]) -> dict[str, tuple[Path, Any]]:
    """Return the parameters that DVC's ``stages`` depend on, with their files and values, flat by
    dotted name. A name that is in several files belongs to the first one."""
    from dvc.dependency.param import ParamsDependency
    from dvc.utils.flatten import flatten

    found: dict[str, tuple[Path, Any]] = {}
    for stage in stages:
        for dependency in stage.deps:
            if isinstance(dependency, ParamsDependency):
                for name, value in flatten(_unflatten(dependency.read_params())).items():
                    found.setdefault(name, (Path(dependency.fs_path), value))
    return found


def set_parameters(stages: Sequence[Any], values: Mapping[str, str]) -> list[Path]:
    """Write ``values`` into the files of the stages' parameters; return these files.

    A file keeps its comments, and a value its type: a number stays a number.

    Raises:
        SlipwayError: no stage depends on such a parameter, or a value has another type. Nothing
            was written.
    """
    from dvc.utils.serialize import MODIFIERS

    known = stage_parameters(stages)
    typed = check_parameters(stages, values)
    for name, value in typed.items():
        path, _ = known[name]
        with MODIFIERS[path.suffix.lower()](str(path)) as content:
            *parents, last = name.split(".")
            table = content
            for parent in parents:
                table = table[int(parent) if isinstance(table, list) else parent]
            table[int(last) if isinstance(table, list) else last] = value
    return sorted({known[name][0] for name in typed})


def check_parameters(stages: Sequence[Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return ``values`` with the types that the stages' parameters have.

    Raises:
        SlipwayError: no stage depends on such a parameter, or a value has another type.
    """
    known = stage_parameters(stages)
    return {name: _typed(name, text, known) for name, text in values.items()}


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Return ``train.rounds=20`` as a name and a text.

    Raises:
        SlipwayError: a text has no ``=``, or a name comes twice.
    """
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or name.strip() in values:
            again = "is set twice" if name.strip() in values else "is not NAME=VALUE"
            raise SlipwayError(f"--set {text} {again}", fix="--set train.rounds=20")
        values[name.strip()] = value.strip()
    return values


def _typed(name: str, text: str, known: Mapping[str, tuple[Path, Any]]) -> Any:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        listed = ", ".join(near or sorted(known)) or "none: no stage has params"
        raise SlipwayError(
            f"no stage depends on a parameter {name!r}", fix=f"name one of: {listed}"
        )
    from dvc.exceptions import DvcException
    from dvc.utils.serialize import parse_yaml

    path, current = known[name]
    try:
        value = parse_yaml(f"value: {text}", "--set")["value"] if text else ""
    except (DvcException, ValueError) as error:
        raise SlipwayError(f"--set {name}={text}: {error}", fix=f"such as {current!r}") from error
    if type(current) is float and type(value) is int:
        value = float(value)
    if type(current) is float and isinstance(value, str):
        value = _number(value)  # YAML takes 1e-3 for text
    if type(current) is str and not isinstance(value, str):
        value = text
    if current is not None and type(value) is not type(current):
        raise SlipwayError(
            f"--set {name}={text}: the parameter is {type(current).__name__}, {current!r}",
            where=str(path),
            fix=f"give {_article(current)}, or change the file",
        )
    if not all(PLAIN.fullmatch(part) for part in _texts(value)):
        raise SlipwayError(
            f"--set {name}={text}: a text has letters, digits, spaces and {PLAIN_SIGNS} alone, "
            "since a stage's command may hold it",
            where=str(path),
            fix="change the file",
        )
    return value


def _texts(value: object) -> list[str]:
    """Return the texts in a parameter's value, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _article(value: object) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "a text")


def _unflatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as nested ones; lists and texts stay as they are."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = name.split(".")
        table = nested
        for parent in parents:
            table = table.setdefault(parent, {})
        table[last] = value
    return nested
