"""Write the configs that the source lacks: of an ensemble around a model, of weights alone."""

from __future__ import annotations

from pathlib import Path

from slipway.adopt.plan import PlannedModel
from slipway.check.graph_completion import io_text
from slipway.signature import read_signature
from slipway.triton import config
from slipway.triton.config import schema


def wrapping_ensemble(name: str, model: PlannedModel) -> str | None:
    """Return the config of an ensemble whose only step is ``model``.

    An endpoint serves the ensemble of a folder with several models. ``None`` where the model's own
    config does not list its tensors.
    """
    message = model.source.message
    if not message.input or not message.output:
        return None
    ensemble = schema().ModelConfig(
        name=name, platform="ensemble", max_batch_size=message.max_batch_size
    )
    step = ensemble.ensemble_scheduling.step.add(model_name=model.name, model_version=-1)
    for tensor in message.input:
        ensemble.input.add(
            name=tensor.name,
            data_type=tensor.data_type,
            dims=_dims(tensor),
            optional=tensor.optional,
        )
        step.input_map[tensor.name] = tensor.name
    for tensor in message.output:
        ensemble.output.add(name=tensor.name, data_type=tensor.data_type, dims=_dims(tensor))
        step.output_map[tensor.name] = tensor.name
    return config.render(ensemble)


def config_of_weights(model: PlannedModel, directory: Path) -> str:
    """Return a config for a model without one, with the tensors of its graph where that is ONNX."""
    backend = model.source.backend
    lines = [f'name: "{model.name}"', f'backend: "{backend}"', "max_batch_size: 0"]
    text = "\n".join(lines) + "\n"
    graphs = sorted({path.with_name("model.onnx") for path in directory.glob("*/model.onnx*")})
    signature = read_signature(graphs[-1]).signature if graphs else None
    if signature is None:
        return text
    return (
        text
        + io_text("input", signature.inputs, batches=False)
        + io_text("output", signature.outputs, batches=False)
    )


def _dims(tensor: object) -> list[int]:
    return list(tensor.dims)  # type: ignore[attr-defined]  # a message made at run time
