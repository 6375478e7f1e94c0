"""Read ``models/<name>/training.toml``: what becomes of a training, how often it runs, and where.

[weights]            # a candidate of the training = the served file that it replaces
"training/model.onnx" = "screen_detection_inferencer/1/model.onnx"
"training/churn.ubj" = "original/churn.ubj"   # below original/: converted afterwards
"training/x.onnx" = "folded/x_inferencer/1/model.onnx"   # below folded/: folded afterwards

[schedule]
max_age = "90d"      # of the last training run; default: no age

[sagemaker]          # defaults: ml.m5.xlarge, 30, 4, false
instance = "ml.m5.xlarge"
volume_gb = 30
max_hours = 4.0      # of one training
spot = true          # spare capacity, which AWS may take back: checkpoints are kept

[sagemaker.channels] # a folder below models/<name>/ is read from S3 instead of DVC's remote
"training/raw" = "s3://bucket/prefix"

[metric."validation loss"]
regex = 'loss=([0-9.]+)'   # of a line of the log: a metric of the job in CloudWatch

[image]
version = "1.0.0"    # semantic version of the training's image; default: 0.1.0
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from slipway.errors import SlipwayError
from slipway.unchanged import remembered

FILE_NAME = "training.toml"
TABLES: Mapping[str, tuple[str, ...] | None] = {
    "weights": None,
    "schedule": ("max_age",),
    "sagemaker": ("instance", "volume_gb", "max_hours", "spot", "channels"),
    "metric": None,
    "image": ("version",),
}
AGE = re.compile(r"(\d+)\s*([hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}
# the numbers of a semantic version alone: an image has no prereleases
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
# limits of CreateTrainingJob: API_ResourceConfig, API_StoppingCondition, API_MetricDefinition
INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
VOLUME_GB = (1, 16384)
MAX_HOURS = (1 / 60, 28 * 24.0)
METRICS = 40
METRIC_NAME = 255
REGEX = 500


@dataclass(frozen=True)
class SageMakerSettings:
    """How SageMaker runs a training.

    ``volume_gb`` is in GB of storage. ``channels`` maps folders, relative to the model's, to
    addresses in S3 that they are read from.
    """

    instance: str = "ml.m5.xlarge"
    volume_gb: int = 30
    max_hours: float = 4.0
    spot: bool = False
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingSettings:
    """The file of one model; the defaults if there is none.

    ``weights`` maps candidates to the files that they replace, both relative to the model's folder.
    ``max_age_hours`` is how old the last training may become. ``metrics`` maps names to regular
    expressions with one group.
    """

    weights: Mapping[str, str] = field(default_factory=dict)
    max_age_hours: int | None = None
    sagemaker: SageMakerSettings = SageMakerSettings()
    metrics: Mapping[str, str] = field(default_factory=dict)
    image_version: str = "0.1.0"


@remembered
def load_training_settings(folder: Path) -> TrainingSettings:
    """Return the settings in ``folder``'s ``training.toml``; the defaults if there is no file.

    Raises:
        SlipwayError: it is not TOML, or a key or value is invalid; names file and line.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return TrainingSettings()
    except UnicodeDecodeError as error:
        raise SlipwayError(f"not text: {error}", where=str(path), fix="save it as UTF-8") from error
    try:
        return parse_training_settings(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+), column (\d+)", str(error))
        raise SlipwayError(
            f"not valid TOML: {error}",
            where=f"{path}:{line[1]}:{line[2]}" if line else str(path),
            fix="correct this line",
        ) from error
    except SettingError as error:
        raise SlipwayError(
            str(error),
            where=f"{path}:{_line_of(text, error.table, error.key)}",
            fix=error.fix,
        ) from error


def line_of_weights(folder: Path, candidate: str) -> int:
    """Return the line of ``folder``'s ``training.toml`` that names ``candidate``."""
    return _line_of((folder / FILE_NAME).read_text(encoding="utf-8"), "weights", candidate)


class SettingError(ValueError):
    """A key or value of ``table`` that is invalid; ``key`` is ``None`` for the table itself."""

    def __init__(self, table: str, key: str | None, what: str, fix: str) -> None:
        super().__init__(what)
        self.table = table
        self.key = key
        self.fix = fix


