"""SW276 to SW279: what OpenVINO's and PyTorch's backends refuse in a config, or get wrong."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.server.openvino_backend import options as openvino
from slipway.server.pytorch_backend import parameters as pytorch
from slipway.triton.config import ModelConfig, schema

OPENVINO = "triton-inference-server/openvino_backend, src/openvino.cc"
PADDING = "ENABLE_BATCH_PADDING"
ONE_ROW = "max_batch_size: 1"


@rule(
    "SW276",
    "openvino-on-a-gpu",
    reason="the load fails: “Triton openVINO backend supports only CPU device”",
    source=f"{OPENVINO}: ModelInstanceState",
)
def openvino_on_a_gpu(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models of OpenVINO with instances for a GPU."""
    kinds = schema().ModelInstanceGroup
    for config, message in _models(model, "openvino"):
        for number, group in enumerate(message.instance_group):
            if group.kind in (kinds.KIND_GPU, kinds.KIND_MODEL):
                yield RuleHit(
                    config.location("instance_group", number, "kind"),
                    "OpenVINO's backend has no instances for a GPU",
                    "kind: KIND_CPU",
                )


@rule(
    "SW277",
    "openvino-full-batches-only",
    reason="every request of fewer rows fails: “expected requests with batch size”",
    source=f"{OPENVINO}: ProcessRequests; seen on Slipway's own backend, which follows it",
)
def openvino_full_batches_only(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models of OpenVINO that take full batches only, also of requests that are joined."""
    for config, message in _models(model, "openvino"):
        if message.max_batch_size > 1 and not _pads(message):
            yield RuleHit(
                config.value_location("max_batch_size"),
                f"only requests of exactly {message.max_batch_size} rows are answered",
                ONE_ROW,
            )


@rule(
    "SW278",
    "openvino-padding-outlives",
    severity="warning",
    reason="after a batch that was filled up, a full one is answered in part or fails: “failed to"
    " split the output tensor”",
    source=f"{OPENVINO}: batch_pad_size_ of ModelInstanceState is never set back; seen on"
    " Slipway's own backend, which follows it",
)
def openvino_padding_outlives(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models of OpenVINO whose batches are filled up."""
    for config, message in _models(model, "openvino"):
        if message.max_batch_size > 1 and _pads(message):
            yield RuleHit(
                config.location("parameters", PADDING, "value"),
                "rows of batches that were filled up are missing in later, full ones",
                f"{ONE_ROW}, without {PADDING}",
            )


@rule(
    "SW279",
    "native-parameter-value",
    reason="the load fails: “failed to convert”, or “expected the parameter”",
    source="triton-inference-server/pytorch_backend, src/libtorch.cc: ParseParameters;"
    f" {OPENVINO}: ParseParameterHelper",
)
def native_parameter_value(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find values of parameters that the backends of PyTorch and OpenVINO cannot read."""
    for config, message in _models(model, "pytorch"):
        for name in (*pytorch.BOOLEANS, *pytorch.NUMBERS):
            if name in message.parameters:
                value = message.parameters[name].string_value
                try:
                    pytorch.read_parameters({name: value})
                except (ValueError, OverflowError) as error:
                    yield _hit(config, name, error)
    for config, message in _models(model, "openvino"):
        for name in openvino.PROPERTIES:
            if name in message.parameters:
                value = message.parameters[name].string_value
                try:
                    openvino.read_options(
                        {name: value}, model.settings.triton_release, batches=False
                    )
                except ValueError as error:
                    yield _hit(config, name, error)


def _models(model: ModelUnderCheck, backend: str) -> Iterator[tuple[ConfigFile, ModelConfig]]:
    for config, message in model.parsed.values():
        if config.backend == backend:
            yield config, message


def _pads(message: ModelConfig) -> bool:
    given = PADDING in message.parameters
    return given and message.parameters[PADDING].string_value.lower() == "yes"


def _hit(config: ConfigFile, name: str, error: Exception) -> RuleHit:
    place = config.location("parameters", name, "value")
    return RuleHit(place, f"{name}: {error}", "a value that the backend takes, or remove it")
