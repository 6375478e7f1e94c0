"""SW24x: instance groups, warmup, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.config import ModelConfig, schema
from slipway.triton.pbtxt import FieldPath

CORE = "Triton core, model_config_utils.cc (ValidateInstanceGroup), and seen on 24.10"
GROUP = "instance_group"
WARMUP = "model_warmup"
METRICS = "model_metrics"
# bytes of an element; text has four bytes for its length
SIZES = {"TYPE_BOOL": 1, "TYPE_UINT8": 1, "TYPE_INT8": 1, "TYPE_FP16": 2, "TYPE_BF16": 2}
SIZES |= {"TYPE_UINT16": 2, "TYPE_INT16": 2, "TYPE_UINT32": 4, "TYPE_INT32": 4, "TYPE_FP32": 4}
SIZES |= {"TYPE_UINT64": 8, "TYPE_INT64": 8, "TYPE_FP64": 8}


@rule(
    "SW240",
    "gpus",
    reason="the load fails: “has kind KIND_CPU but specifies one or more GPUs”,"
    " or “invalid gpu id”",
    source=CORE,
)
def gpus(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find GPUs on an instance group that does not use any, and negative GPU numbers."""
    for config, path, group in _groups(model):
        if group.gpus and group.kind in (group.KIND_CPU, group.KIND_MODEL):
            kind = group.Kind.Name(group.kind)
            yield RuleHit(
                config.location(*path, "gpus"),
                f"{kind} and gpus",
                "remove gpus, or kind: KIND_GPU",
            )
        for number, gpu in enumerate(group.gpus):
            if gpu < 0:
                location = config.value_location(*path, "gpus", number)
                yield RuleHit(location, f"there is no GPU {gpu}", "0 or more")


@rule(
    "SW241",
    "profile",
    reason="the load fails: a profile is the number of an optimization profile of TensorRT",
    source=CORE,
)
def profile(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``profile`` on another backend than TensorRT, or that is not a number."""
    for config, path, group in _groups(model):
        for number, name in enumerate(group.profile):
            if config.backend and config.backend != "tensorrt":
                what = f"the backend {config.backend!r} has no profiles"
            elif not (name.isascii() and name.isdigit()):
                what = f"the profile {name!r} is not a number"
            else:
                continue
            yield RuleHit(
                config.value_location(*path, "profile", number), what, "remove it, or 0, 1, …"
            )


@rule(
    "SW242",
    "passive-only",
    reason="the first invocation stops the server: no instance takes requests",
    source="seen on 24.10",
)
def passive_only(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models whose instance groups are all passive."""
    for config, message in model.parsed.values():
        groups = message.instance_group
        if groups and all(group.passive for group in groups):
            yield RuleHit(
                config.location(GROUP, 0, "passive"),
                "no instance takes requests: all groups are passive",
                "remove passive from one of them",
            )


@rule(
    "SW243",
    "warmup",
    reason="the load fails: warmup requests are refused as a client's would be; sometimes the whole"
    " server ends, with every model that it serves",
    source="Triton core, backend_model_instance.cc (GenerateWarmupData), and seen on 24.10",
)
def warmup(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find warmup requests that the model does not accept."""
    for config, message in model.parsed.values():
        for number, sample in enumerate(message.model_warmup):
            if config.is_ensemble or not sample.batch_size:
                continue  # the server ignores warmup of ensembles and batches of 0
            path: FieldPath = (WARMUP, number)
            limit = max(message.max_batch_size, 1)
            if sample.batch_size > limit and not model.is_single_config:
                yield RuleHit(
                    config.location(*path, "batch_size"),
                    f"a batch of {sample.batch_size}, and the model accepts {limit}",
                    "batch_size: 1",
                )
            missing = [
                tensor.name
                for tensor in message.input
                if not tensor.optional and tensor.name not in sample.inputs
            ]
            if missing:
                yield RuleHit(
                    config.location(*path),
                    f"the warmup request lacks {', '.join(map(repr, missing))}",
                    "give it every required input",
                )
            for name, warmup_input in sorted(sample.inputs.items()):
                problem = _input(model, config, message, name, warmup_input)
                if problem:
                    yield RuleHit(
                        config.location(*path, "inputs", name),
                        f"{name!r} {problem}",
                        "data_type and dims as the model's, and zero_data, random_data or a file",
                    )


@rule(
    "SW244",
    "metric-control",
    reason="the load fails: “metric control must specify…”",
    source="Triton core, model_config_utils.cc (ValidateModelMetrics), since 24.11",
)
def metric_control(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find metrics that are not named, or have no buckets."""
    for config, message in model.parsed.values():
        for number, control in enumerate(message.model_metrics.metric_control):
            path: FieldPath = (METRICS, "metric_control", number)
            if not control.metric_identifier.family:
                what = "names no metric: metric_identifier { family }"
            elif not control.histogram_options.buckets:
                what = "has no histogram_options { buckets }"
            else:
                continue
            yield RuleHit(
                config.location(*path),
                f"it {what}",
                'metric_identifier { family: "…" } histogram_options { buckets: [ 1, 2 ] }',
            )


def _groups(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, FieldPath, Any]]:
    for config, message in model.parsed.values():
        for number, group in enumerate(message.instance_group if not config.is_ensemble else ()):
            yield config, (GROUP, number), group


def _input(
    model: ModelUnderCheck, config: ConfigFile, message: ModelConfig, name: str, warmup_input: Any
) -> str:
    """Return what is wrong with one input of a warmup request; empty if it is valid."""
    dims = list(warmup_input.dims)
    tensor = next((tensor for tensor in message.input if tensor.name == name), None)
    if -1 in dims:
        return "has variable dims"
    if warmup_input.WhichOneof("input_data_type") is None:
        return "has no data"
    if tensor is not None and tensor.data_type != warmup_input.data_type:
        return "has another data_type than the model's input"
    if tensor is not None and not _fits(dims, list(tensor.dims)):
        return f"has the dims {dims}, the model's input {list(tensor.dims)}"
    if warmup_input.input_data_file and not model.is_single_config:
        file = config.directory / "warmup" / warmup_input.input_data_file
        needed = SIZES.get(schema().DataType.Name(warmup_input.data_type), 0)
        for size in dims:
            needed *= size
        if not file.is_file():
            return f"is to be read from {file}, which is missing"
        if file.stat().st_size < needed:
            return f"takes {needed} bytes, and {file} has {file.stat().st_size}"
    return ""


def _fits(dims: list[int], expected: list[int]) -> bool:
    return len(dims) == len(expected) and all(
        size in (-1, actual) for size, actual in zip(expected, dims, strict=True)
    )
