"""SW325 and SW34x: models of the FIL backend."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_files import FOREST_NAMES
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.config import ModelConfig, dtype_name

FIL = "triton-inference-server/fil_backend"
INPUT, OUTPUT = "input__0", "output__0"
OUTPUTS = (OUTPUT, "treeshap_output")
# since 25.09, output_class is called is_classifier; it is still read
RENAMED_SINCE = "25.09"


@rule(
    "SW325",
    "unknown-forest-type",
    reason="the load fails: '… not recognized as a valid serialization format'",
    source=f"{FIL}, src/serialization.h",
)
def unknown_forest_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``model_type`` that the FIL backend does not have."""
    for config, message in _forests(model):
        kind = message.parameters.get("model_type")
        if kind is not None and kind.string_value not in FOREST_NAMES:
            nearest = difflib.get_close_matches(kind.string_value, FOREST_NAMES, n=1, cutoff=0)
            yield RuleHit(
                config.location("parameters", "model_type", "value"),
                f"model_type {kind.string_value!r} is not one of {', '.join(FOREST_NAMES)}",
                f'string_value: "{nearest[0]}"',
            )


@rule(
    "SW340",
    "forest-tensor-name",
    reason="each request fails, or lacks the output: the backend knows no other names",
    source=f"{FIL}, src/model.h (predict); rapidsai/rapids-triton, shared_state.hpp"
    " (get_output_shape)",
)
def forest_tensor_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find forests without the input or output of the backend's name, and other outputs."""
    for config, message in _forests(model):
        if message.input and INPUT not in [tensor.name for tensor in message.input]:
            what = f"no input is called {INPUT!r}, which the backend reads"
            yield RuleHit(config.location("input", 0, "name"), what, f'name: "{INPUT}"')
        names = [tensor.name for tensor in message.output]
        unknown = [index for index, name in enumerate(names) if name not in OUTPUTS]
        if names and OUTPUT not in names:
            number = unknown.pop(0) if unknown else 0
            what = f"no output is called {OUTPUT!r}, which the backend writes"
            yield RuleHit(config.location("output", number, "name"), what, f'name: "{OUTPUT}"')
        for number in unknown:
            yield RuleHit(
                config.location("output", number, "name"),
                f"the backend has no output {names[number]!r}",
                f"remove it; its outputs are {OUTPUT} and {OUTPUTS[1]} (SHAP values)",
            )


@rule(
    "SW341",
    "forest-input-type",
    reason="each request fails: “incorrect type … for input with required type”",
    source="rapidsai/rapids-triton, input.hpp (get_triton_input_shape<float>)",
)
def forest_input_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an input of another type than FP32, as which the backend reads it."""
    return _other_types(model, "input", "the backend reads FP32 only")


@rule(
    "SW342",
    "forest-output-type",
    severity="warning",
    reason="the answer is FP32 whatever the config says; a step that reads it may fail",
    source=f"{FIL}, src/model.h (get_output<float>), and docs/model_config.md",
)
def forest_output_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs of another type than FP32, which the backend writes."""
    return _other_types(model, "output", "the backend writes FP32 only")


@rule(
    "SW343",
    "forest-parameter-missing",
    reason="the load fails: “Required parameter … not found in config”",
    source=f"{FIL}, src/shared_state.h (load); rapidsai/rapids-triton, shared_state.hpp",
)
def forest_parameter_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find forests that do not say whether they classify, or by which threshold."""
    current = model.settings.triton_release >= RENAMED_SINCE
    name = "is_classifier" if current else "output_class"
    known = ("is_classifier", "output_class") if current else ("output_class",)
    for config, message in _forests(model) if not model.is_single_config else ():
        given = [message.parameters[key].string_value for key in known if key in message.parameters]
        needed = None if given else name
        if "true" in given and "threshold" not in message.parameters:
            needed = "threshold"
        if needed is not None:
            value = '"0.5"' if needed == "threshold" else '"true" for classes, or "false"'
            yield RuleHit(
                config.location(),
                f"the parameter {needed} is missing",
                f'parameters {{ key: "{needed}" value {{ string_value: {value} }} }}',
            )


def _forests(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig]]:
    for config, message in model.parsed.values():
        if config.backend == "fil":
            yield config, message


def _other_types(model: ModelUnderCheck, kind: str, why: str) -> Iterator[RuleHit]:
    for config, message in _forests(model):
        for number, tensor in enumerate(getattr(message, kind)):
            if tensor.data_type and dtype_name(tensor.data_type) != "FP32":
                yield RuleHit(
                    config.value_location(kind, number, "data_type"),
                    f"{kind} {tensor.name!r} is {dtype_name(tensor.data_type)}, and {why}",
                    "data_type: TYPE_FP32",
                )
