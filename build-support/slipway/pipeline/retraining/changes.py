"""What a training ran on that the training before did not: data, parameters, code."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["data", "parameters", "code", "packages", "outputs"]
CODE = (".py", ".pyi", ".sh", ".ipynb")
PACKAGES = ("requirements.txt", "requirements.lock")
LOCK, STAGES = "dvc.lock", "dvc.yaml"


@dataclass(frozen=True)
class Change:
    """One difference: ``what`` is a few words in Markdown."""

    kind: Kind
    what: str


def read_stages(root: Path, stages: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return what ``dvc.lock`` says of each of the ``stages``, addresses as ``dvc repro`` takes
    them; an empty mapping for one that never ran."""
    from dvc.utils.serialize import load_yaml

    locks: dict[str, Mapping[str, Any]] = {}
    found: dict[str, Mapping[str, Any]] = {}
    for address in stages:
        folder, name = _parts(address)
        if folder not in locks:
            lock = root / folder / LOCK
            locks[folder] = load_yaml(str(lock)).get("stages", {}) if lock.is_file() else {}
        found[address] = locks[folder].get(name) or {}
    return found


def training_changes(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[Change]:
    """Return how stages, as :func:`read_stages` returns them, changed; each difference once.

    What one stage writes and another reads is an output, and no data.
    """
    written = {
        _path(_parts(address)[0], out["path"])
        for address, stage in after.items()
        for out in stage.get("outs", ())
    }
    changes: list[Change] = []
    for address, now in after.items():
        changes += _stage_changes(*_parts(address), before.get(address, {}), now, written)
    return list(dict.fromkeys(changes))


def _parts(address: str) -> tuple[str, str]:
    """Return the folder of a stage's ``dvc.yaml``, and its name."""
    file, _, name = address.rpartition(":")
    return posixpath.dirname(file or STAGES), name


def _stage_changes(
    folder: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any], written: set[str]
) -> Iterator[Change]:
    if old and new and old.get("cmd") != new.get("cmd"):
        yield Change("code", f"the command of `{name}`: `{_text(new.get('cmd'))}`")
    if not old:
        yield Change("code", f"the stage `{name}` is new")
    for path, what in _files(folder, old.get("deps", ()), new.get("deps", ())):
        if path not in written:
            yield Change(_kind(path), what)
    yield from _parameters(folder, old.get("params", {}), new.get("params", {}))
    for _, what in _files(folder, old.get("outs", ()), new.get("outs", ())):
        yield Change("outputs", what)


def _files(
    folder: str, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    before = {str(file["path"]): file for file in old}
    after = {str(file["path"]): file for file in new}
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was is not None and now is not None and _hash(was) == _hash(now):
            continue
        full = _path(folder, path)
        if was is None or now is None:
            yield full, f"`{full}` {'is new' if was is None else 'is gone'}"
        else:
            yield full, f"`{full}`: {_described(was)} → {_described(now)}"


def _path(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _parameters(folder: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for file in sorted(old.keys() | new.keys()):
        was, now = flat(old.get(file, {})), flat(new.get(file, {}))
        for name in sorted(was.keys() | now.keys()):
            if was.get(name) != now.get(name):
                pair = " → ".join(
                    f"`{_text(values[name])}`" if name in values else "—" for values in (was, now)
                )
                yield Change("parameters", f"`{name}`: {pair}")


def _kind(path: str) -> Kind:
    if posixpath.basename(path) in PACKAGES:
        return "packages"
    return "code" if path.endswith(CODE) else "data"


def _hash(file: Mapping[str, Any]) -> object:
    return file.get(str(file.get("hash", "md5")), file.get("md5"))


def _described(file: Mapping[str, Any]) -> str:
    size = file.get("size")
    shown = "" if not isinstance(size, int) else f" ({size:,} bytes)"
    return f"`{str(_hash(file))[:8]}`{shown}"


def flat(values: object, prefix: str = "") -> dict[str, object]:
    """Return nested parameters by their dotted names."""
    if not isinstance(values, Mapping):
        return {prefix: values}
    found: dict[str, object] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return found


def _text(value: object) -> str:
    """Return a value for a Markdown cell: one line, nothing that ends its code."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "¦")
    return text if len(text) <= 120 else f"{text[:120]}…"
