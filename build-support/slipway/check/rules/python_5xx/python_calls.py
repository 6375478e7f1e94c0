"""SW519, SW554, SW555 and SW556: calls and attributes that fail."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.inference.behaviour import behaviours
from slipway.check.inference.events import Problem, ProblemKind
from slipway.check.inference.objects import Missing
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.model import PythonModel
from slipway.check.rule import rule

STUB = "Triton's Python backend, pb_stub.cc, and seen on 24.10"


@rule(
    "SW519",
    "tensor-of-no-array",
    reason="each request fails: TypeError: incompatible constructor arguments",
    source="Triton's Python backend, pb_stub.cc (PbTensor takes a numpy array), seen on 24.10",
)
def tensor_of_no_array(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors that are made of something else than a numpy array."""
    return _problems(model, "array")


@rule(
    "SW554",
    "call-that-fails",
    reason="each request that gets there fails: TypeError or AttributeError",
    source=STUB,
)
def call_that_fails(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find arguments of another type than Triton's functions take, and methods of other objects."""
    yield from _problems(model, "argument")
    yield from _problems(model, "attribute")


@rule(
    "SW555",
    "optional-input-not-tested",
    reason="each request that leaves the input out fails: 'NoneType' object has no attribute",
    source="Triton's Python backend (triton_python_backend_utils.py), and seen on 24.10",
)
def optional_input_not_tested(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find optional inputs that are used without a test for None."""
    for python_model, behaviour in behaviours(model):
        for problem in behaviour.problems:
            value = problem.value
            if problem.kind != "missing" or not isinstance(value, Missing) or not value.optional:
                continue
            if _may_be_left_out(model, python_model, value.name):
                yield RuleHit(
                    problem.code.location(problem.node),
                    f"the input {value.name!r} is optional, and its tensor may be None",
                    "test it before: if tensor is not None; or remove optional from the config",
                )


@rule(
    "SW556",
    "attribute-never-set",
    reason="the load, or each request that gets there, fails: AttributeError",
    source="Python, and seen on 24.10",
)
def attribute_never_set(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find attributes of the model that its code reads and nothing sets."""
    return _problems(model, "unset")


def _may_be_left_out(model: ModelUnderCheck, python_model: PythonModel, name: str) -> bool:
    """Return whether clients, or a step of an ensemble, may leave the input out."""
    if model.served is python_model.config:
        return True
    for _, message in model.parsed.values():
        optional = {tensor.name for tensor in message.input if tensor.optional}
        for step in message.ensemble_scheduling.step:
            mapped = step.input_map.get(name)
            if step.model_name == python_model.config.name and (
                mapped is None or mapped in optional
            ):
                return True
    return False


def _problems(model: ModelUnderCheck, kind: ProblemKind) -> Iterator[RuleHit]:
    for _, behaviour in behaviours(model):
        found = (problem for problem in behaviour.problems if problem.kind == kind)
        yield from (_hit(problem) for problem in found)


def _hit(problem: Problem) -> RuleHit:
    return RuleHit(problem.code.location(problem.node), problem.what, problem.fix)
