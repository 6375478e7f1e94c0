"""How the code of a Python model uses tensors: which it creates, returns and checks for None."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python_code import PythonCode, argument
from slipway.check.python_model import PythonModel
from slipway.check.python_names import NamedText, texts

CONSTRUCTORS = ("Tensor", "Tensor.from_dlpack")


@dataclass(frozen=True)
class NamedTensor:
    """A tensor that the code creates with a call."""

    code: PythonCode
    creation: ast.Call
    name: NamedText

    @property
    def is_in_response(self) -> bool:
        """Return whether a response lists the tensor, directly or through its variable."""
        code = self.code
        responses = [call for _, call in code.calls("InferenceResponse")]
        creation = self.creation
        parent = code.parents.get(creation)
        if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
            variable = parent.targets[0].id
            return any(
                code.function_of(node) is code.function_of(creation)
                for call in responses
                for node in code.index.within(call).names.get(variable, ())
            )
        return any(creation in code.index.within(call).of(ast.Call) for call in responses)


def output_mismatch(
    model: ModelUnderCheck, python_model: PythonModel
) -> tuple[list[NamedTensor], set[str]]:
    """Return the created tensors that are not outputs, and the requested outputs never created.

    Both are empty if a tensor's name cannot be determined. Tensors for another model are left out.
    """
    created = _created_tensors(python_model) if python_model.message.output else []
    if not created:
        return [], set()
    known = python_model.outputs | auto_completed(python_model)
    unknown = [tensor for tensor in created if tensor.name.text not in known]
    missing = _requested_outputs(model, python_model) - {tensor.name.text for tensor in created}
    return ([] if python_model.calls_models else unknown), missing


def auto_completed(python_model: PythonModel) -> set[str]:
    """Return the tensors that ``auto_complete_config`` may add: any ``{"name": "X", …}``."""
    return {
        text
        for code in python_model.sources
        for node in code.index.of(ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if code.text(key) == "name" and (text := code.text(value))
    }


def handles_none(code: PythonCode, call: ast.Call, text: NamedText | None = None) -> bool:
    """Return whether the code tests the result of a call before it uses it.

    A helper that only returns the result is followed to the call that passes it the ``text``.
    """
    parent = code.parents.get(call)
    if isinstance(parent, ast.Return) and text is not None:
        outer = text.code.parents.get(text.node)
        outer = text.code.parents.get(outer) if isinstance(outer, ast.keyword) else outer
        if isinstance(outer, ast.Call) and outer is not call:
            return handles_none(text.code, outer)
    if isinstance(parent, ast.Compare | ast.BoolOp | ast.NamedExpr | ast.IfExp | ast.If):
        return True
    if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
        return not isinstance(parent, ast.Attribute | ast.Subscript | ast.Call)
    name = parent.targets[0].id
    function = code.function_of(call)
    return any(_tests(code.parents.get(use), use) for use in _uses(code, function, name))


def _uses(code: PythonCode, function: ast.AST, name: str) -> list[ast.Name]:
    return code.index.within(function).names.get(name, [])


def _tests(parent: ast.AST | None, operand: ast.expr) -> bool:
    """Return whether a node compares its operand, or branches on it."""
    if isinstance(parent, ast.If | ast.IfExp | ast.While | ast.Assert):
        return parent.test is operand
    return isinstance(parent, ast.Compare | ast.BoolOp | ast.UnaryOp)


def has_plain_responses(code: PythonCode) -> bool:
    """Return whether every response lists tensors that this module creates, by name."""
    if any(True for _ in code.calls("InferenceRequest")):
        return False
    for _, call in code.calls("InferenceResponse"):
        outputs = argument(call, 0, "output_tensors")
        if outputs is None:
            continue
        if not isinstance(outputs, ast.List):
            return False
        if not all(_is_tensor(code, node, call) for node in outputs.elts):
            return False
    return True


def _created_tensors(python_model: PythonModel) -> list[NamedTensor]:
    """Return all tensors that the model creates; none if a name cannot be determined."""
    created = []
    for code in python_model.sources:
        for _, call in code.calls(*CONSTRUCTORS):
            names = texts(code, argument(call, 0, "name"), python_model.sources, all_known=True)
            if not names:
                return []
            created += [NamedTensor(code, call, name) for name in names]
    return created


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


def _is_tensor(code: PythonCode, node: ast.expr, call: ast.Call) -> bool:
    tensors = [tensor for _, tensor in code.calls(*CONSTRUCTORS)]
    if isinstance(node, ast.Name):
        values = code.values_assigned(node.id, code.function_of(call))
        return len(values) == 1 and values[0] in tensors
    return node in tensors
