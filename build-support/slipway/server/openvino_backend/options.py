"""The config's parameters, as the native backend of a release reads them.

openvino_backend, src/openvino.cc: ParseParameters, ParseParameterHelper. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TARGET_DEVICE_SINCE = "25.10"
NUMBERS = ("INFERENCE_NUM_THREADS", "COMPILATION_NUM_THREADS")
BF16, STREAMS, HINT = "HINT_BF16", "NUM_STREAMS", "PERFORMANCE_HINT"
PROPERTIES = (*NUMBERS, BF16, STREAMS, HINT)
HINTS = ("latency", "throughput", "cumulative_throughput")


@dataclass(frozen=True)
class Options:
    """What one model's config says.

    ``properties`` are OpenVINO's, by the names of its own. ``pads``: a batch that is not full is
    filled up with zeros; without it, it fails.
    """

    device: str
    extension: str
    pads: bool
    reshapes: bool
    auto_batching: bool
    properties: Mapping[str, str]


def read_options(values: Mapping[str, str], release: str, *, batches: bool) -> Options:
    """Return the options of a config for ``release``.

    Raises:
        ValueError: the load fails, with this message.
    """
    device = values.get("TARGET_DEVICE", "").upper() if release >= TARGET_DEVICE_SINCE else ""
    skips = _is_yes(values, "SKIP_OV_DYNAMIC_BATCHSIZE")
    return Options(
        device or "CPU",
        values.get("CPU_EXTENSION_PATH", ""),
        _is_yes(values, "ENABLE_BATCH_PADDING"),
        _is_yes(values, "RESHAPE_IO_LAYERS"),
        batches and not skips,
        dict(_properties(values)),
    )


def _is_yes(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").lower() == "yes"


def _properties(values: Mapping[str, str]) -> list[tuple[str, str]]:
    properties: list[tuple[str, str]] = []
    for name in PROPERTIES:
        text = values.get(name, "").lower()
        if not text:
            continue
        if name in NUMBERS:
            properties.append((name, _number(name, text, "be a non-negative number")))
        elif name == BF16:
            properties.append(("INFERENCE_PRECISION_HINT", _choice(name, text, ("yes",), "YES")))
        elif name == STREAMS and text in ("auto", "numa"):
            properties.append((name, text.upper()))
        elif name == STREAMS:
            properties.append((name, _number(name, text, "be either AUTO/NUMA/<int_value>")))
        else:
            choices = "LATENCY/THROUGHPUT/CUMULATIVE_THROUGHPUT"
            properties.append((name, _choice(name, text, HINTS, choices)))
    return properties


def _number(name: str, text: str, expected: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"expected the parameter '{name}' to {expected}, got {text}")
    if int(text) >= 1 << 31:
        raise ValueError("ModelInstanceState::Create exception")
    return str(int(text))


def _choice(name: str, text: str, choices: tuple[str, ...], expected: str) -> str:
    if text not in choices:
        raise ValueError(f"expected the parameter '{name}' to be {expected}, got {text}")
    return "bf16" if name == BF16 else text.upper()
