"""What a model inside an ensemble is asked, while the golden cases are sent to the ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.loadtest.inputs import expects_error
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.config import FILE_NAME, ModelConfig, load_config, render
from slipway.triton.datatypes import Array


def expose_inputs(served: ModelConfig, step: ModelConfig) -> dict[str, str]:
    """Add the inputs of ``step`` to the outputs of the ensemble ``served``.

    Return the tensor of the ensemble for each input; empty if ``step`` is no step of it.
    """
    for each in served.ensemble_scheduling.step:
        if each.model_name == step.name:
            tensors = dict(each.input_map)
            known = {tensor.name for tensor in [*served.input, *served.output]}
            for tensor in step.input:
                name = tensors.get(tensor.name)
                if name is not None and name not in known:
                    served.output.add(name=name, data_type=tensor.data_type, dims=tensor.dims)
                    known.add(name)
            return tensors
    return {}


def expose_in(folder: Path, served: str, step: str) -> dict[str, str]:
    """Do as :func:`expose_inputs` in the config of ``served`` in the folder of a repository."""
    path = folder / served / FILE_NAME
    config = load_config(path)
    tensors = expose_inputs(config, load_config(folder / step / FILE_NAME))
    path.unlink()  # it may be a link that other folders share
    path.write_text(render(config), encoding="utf-8")
    return tensors


def record_inputs(
    model: Model, tensors: Mapping[str, str], folder: Path
) -> list[Mapping[str, Array]]:
    """Return the step's inputs, by its own names, for each golden case that is answered.

    Without ``tensors`` it is the ``model`` itself.
    """
    requests: list[Mapping[str, Array]] = []
    for case in golden.cases(folder):
        if expects_error(case):
            continue
        try:
            arrays = model.arrays(golden.inputs(case))
            answer = arrays | model(arrays, golden.parameters(case))
        except SlipwayError:
            continue  # a case that this model refuses teaches nothing of its ranges
        if not tensors:
            requests.append(arrays)
        elif set(tensors.values()) <= set(answer):
            requests.append({name: answer[tensor] for name, tensor in tensors.items()})
    return requests
