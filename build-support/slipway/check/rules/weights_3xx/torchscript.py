"""SW324, SW345 to SW347, SW367: the tensors of a TorchScript model."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_files import expected_names, loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.signature.torchscript import Forward, read_forward
from slipway.triton.config import ModelConfig
from slipway.triton.pytorch_names import index_of

SOURCE = "triton-inference-server/pytorch_backend, model_instance_state.cc: GetNamingConvention"
# the kinds of control that are an input of the model
CONTROLS = range(4)


@rule(
    "SW324",
    "mixed-pytorch-names",
    reason="if one name does not follow the convention, all are matched by their order in the"
    " config, and the numbers in the names are ignored",
    source=SOURCE,
)
def mixed_pytorch_names(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find TorchScript models of which only some tensors follow ``<name>__<index>``.

    It is a mistake only where a number is not the position in the config.
    """
    for config, message in _torchscript_models(model):
        for kind, of in (("input", "arguments"), ("output", "results")):
            names = [tensor.name for tensor in getattr(message, kind)]
            numbers = [index_of(name) for name in names]
            wrong = any(n is not None and n != at for at, n in enumerate(numbers))
            if wrong and None in numbers:
                index = numbers.index(None)
                yield RuleHit(
                    config.location(kind, index, "name"),
                    f"{kind} {names[index]!r} does not follow <name>__<index>, and others do",
                    f"a name such as {kind.upper()}__{index}, with its position among the {of} of"
                    " forward()",
                )


@rule(
    "SW345",
    "pytorch-input-number",
    reason="the backend writes the tensor behind the end of its arguments: it fails or crashes",
    source=SOURCE + ", AddInputToMap and SetInputTensors; inputs are numbered from 0",
)
def pytorch_inputindex_of(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs ``<name>__<index>`` whose number is not below the number of inputs."""
    for config, message in _torchscript_models(model):
        numbers = [index_of(tensor.name) for tensor in message.input]
        count = len(numbers) + _other_inputs(message)
        if None in numbers:
            continue
        for at, number in enumerate(numbers):
            if number is not None and number >= count:
                yield RuleHit(
                    config.value_location("input", at, "name"),
                    f"input {message.input[at].name!r} is not one of {count}, numbered from 0",
                    "the position among the arguments of forward(), from 0",
                )


@rule(
    "SW346",
    "pytorch-output-number",
    reason="every request fails: “refers to an output index which doesn't exist”",
    source="triton-inference-server/pytorch_backend, model_instance_state.cc: ProcessRequests",
)
def pytorch_outputindex_of(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find outputs whose number, or position, is beyond what ``forward`` returns."""
    for config, message, forward in _read_models(model):
        numbers = [index_of(tensor.name) for tensor in message.output]
        for at, number in enumerate(numbers):
            index = at if number is None or None in numbers else number
            if index >= forward.results:
                name = message.output[at].name
                count = f"{forward.results} tensor{'s' if forward.results > 1 else ''}"
                yield RuleHit(
                    config.value_location("output", at, "name"),
                    f"output {name!r} is number {index}, from 0, and forward() returns {count}",
                    "number the outputs as forward() returns them, from 0; remove others",
                )


@rule(
    "SW347",
    "pytorch-input-count",
    reason="the load fails: “configuration expects … inputs, model provides …”",
    source=SOURCE.replace("GetNamingConvention", "ValidateInputs") + "; also a default is counted",
)
def pytorch_input_count(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find configs with another number of inputs than ``forward`` has arguments."""
    for config, message, forward in _read_models(model):
        count = len(message.input) + _other_inputs(message)
        if forward.arguments and count != len(forward.arguments):
            yield RuleHit(
                config.location("input"),
                f"it gives {count} tensors to forward({', '.join(forward.arguments)})",
                "an input for each argument, in their order",
            )


@rule(
    "SW367",
    "pytorch-optional-argument",
    reason="the load fails: “An input of type 'Optional[Tensor]' was detected in the model”",
    source=SOURCE.replace("GetNamingConvention", "ValidateInputs"),
)
def pytorch_optional_argument(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find TorchScript models with arguments that may be None."""
    for config, _, forward in _read_models(model):
        if forward.optional:
            yield RuleHit(
                config.location("input"),
                f"forward() takes {', '.join(forward.optional)} of type Optional[Tensor], which"
                " the backend refuses",
                "annotate them as Tensor, and script the model again",
            )


def _read_models(
    model: ModelUnderCheck,
) -> Iterator[tuple[ConfigFile, ModelConfig, Forward]]:
    """Yield the models with a loaded version of which ``forward`` can be read."""
    if model.is_single_config:
        return
    for config, message in _torchscript_models(model):
        for version in loaded_versions(config, message):
            for name in expected_names(config, message):
                forward = read_forward(version / name)
                if forward is not None:
                    yield config, message, forward


def _torchscript_models(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig]]:
    """Yield the models that libtorch runs; those with a model.py name tensors as they like."""
    for config, message in model.parsed.values():
        if config.backend != "pytorch" or message.platform == "torch_aoti" or message.runtime:
            continue
        versions = loaded_versions(config, message) if not model.is_single_config else []
        if not any((version / "model.py").is_file() for version in versions):
            yield config, message


def _other_inputs(message: ModelConfig) -> int:
    sequence = message.sequence_batching
    controls = sum(
        any(control.kind in CONTROLS for control in each.control) for each in sequence.control_input
    )
    return controls + len(sequence.state) + len(message.batch_input)
