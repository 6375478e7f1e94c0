"""SW507 and SW519: what execute returns, and what its tensors are made of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python_code import PythonCode, argument
from slipway.check.python_kinds import (
    ARRAY,
    GENERATOR,
    LIST,
    NONE,
    NUMBER,
    RESPONSE,
    elements_of,
    is_generator,
    kind_of,
    returned,
)
from slipway.check.python_model import PythonModel, models_with_requests
from slipway.check.rule import rule
from slipway.check.rules.python_5xx.python_models import model_classes

BACKEND = "Triton's Python backend, pb_stub.cc (ProcessReturnedResponses), and seen on 24.10"
WRAPPED = "return responses, a list with one InferenceResponse for each request"


@rule(
    "SW507",
    "returns-no-list-of-responses",
    reason="each request is answered with an error, “Expected a list in the execute return”, or"
    " never, if it returns None",
    source=BACKEND,
)
def returns_no_list(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``execute`` whose result is not a list of responses."""
    for python_model in models_with_requests(model):
        if python_model.message.model_transaction_policy.decoupled:
            continue  # it returns None, and sends its responses
        for code, _, methods in model_classes(python_model):
            execute = methods.get("execute")
            if isinstance(execute, ast.FunctionDef) and not execute.decorator_list:
                yield from _wrong_returns(python_model, code, execute)


@rule(
    "SW519",
    "tensor-of-no-array",
    reason="each request fails: TypeError: incompatible constructor arguments",
    source="Triton's Python backend, pb_stub.cc (PbTensor takes a numpy array), seen on 24.10",
)
def tensor_of_no_array(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are made of something else than a numpy array."""
    for python_model in models_with_requests(model):
        for code in python_model.sources:
            for _, call in code.calls("Tensor"):
                value = argument(call, 1, "array")
                kind = kind_of(code, value) if value is not None else None
                if value is None or kind is None or kind == ARRAY:
                    continue
                source = "np.array([…]" if kind == NUMBER else f"np.array({_short(value)}"
                yield RuleHit(
                    code.location(value),
                    f"a Tensor is made of {kind}, and needs a numpy array",
                    f"{source}, dtype=np.float32), with the dtype of the output",
                )


def _wrong_returns(
    python_model: PythonModel, code: PythonCode, execute: ast.FunctionDef
) -> Iterator[RuleHit]:
    if is_generator(execute):
        what = f"execute returns {GENERATOR}, because of its yield, and not a list"
        yield RuleHit(code.location(execute), what, WRAPPED)
        return
    results = [result for result in returned(execute) if result.value is not None]
    if not results and _ends(execute) and not _sends(python_model):
        yield RuleHit(code.location(execute), "execute returns None, and sends nothing", WRAPPED)
    for result in results:
        assert result.value is not None
        kind = kind_of(code, result.value)
        if kind == LIST:
            for element in elements_of(code, result.value):
                inner = kind_of(code, element)
                if inner is not None and inner not in (RESPONSE, NONE):
                    what = f"execute returns a list of {inner}, not of InferenceResponse"
                    yield RuleHit(code.location(element), what, WRAPPED)
                    break
        elif kind is not None and not (kind == NONE and _sends(python_model)):
            what = f"execute returns {kind}, not a list"
            fix = f"return [{_short(result.value)}]" if kind == RESPONSE else WRAPPED
            single = isinstance(result.value, ast.Subscript)
            yield RuleHit(code.location(result.value), what, WRAPPED if single else fix)


def _ends(execute: ast.FunctionDef) -> bool:
    """Return whether execute can end without an exception."""
    return not isinstance(execute.body[-1], ast.Raise)


def _sends(python_model: PythonModel) -> bool:
    """Return whether the model uses a response sender, which needs no returned responses."""
    return any("get_response_sender" in code.index.attributes for code in python_model.sources)


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 30 else "…"
