"""Derive from an artifact's configs what may be tried, and say what is not and why."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from slipway.triton import onnx_parameters
from slipway.triton.config import ModelConfig, schema
from slipway.tune.candidate import (
    AS_IT_IS,
    BATCHING,
    INSTANCES,
    MAX_BATCH,
    NAMES,
    OFF,
    PRECISION,
    PREFERRED,
    THREADS,
    Knob,
    Space,
    Value,
)

ONNX, PYTHON = "onnxruntime", "python"
DELAYS_US = (0, 500, 2000)
MOST_INSTANCES = 8
PRECISIONS = (AS_IT_IS, "fp16", "int8", "int8-static")
# a Python model's process takes so much of /dev/shm, which an endpoint cannot raise
SHARED_MIB, SHARED_LIMIT_MIB = 16, 64
# without instance_group, Triton starts two of these on a CPU and one of all others
# (triton-inference-server/core, src/model_config_utils.cc: SetDefaultInstanceCount)
TWO_BY_DEFAULT = (ONNX, "tensorflow")


@dataclass(frozen=True)
class Extent:
    """How far the search goes: up to ``clients`` waiting, on ``cores``; the knobs in ``names``.

    With ``cpu`` the endpoint's instances are known to have no GPU.
    """

    clients: int
    names: frozenset[str] = frozenset(NAMES)
    cpu: bool = False
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))


def derive_space(configs: Mapping[str, ModelConfig], extent: Extent) -> Space:
    """Return the knobs of the models in ``configs``, by name, and what is left out.

    An ensemble has none: its steps do the work.
    """
    knobs: list[Knob] = []
    left_out: list[str] = []
    steps = {n: c for n, c in configs.items() if not c.HasField("ensemble_scheduling")}
    pythons = sum(_count(config) for config in steps.values() if config.backend == PYTHON)
    for name, config in sorted(steps.items()):
        for found in _knobs(name, config, extent, pythons):
            if isinstance(found, Knob):
                if found.name in extent.names and len(found.values) > 1:
                    knobs.append(found)
            elif found[0] in extent.names:
                left_out.append(f"{name}: {found[1]}")
    # what computes most comes first
    knobs.sort(key=lambda k: (steps[k.model].backend == PYTHON, NAMES.index(k.name), k.model))
    return Space(tuple(knobs), tuple(left_out))


def _knobs(
    name: str, config: ModelConfig, extent: Extent, pythons: int
) -> Iterator[Knob | tuple[str, str]]:
    """Yield knobs, and what is left out as (knob, reason)."""
    yield from _instances(name, config, extent, pythons)
    if config.backend == ONNX:
        threads = _powers(extent.cores, 1)
        text = config.parameters[onnx_parameters.INTRA_OP].string_value or "0"
        current = max(0, onnx_parameters.parse_int(text))
        yield _knob(name, THREADS, (0, *threads), current)
        yield Knob(name, PRECISION, PRECISIONS, AS_IT_IS)
    if config.HasField("sequence_batching"):
        yield BATCHING, "batches of sequences are not tried: sequence_batching is a contract"
    elif config.max_batch_size < 1:
        yield BATCHING, "max_batch_size 0: there are no batches to form"
    elif config.model_transaction_policy.decoupled:
        yield BATCHING, "a decoupled model forms no batches of answers"
    else:
        yield from _batches(name, config, extent)


def _batches(name: str, config: ModelConfig, extent: Extent) -> Iterator[Knob | tuple[str, str]]:
    batching = config.dynamic_batching
    has_batcher = config.HasField("dynamic_batching")
    if extent.clients < 2:
        yield BATCHING, "one client alone never fills a batch: give more with --clients"
        return
    delay = int(batching.max_queue_delay_microseconds)
    yield _knob(name, BATCHING, (OFF, *DELAYS_US), delay if has_batcher else OFF)
    preferred = list(batching.preferred_batch_size)
    if len(preferred) > 1:
        yield PREFERRED, f"several preferred sizes stay as they are: {preferred}"
    else:
        sizes = _powers(min(extent.clients, config.max_batch_size), 2)
        yield _knob(name, PREFERRED, (0, *sizes), preferred[0] if preferred else 0)
    most = config.max_batch_size
    if extent.clients <= most:
        reason = f"{extent.clients} clients never fill max_batch_size {most}; lower values would"
        yield MAX_BATCH, f"{reason} refuse what clients may send"
    else:
        sizes = tuple(size for size in (most, 2 * most, 4 * most) if size < 2 * extent.clients)
        yield _knob(name, MAX_BATCH, sizes, most)


def _instances(
    name: str, config: ModelConfig, extent: Extent, pythons: int
) -> Iterator[Knob | tuple[str, str]]:
    kinds = schema().ModelInstanceGroup
    groups = list(config.instance_group)
    on_cpu = bool(groups) and all(g.kind in (kinds.KIND_CPU, kinds.KIND_MODEL) for g in groups)
    if config.HasField("sequence_batching"):
        yield INSTANCES, "its count stays: what is remembered of a sequence lies in an instance"
    elif len(groups) > 1:
        yield INSTANCES, "several instance groups stay as they are"
    elif not on_cpu and any(group.gpus for group in groups):
        yield INSTANCES, "its group names GPUs, whose counts need these GPUs"
    elif not on_cpu and not extent.cpu:
        yield INSTANCES, (
            "where the endpoint has a GPU, its instances run there; their count can be tried on"
            " that GPU only. For an endpoint of CPU instances add --cpu"
        )
    else:
        count = _count(config)
        counts = _powers(min(MOST_INSTANCES, max(2, extent.cores)), 1)
        if config.backend == PYTHON:
            room = SHARED_LIMIT_MIB // SHARED_MIB - pythons + count
            fitting = tuple(each for each in counts if each <= max(room, count))
            if len(fitting) < len(counts):
                yield (
                    INSTANCES,
                    f"at most {fitting[-1]} here: each process of a Python model takes"
                    f" {SHARED_MIB} MiB of a /dev/shm of {SHARED_LIMIT_MIB} MiB",
                )
            counts = fitting
        yield _knob(name, INSTANCES, counts, count)


def _count(config: ModelConfig) -> int:
    default = 2 if config.backend in TWO_BY_DEFAULT else 1
    return sum(group.count or default for group in config.instance_group) or default


def _powers(most: int, least: int) -> tuple[int, ...]:
    """Return the powers of two from ``least`` to ``most``."""
    return tuple(1 << n for n in range(16) if least <= 1 << n <= most)


def _knob(model: str, name: str, values: tuple[Value, ...], current: Value) -> Knob:
    """Return a knob whose values include the current one."""
    return Knob(model, name, tuple(dict.fromkeys((*values, current))), current)
