"""SW360 to SW362: files that PyTorch's backend cannot open, or answers otherwise than meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_files import expected_names, loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.signature.formats import recognize_format
from slipway.signature.torchscript import is_training
from slipway.triton.config import ModelConfig

AOTI = "torch_aoti"
FIRST = "26.03"
SOURCE = "triton-inference-server/pytorch_backend"
# names of signature/formats.py: of what torch::jit::load opens, and of placeholders
TORCHSCRIPT = "a TorchScript model"


@rule(
    "SW360",
    "pytorch-not-torchscript",
    reason="the load fails: torch::jit::load opens compiled code only",
    source=SOURCE + ", src/pt/model_state.cc: LoadModel",
)
def pytorch_not_torchscript(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find weights without a model, pickles and exported programs under the PyTorch backend."""
    for config, message, file in _files(model):
        known = recognize_format(file) if message.platform != AOTI else None
        if known is not None and not known.is_placeholder and known.name != TORCHSCRIPT:
            at = config.location("backend" if message.backend else "platform")
            yield RuleHit(
                at,
                f"{file.parent.name}/{file.name} is {known.name}, and the backend opens"
                " TorchScript",
                "slipway new NAME --from FILE converts it, or torch.jit.trace(…).save(FILE)",
            )


@rule(
    "SW361",
    "aoti-needs-26-03",
    reason="the load fails: earlier backends open the file as TorchScript, and later ones answer"
    " one row at a time",
    source=SOURCE + ", README, “PyTorch 2.0 Models” and the warning about batch sizes",
)
def aoti_not_in_release(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find programs of AOTInductor on a release without them, or with batches."""
    for config, message in model.parsed.values():
        if message.platform != AOTI:
            continue
        if model.settings.triton_release < FIRST:
            yield RuleHit(
                config.value_location("platform"),
                f"Triton {model.settings.triton_release} has no {AOTI}: {FIRST} is the first",
                "slipway new NAME --from the exported program (.pt2) serves it as ONNX",
            )
        elif message.max_batch_size > 1:
            yield RuleHit(
                config.value_location("max_batch_size"),
                f"{AOTI} does not support batches yet",
                "max_batch_size: 1, or serve the exported program as ONNX",
            )


@rule(
    "SW362",
    "torchscript-in-training-mode",
    severity="warning",
    reason="the backend never calls eval(): dropout answers by chance, statistics are the batch's",
    source=SOURCE + ", src/pt/model_state.cc: LoadModel loads and moves the module, no more",
)
def torchscript_in_training_mode(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find TorchScript with dropout or batch statistics that was saved in training mode."""
    for config, message, file in _files(model):
        if message.platform != AOTI and is_training(file):
            yield RuleHit(
                config.location("backend" if message.backend else "platform"),
                f"{file.parent.name}/{file.name} was saved in training mode",
                "module.eval() before torch.jit.save(module, FILE)",
            )


def _files(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig, Path]]:
    """Yield the files that the backend's C++ part opens."""
    if model.is_single_config:
        return
    for config, message in model.parsed.values():
        if config.backend != "pytorch" or message.runtime:
            continue
        for version in loaded_versions(config, message):
            if (version / "model.py").is_file():
                continue
            for name in expected_names(config, message):
                if (version / name).is_file():
                    yield config, message, version / name
