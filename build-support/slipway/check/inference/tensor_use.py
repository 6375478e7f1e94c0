"""Which tensors the code of a Python model creates, and which it may add to its own config."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from slipway.check.inference.behaviour import located
from slipway.check.inference.events import Behaviour
from slipway.check.inference.values import Scalar, members
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode
from slipway.check.python.model import PythonModel, auto_completed


@dataclass(frozen=True)
class NamedTensor:
    """A tensor of this name, which ``node`` in ``code`` gives."""

    name: str
    code: PythonCode
    node: ast.expr


def output_mismatch(
    model: ModelUnderCheck, python_model: PythonModel, behaviour: Behaviour
) -> tuple[list[NamedTensor], set[str]]:
    """Return the created tensors that are not outputs, and the requested outputs never created.

    Both are empty if a tensor's name cannot be determined, or if the code fails before. Tensors for
    another model are left out.
    """
    if behaviour.problems or not behaviour.is_complete:
        return [], set()
    created = _created_tensors(python_model, behaviour) if python_model.message.output else []
    if not created:
        return [], set()
    known = python_model.outputs | auto_completed(python_model)
    unknown = [tensor for tensor in created if tensor.name not in known]
    missing = _requested_outputs(model, python_model) - {tensor.name for tensor in created}
    return ([] if python_model.calls_models else unknown), missing


def has_plain_responses(behaviour: Behaviour) -> bool:
    """Return whether there are responses, and the tensors of each are known by name."""
    names = [response.names for response in behaviour.responses if not response.is_error]
    return bool(names) and None not in names


def _created_tensors(python_model: PythonModel, behaviour: Behaviour) -> list[NamedTensor]:
    """Return all tensors that the model creates; none if a name cannot be determined."""
    created: dict[NamedTensor, None] = {}
    for tensor in behaviour.tensors:
        for name in members(tensor.name):
            node = name.node if isinstance(name, Scalar) else None
            if not isinstance(name, Scalar) or not isinstance(name.value, str):
                return []
            code, place = located(python_model, node or tensor.name_node or tensor.call)
            created[NamedTensor(name.value, code, place)] = None
    return list(created)


def _requested_outputs(model: ModelUnderCheck, python_model: PythonModel) -> set[str]:
    """Return the requested outputs: all of the served model, of a step those that are mapped."""
    name = python_model.config.name
    if model.served is python_model.config:
        return {output.name for output in python_model.message.output}
    return {
        key
        for _, message in model.parsed.values()
        for step in message.ensemble_scheduling.step
        if step.model_name == name
        for key in step.output_map
    }