def parse_training_settings(values: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings that the tables of the file describe.

    Raises:
        SettingError: a key or a value is invalid.
    """
    for name, table in values.items():
        if name not in TABLES:
            known = ", ".join(f"[{table}]" for table in TABLES)
            raise SettingError(name, None, f"unknown [{name}]", f"remove it; known are: {known}")
        if not isinstance(table, dict):
            raise SettingError(name, None, f"{name} is not a table", f"write [{name}]")
        keys = TABLES[name]
        for key in table if keys is not None else ():
            if key not in (keys or ()):
                known = ", ".join(keys or ())
                raise SettingError(
                    name, key, f"[{name}] {key} is unknown", f"remove it; known are: {known}"
                )
    schedule, image = values.get("schedule", {}), values.get("image", {})
    return TrainingSettings(
        weights=_weights(values.get("weights", {})),
        max_age_hours=_age(schedule["max_age"]) if "max_age" in schedule else None,
        sagemaker=_sagemaker(values.get("sagemaker", {})),
        metrics=_metrics(values.get("metric", {})),
        image_version=_version(image.get("version", TrainingSettings.image_version)),
    )


def _weights(table: Mapping[str, Any]) -> dict[str, str]:
    targets: dict[str, str] = {}
    for candidate, target in table.items():
        for path in (candidate, target):
            if not isinstance(path, str) or not _is_inside(path):
                raise SettingError(
                    "weights",
                    candidate,
                    f"{path!r} is not a path inside the model's folder",
                    '"training/model.onnx" = "NAME_inferencer/1/model.onnx"',
                )
        if not candidate.startswith("training/") or target.startswith("training/"):
            raise SettingError(
                "weights",
                candidate,
                f"{candidate!r} = {target!r}: the left one is a file of training/, and the right "
                "one is served or converted, so not of training/",
                '"training/model.onnx" = "NAME_inferencer/1/model.onnx"',
            )
        if target in targets.values():
            raise SettingError(
                "weights", candidate, f"two candidates replace {target!r}", "remove one of them"
            )
        targets[candidate] = target
    return targets


def _age(value: object) -> int:
    match = AGE.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) == 0:
        raise SettingError(
            "schedule", "max_age", f"max_age is {value!r}, which is not an age", 'such as "90d"'
        )
    return int(match[1]) * HOURS[match[2]]


def _sagemaker(table: Mapping[str, Any]) -> SageMakerSettings:
    def refuse(key: str, fix: str) -> SettingError:
        return SettingError("sagemaker", key, f"{key} is {table[key]!r}", fix)

    instance = table.get("instance", SageMakerSettings.instance)
    if not isinstance(instance, str) or not INSTANCE.fullmatch(instance):
        raise refuse("instance", 'a type of instance, such as "ml.m5.xlarge"')
    volume = table.get("volume_gb", SageMakerSettings.volume_gb)
    if type(volume) is not int or not VOLUME_GB[0] <= volume <= VOLUME_GB[1]:
        raise refuse("volume_gb", f"a whole number from {VOLUME_GB[0]} to {VOLUME_GB[1]}")
    hours = table.get("max_hours", SageMakerSettings.max_hours)
    if type(hours) not in (int, float) or not MAX_HOURS[0] <= hours <= MAX_HOURS[1]:
        raise refuse("max_hours", f"a number of hours, at most {MAX_HOURS[1]:g}")
    spot = table.get("spot", SageMakerSettings.spot)
    if not isinstance(spot, bool):
        raise refuse("spot", "true or false")
    channels = table.get("channels", {})
    if not isinstance(channels, dict):
        raise refuse("channels", "write [sagemaker.channels]")
    for folder, address in channels.items():
        if not _is_inside(folder) or not re.fullmatch(r"s3://[^/]+/.+", str(address)):
            raise SettingError(
                "sagemaker.channels",
                folder,
                f"{folder!r} = {address!r} is not a folder of the model and an address in S3",
                '"training/raw" = "s3://bucket/prefix"',
            )
    return SageMakerSettings(instance, volume, float(hours), spot, dict(channels))


def _metrics(table: Mapping[str, Any]) -> dict[str, str]:
    if len(table) > METRICS:
        raise SettingError(
            "metric", None, f"{len(table)} metrics; SageMaker takes {METRICS}", "remove some"
        )
    metrics = {}
    for name, values in table.items():
        where = f"metric.{name}"
        if not isinstance(values, dict) or list(values) != ["regex"]:
            raise SettingError(
                where, None, f'[metric."{name}"] has one key, regex', "regex = 'loss=([0-9.]+)'"
            )
        if len(name) > METRIC_NAME:
            raise SettingError(where, None, f"a name longer than {METRIC_NAME}", "shorten it")
        regex = values["regex"]
        try:
            groups = re.compile(regex).groups
        except (re.error, TypeError) as error:
            raise SettingError(
                where, "regex", f"regex is {regex!r}: {error}", "regex = 'loss=([0-9.]+)'"
            ) from error
        if groups != 1 or len(regex) > REGEX:
            raise SettingError(
                where,
                "regex",
                f"regex has {groups} groups and {len(regex)} characters",
                f"one group, around the number, and at most {REGEX} characters",
            )
        metrics[name] = regex
    return metrics


def _version(value: object) -> str:
    if not isinstance(value, str) or not VERSION.fullmatch(value):
        raise SettingError(
            "image", "version", f"{value!r} is not a version of an image", 'such as "1.0.0"'
        )
    return value


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return path == "/".join(parts) and bool(parts) and not {"..", "/", "."} & {*parts}


def _line_of(text: str, table: str, key: str | None) -> int:
    """Return the line of a key in its table, or of the table's head; 1 if neither is found."""
    current, head = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if match := re.match(r"\[+\s*([^\]]+?)\s*\]", stripped):
            current = re.sub(r"\s*\.\s*", ".", match[1].replace('"', "").replace("'", ""))
            head = number if current == table else head
        elif current == table and key is not None:
            name = stripped.partition("=")[0].strip()
            if name.strip("\"'") == key:
                return number
        elif not current and stripped.partition("=")[0].strip() == table:
            return number
    return head
