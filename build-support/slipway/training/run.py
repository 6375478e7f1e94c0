"""What one training ran, from what, and with which result: ``models/<name>/training/run.json``.

The file is committed with the results. It is not part of the artifact. Its JSON is deterministic:
equal runs have equal bytes.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from slipway.errors import SlipwayError
from slipway.files import atomic_write

FILE_NAME = "training/run.json"  # in the model's folder
SCHEMA = 1
RUN_ID = re.compile(r"(?P<model>.+)-(?P<time>\d{8}T\d{6}Z)-(?P<token>[0-9a-f]{6})")

PlaceName = Literal["local", "sagemaker", "airflow"]
Source = Literal["ran", "run cache", "unchanged"]
Verdict = Literal["better", "equal", "worse", "none"]


@dataclass(frozen=True)
class DataFile:
    """A dependency or an output of a stage.

    ``hash`` is ``<algorithm>:<hex>`` as DVC has it (``md5:…``, ``md5:….dir`` of a folder); ``size``
    is in bytes, ``None`` where DVC does not know it.
    """

    path: str
    hash: str
    size: int | None = None


@dataclass(frozen=True)
class Stage:
    """A stage of ``dvc.yaml`` after the run.

    ``name`` is its address as ``dvc repro`` takes it. Paths are relative to the repository's root.
    ``params`` has the values that it depends on, flat, by dotted name. ``source`` says whether its
    command ran in this run, its result was taken from DVC's run cache, or nothing had changed.
    """

    name: str
    cmd: str
    deps: tuple[DataFile, ...]
    params: Mapping[str, Any]
    outs: tuple[DataFile, ...]
    source: Source


@dataclass(frozen=True)
class Compared:
    """What a run was compared with.

    ``release`` is the release version in production, ``None`` if there is none; ``metrics`` are its
    metrics. ``rules`` are the tables of evaluation.toml, by metric; ``broken`` says, in a sentence
    each, which of them the run breaks.
    """

    release: str | None
    metrics: Mapping[str, float]
    verdict: Verdict
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingRun:
    """One training of one model.

    ``commit`` is the code's, ``dirty`` whether the checkout differed from it. ``started`` is in
    UTC, ``2026-11-30T23:40:00Z``. ``image`` is the digest of the container's image, ``None`` on a
    machine without one. ``lock_sha256`` is that of training/requirements.lock. ``parameters`` and
    ``metrics`` are flat, by dotted name. ``jobs`` are ARNs and URLs of where it ran. ``reason``
    says why it was started, such as ``schedule: 97 days old``; ``None`` if nobody said.
    """

    id: str
    model: str
    place: PlaceName
    commit: str
    dirty: bool
    started: str
    seconds: float
    lock_sha256: str
    stages: tuple[Stage, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    image: str | None = None
    jobs: tuple[str, ...] = ()
    compared: Compared | None = None
    reason: str | None = None


def new_run_id(model: str, now: datetime | None = None) -> str:
    """Return ``<model>-<yyyymmddThhmmssZ>-<6 hex>``, for ``now`` in UTC."""
    time = (now or datetime.now(UTC)).astimezone(UTC)
    return f"{model}-{time:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_path(folder: Path) -> Path:
    """Return where the run of the model in ``folder`` is recorded."""
    return folder / FILE_NAME


def dump_run(run: TrainingRun) -> str:
    """Return the run as JSON text that :func:`parse_run` reads."""
    values = {"schema": SCHEMA, **asdict(run)}
    return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def parse_run(text: str, *, where: str) -> TrainingRun:
    """Return the run that :func:`dump_run` wrote.

    Raises:
        SlipwayError: it is not such a text, or of a newer schema; names ``where``.
    """
    try:
        values = json.loads(text)
        if values.pop("schema") != SCHEMA:
            raise ValueError(f"not schema {SCHEMA}")
        values["stages"] = tuple(parse_stage(stage) for stage in values["stages"])
        values["jobs"] = tuple(values["jobs"])
        if values["compared"] is not None:
            values["compared"]["broken"] = tuple(values["compared"]["broken"])
            values["compared"] = Compared(**values["compared"])
            _one_of(values["compared"].verdict, get_args(Verdict))
        _one_of(values["place"], get_args(PlaceName))
        return TrainingRun(**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(
            f"not the record of a training run: {error!r:.200}",
            where=where,
            fix="train again: slipway train NAME",
        ) from error


def load_run(folder: Path) -> TrainingRun | None:
    """Return the run recorded in the model's ``folder``; ``None`` if there is none.

    Raises:
        SlipwayError: the file is damaged.
    """
    path = run_path(folder)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise SlipwayError(
            f"not text: {error}", where=str(path), fix="train again: slipway train NAME"
        ) from error
    return parse_run(text, where=str(path))


def write_run(folder: Path, run: TrainingRun) -> Path:
    """Record the run in the model's ``folder``; return the file."""
    path = run_path(folder)
    with atomic_write(path) as temporary:
        temporary.write_text(dump_run(run), encoding="utf-8")
    return path


def parse_stage(values: Mapping[str, Any]) -> Stage:
    """Return a stage from its JSON values, as :func:`dump_run` writes them.

    Raises:
        ValueError, KeyError, TypeError: they are not those of a stage.
    """
    files = {key: tuple(DataFile(**file) for file in values[key]) for key in ("deps", "outs")}
    _one_of(values["source"], get_args(Source))
    return Stage(**{**values, **files})


def _one_of(value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{value!r} is not one of {', '.join(known)}")
