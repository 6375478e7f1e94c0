"""SW24x: instance groups, warmup, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.finding import Found
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject
from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateInstanceGroup), and seen on 24.10"
GROUP = "instance_group"
WARMUP = "model_warmup"
METRICS = "model_metrics"
# bytes of an element; text has four for its length
SIZES = {"TYPE_BOOL": 1, "TYPE_UINT8": 1, "TYPE_INT8": 1, "TYPE_FP16": 2, "TYPE_BF16": 2}
SIZES |= {"TYPE_UINT16": 2, "TYPE_INT16": 2, "TYPE_UINT32": 4, "TYPE_INT32": 4, "TYPE_FP32": 4}
SIZES |= {"TYPE_UINT64": 8, "TYPE_INT64": 8, "TYPE_FP64": 8}


@rule(
    "SW240",
    "gpus",
    reason="the load fails: “has kind KIND_CPU but specifies one or more GPUs”, or “invalid gpu id”",
    source=CORE,
)
def gpus(subject: Subject) -> Iterator[Found]:
    """GPUs on an instance group that runs on none, or one that no machine has."""
    for each, path, group in _groups(subject):
        if group.gpus and group.kind in (group.KIND_CPU, group.KIND_MODEL):
            kind = group.Kind.Name(group.kind)
            yield Found(
                each.place(*path, "gpus"),
                f"{kind} and gpus",
                "remove gpus, or kind: KIND_GPU",
            )
        for number, gpu in enumerate(group.gpus):
            if gpu < 0:
                place = each.value_place(*path, "gpus", number)
                yield Found(place, f"there is no GPU {gpu}", "0 or more")


@rule(
    "SW241",
    "profile",
    reason="the load fails: a profile is the number of an optimization profile of TensorRT",
    source=CORE,
)
def profile(subject: Subject) -> Iterator[Found]:
    """``profile`` on another backend than TensorRT, or not a number."""
    for each, path, group in _groups(subject):
        for number, name in enumerate(group.profile):
            if each.backend and each.backend != "tensorrt":
                what = f"the backend {each.backend!r} has no profiles"
            elif not (name.isascii() and name.isdigit()):
                what = f"the profile {name!r} is no number"
            else:
                continue
            yield Found(each.value_place(*path, "profile", number), what, "remove it, or 0, 1, …")


@rule(
    "SW242",
    "passive-only",
    reason="the first invocation ends the server: no instance takes requests",
    source="seen on 24.10",
)
def passive_only(subject: Subject) -> Iterator[Found]:
    """All instance groups are passive."""
    for each, message in subject.parsed.values():
        groups = message.instance_group
        if groups and all(group.passive for group in groups):
            yield Found(
                each.place(GROUP, 0, "passive"),
                "no instance takes requests: all groups are passive",
                "remove passive from one of them",
            )


@rule(
    "SW243",
    "warmup",
    reason="the load fails: warmup requests are refused as a client's would be",
    source="Triton core, backend_model_instance.cc (GenerateWarmupData), and seen on 24.10",
)
def warmup(subject: Subject) -> Iterator[Found]:
    """A warmup request that the model does not take."""
    for each, message in subject.parsed.values():
        for number, sample in enumerate(message.model_warmup):
            if each.is_ensemble or not sample.batch_size:
                continue  # an ensemble has none, and a batch of 0 is skipped
            path: FieldPath = (WARMUP, number)
            most = max(message.max_batch_size, 1)
            if sample.batch_size > most and not subject.lone:
                yield Found(
                    each.place(*path, "batch_size"),
                    f"a batch of {sample.batch_size}, and the model takes {most}",
                    "batch_size: 1",
                )
            missing = [
                tensor.name
                for tensor in message.input
                if not tensor.optional and tensor.name not in sample.inputs
            ]
            if missing:
                yield Found(
                    each.place(*path),
                    f"the warmup request lacks {', '.join(map(repr, missing))}",
                    "give it every required input",
                )
            for name, given in sorted(sample.inputs.items()):
                wrong = _input(subject, each, message, name, given)
                if wrong:
                    yield Found(
                        each.place(*path, "inputs", name),
                        f"{name!r} {wrong}",
                        "data_type and dims as the model's, and zero_data, random_data or a file",
                    )


@rule(
    "SW244",
    "metric-control",
    reason="the load fails: “metric control must specify…”",
    source="Triton core, model_config_utils.cc (ValidateModelMetrics), since 24.11",
)
def metric_control(subject: Subject) -> Iterator[Found]:
    """A metric that is not named, or has no buckets."""
    for each, message in subject.parsed.values():
        for number, control in enumerate(message.model_metrics.metric_control):
            path: FieldPath = (METRICS, "metric_control", number)
            if not control.metric_identifier.family:
                what = "names no metric: metric_identifier { family }"
            elif not control.histogram_options.buckets:
                what = "has no histogram_options { buckets }"
            else:
                continue
            yield Found(
                each.place(*path),
                f"it {what}",
                'metric_identifier { family: "…" } histogram_options { buckets: [ 1, 2 ] }',
            )


def _groups(subject: Subject) -> Iterator[tuple[Config, FieldPath, Any]]:
    for each, message in subject.parsed.values():
        for number, group in enumerate(message.instance_group if not each.is_ensemble else ()):
            yield each, (GROUP, number), group


def _input(subject: Subject, each: Config, message: ModelConfig, name: str, given: Any) -> str:
    """What is wrong with one input of a warmup request."""
    dims = list(given.dims)
    said = next((tensor for tensor in message.input if tensor.name == name), None)
    if -1 in dims:
        return "has variable dims"
    if given.WhichOneof("input_data_type") is None:
        return "has no data"
    if said is not None and said.data_type != given.data_type:
        return "has another data_type than the model's input"
    if said is not None and not _fits(dims, list(said.dims)):
        return f"has the dims {dims}, the model's input {list(said.dims)}"
    if given.input_data_file and not subject.lone:
        file = each.directory / "warmup" / given.input_data_file
        needed = SIZES.get(config.schema().DataType.Name(given.data_type), 0)
        for size in dims:
            needed *= size
        if not file.is_file():
            return f"is to be read from {file}, which is missing"
        if file.stat().st_size < needed:
            return f"takes {needed} bytes, and {file} has {file.stat().st_size}"
    return ""


def _fits(dims: list[int], wanted: list[int]) -> bool:
    return len(dims) == len(wanted) and all(
        size in (-1, own) for size, own in zip(wanted, dims, strict=True)
    )
