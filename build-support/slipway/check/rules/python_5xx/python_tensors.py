"""SW51x: the tensors that Python models read and return by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slipway.check.finding import Found
from slipway.check.flow import did_you_mean, listed, nearest
from slipway.check.python_code import Code, PythonModel, argument, asked_models
from slipway.check.rule import rule
from slipway.check.subject import Subject

SEEN = "Triton's Python backend (triton_python_backend_utils.py), and seen on 24.10"
# function → where it takes the tensor's name, and whether it speaks of inputs
CONFIG = {"get_input_config_by_name": True, "get_output_config_by_name": False}


@rule(
    "SW511",
    "reads-unknown-tensor",
    reason="get_input_tensor_by_name returns None: each request fails on its first use",
    source=SEEN,
)
def reads_unknown_tensor(subject: Subject) -> Iterator[Found]:
    """A tensor that the config does not have among its inputs."""
    for model in asked_models(subject):
        known = model.inputs | _completed(model)
        for code in model.codes if model.message.input else ():
            for _, call in code.calls("get_input_tensor_by_name"):
                node = argument(call, 1, "name")
                name = code.text(node)
                if node is None or name is None or name in known or _may_be_none(code, call):
                    continue
                yield Found(
                    code.place(node),
                    f"{model.config.name} has no input {name!r}",
                    did_you_mean(name, known, f"its inputs are: {listed(sorted(known))}"),
                )


@rule(
    "SW512",
    "returns-unknown-tensor",
    reason="the tensor is dropped, and the one that is meant is missing from the response",
    source="Triton's Python backend, infer_response.cc (PruneOutputTensors), and seen on 24.10",
)
def returns_unknown_tensor(subject: Subject) -> Iterator[Found]:
    """A tensor that is no output, in the place of an output that is nowhere made."""
    for model in asked_models(subject):
        unknown, missing = _outputs(subject, model)
        for code, node, name in unknown if missing else ():
            close = nearest(name, missing)
            yield Found(
                code.place(node),
                f"{model.config.name} has no output {name!r}",
                f"did you mean {close!r}?" if close else f"missing are: {listed(sorted(missing))}",
            )


@rule(
    "SW513",
    "drops-tensor",
    reason="the tensor is dropped from the response, without a word",
    source="Triton's Python backend, infer_response.cc (PruneOutputTensors), and seen on 24.10",
    severity="warning",
)
def drops_tensor(subject: Subject) -> Iterator[Found]:
    """A tensor that is no output, beside all that are."""
    for model in asked_models(subject):
        unknown, missing = _outputs(subject, model)
        for code, node, name in unknown if not missing else ():
            if not _is_answered(code, node):
                continue
            yield Found(
                code.place(node),
                f"{model.config.name} has no output {name!r}",
                "add it to the config's outputs, or do not make it",
            )


@rule(
    "SW514",
    "never-returned",
    reason="the answer lacks the output; in an ensemble the next step fails:"
    " “missing required input”",
    source="seen on 24.10",
)
def never_returned(subject: Subject) -> Iterator[Found]:
    """An output that is asked for, and that no response holds."""
    for model in asked_models(subject):
        unknown, missing = _outputs(subject, model)
        if unknown or not missing or not all(_is_plain(code) for code in model.codes):
            continue
        for number, output in enumerate(model.message.output):
            if output.name in missing:
                yield Found(
                    model.config.value_place("output", number, "name"),
                    f"{model.config.name} never makes its output {output.name!r}",
                    f'pb_utils.Tensor("{output.name}", …) in the response, or remove the output',
                )


@rule(
    "SW515",
    "config-of-unknown-tensor",
    reason="the function returns None: the load fails on its first use",
    source=SEEN,
)
def config_of_unknown_tensor(subject: Subject) -> Iterator[Found]:
    """A tensor whose config is asked for, and that the config does not have."""
    for model in asked_models(subject):
        for code in model.codes:
            for function, call in code.calls(*CONFIG):
                known = (model.inputs if CONFIG[function] else model.outputs) | _completed(model)
                node = argument(call, 1, "name")
                name = code.text(node)
                if node is None or name is None or name in known or _may_be_none(code, call):
                    continue
                kind = "input" if CONFIG[function] else "output"
                yield Found(
                    code.place(node),
                    f"{model.config.name} has no {kind} {name!r}",
                    did_you_mean(name, known, f"its {kind}s are: {listed(sorted(known))}"),
                )


def _outputs(
    subject: Subject, model: PythonModel
) -> tuple[list[tuple[Code, ast.expr, str]], set[str]]:
    """The tensors made by a name that is no output; and the outputs asked for that none is made for.

    Nothing of either where a name cannot be told. What is made for another model is left out.
    """
    if not model.message.output:
        return [], set()
    made = []
    for code in model.codes:
        for _, call in code.calls("Tensor", "Tensor.from_dlpack"):
            node = argument(call, 0, "name")
            name = code.text(node)
            if node is None or name is None:
                return [], set()
            made.append((code, node, name))
    if not made:
        return [], set()
    known = model.outputs | _completed(model)
    unknown = [each for each in made if each[2] not in known]
    missing = _requested(subject, model) - {name for _, _, name in made}
    return ([] if model.calls_models else unknown), missing


def _is_answered(code: Code, name: ast.expr) -> bool:
    """Whether the tensor made with this name is listed in a response, there or by its variable."""
    responses = [call for _, call in code.calls("InferenceResponse")]
    made = code.parents[name]
    around = code.parents.get(made)
    if isinstance(around, ast.Assign) and isinstance(around.targets[0], ast.Name):
        variable = around.targets[0].id
        return any(
            isinstance(node, ast.Name)
            and node.id == variable
            and code.function_of(node) is code.function_of(made)
            for call in responses
            for node in ast.walk(call)
        )
    return any(made in list(ast.walk(call)) for call in responses)


def _completed(model: PythonModel) -> set[str]:
    """The tensors that ``auto_complete_config`` may add: any ``{"name": "X", …}``."""
    return {
        text
        for code in model.codes
        for node in code.nodes
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if code.text(key) == "name" and (text := code.text(value))
    }


def _requested(subject: Subject, model: PythonModel) -> set[str]:
    """The outputs that are asked for: all of the model that is served, those mapped of a step."""
    name = model.config.name
    if subject.served is model.config:
        return {output.name for output in model.message.output}
    return {
        key
        for _, message in subject.parsed.values()
        for step in message.ensemble_scheduling.step
        if step.model_name == name
        for key in step.output_map
    }


def _may_be_none(code: Code, call: ast.Call) -> bool:
    """Whether the code looks at what the call returns before it uses it."""
    around = code.parents.get(call)
    if isinstance(around, ast.Compare | ast.BoolOp | ast.NamedExpr | ast.IfExp | ast.If):
        return True
    if not isinstance(around, ast.Assign) or not isinstance(around.targets[0], ast.Name):
        return not isinstance(around, ast.Attribute | ast.Subscript | ast.Call)
    name = around.targets[0].id
    for node in ast.walk(code.function_of(call)):
        if isinstance(node, ast.Compare):
            tested: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            tested = [node.test]
        elif isinstance(node, ast.BoolOp):
            tested = node.values
        elif isinstance(node, ast.UnaryOp):
            tested = [node.operand]
        else:
            continue
        if any(isinstance(each, ast.Name) and each.id == name for each in tested):
            return True
    return False


def _is_plain(code: Code) -> bool:
    """Whether every response lists tensors that are made here, by name."""
    if any(True for _ in code.calls("InferenceRequest")):
        return False
    for _, call in code.calls("InferenceResponse"):
        listed_ = argument(call, 0, "output_tensors")
        if listed_ is None:
            continue
        if not isinstance(listed_, ast.List):
            return False
        for each in listed_.elts:
            if not _is_tensor(code, each, call):
                return False
    return True


def _is_tensor(code: Code, node: ast.expr, call: ast.Call) -> bool:
    tensors = [made for _, made in code.calls("Tensor", "Tensor.from_dlpack")]
    if isinstance(node, ast.Name):
        values = [
            each.value
            for each in ast.walk(code.function_of(call))
            if isinstance(each, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
        ]
        return len(values) == 1 and values[0] in tensors
    return node in tensors
