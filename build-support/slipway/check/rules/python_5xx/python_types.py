"""SW516, SW517 and SW561 to SW563: the types and ranks of the arrays that Python models return."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipway.check.finding import RuleHit
from slipway.check.inference.behaviour import behaviours
from slipway.check.inference.events import CreatedTensor
from slipway.check.inference.objects import FOREIGN
from slipway.check.inference.values import Array, Scalar, members
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.model import PythonModel
from slipway.check.rule import rule
from slipway.check.tensors.flow import flows
from slipway.triton.config import schema

# numpy's types → the data types that the stub takes them for (pb_utils.cc)
TYPES = {
    "bool": "TYPE_BOOL",
    "uint8": "TYPE_UINT8",
    "uint16": "TYPE_UINT16",
    "uint32": "TYPE_UINT32",
    "uint64": "TYPE_UINT64",
    "int8": "TYPE_INT8",
    "int16": "TYPE_INT16",
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float16": "TYPE_FP16",
    "float32": "TYPE_FP32",
    "float64": "TYPE_FP64",
    "object": "TYPE_STRING",
    "bytes": "TYPE_STRING",
}
NUMPY_NAMES = {triton: name for name, triton in TYPES.items() if name != "bytes"}
WRITTEN = {"bool": "np.bool_", "object": "object"}
# what numpy calls the types that the stub does not take
UNSUPPORTED = {"str": "<U text", "void": "a structured type"}
LONGEST = 40  # characters of an expression in a fix


@dataclass(frozen=True)
class TypedTensor:
    """A tensor that the code creates for an output, of an array that is known in part."""

    python_model: PythonModel
    created: CreatedTensor
    array: Array
    output: Any

    @property
    def declared(self) -> str:
        """Return the output's data type in the config."""
        return str(schema().DataType.Name(self.output.data_type))

    @property
    def rank(self) -> int | None:
        """Return the rank that the config promises, with the batch; ``None`` if it does not say."""
        batch = self.python_model.message.max_batch_size
        output = self.output
        if output.HasField("reshape") or output.is_shape_tensor or batch < 0:
            return None
        if not output.dims or 0 in output.dims:
            return None
        return len(output.dims) + int(batch > 0)


@rule(
    "SW516",
    "returns-another-type",
    reason="each request fails in the step that reads it: “inference input … data-type is …”",
    source="Triton core, infer_request.cc, and seen on 24.10",
)
def returns_another_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose type differs from their output's, and that another step reads."""
    return _of_another_type(model, read_by_step=True)


@rule(
    "SW517",
    "answers-another-type",
    severity="warning",
    reason="the answer has another type than the config promises, which the server does not check;"
    " FP16 fails where a client asks for JSON",
    source="seen on 24.10",
)
def answers_another_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors whose type differs from their output's, and that only clients read."""
    return _of_another_type(model, read_by_step=False)


@rule(
    "SW561",
    "type-unknown-to-triton",
    reason="each request that gets there fails: “NumPy dtype is not supported.”",
    source="Triton's Python backend, pb_tensor.cc, and seen on 24.10",
)
def type_unknown_to_triton(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors of arrays whose type Triton lacks: texts as <U, complex numbers, dates."""
    for python_model, behaviour in behaviours(model):
        outputs = {output.name: output for output in python_model.message.output}
        for created in dict.fromkeys(behaviour.tensors):
            array = _certain(created)
            if array is None or array.dtype is None or array.dtype in TYPES:
                continue
            output = outputs.get(_name(created) or "")
            declared = str(schema().DataType.Name(output.data_type)) if output else ""
            wanted = "object" if array.dtype == "str" else NUMPY_NAMES.get(declared, "float32")
            yield RuleHit(
                created.code.location(created.array_node or created.call),
                f"a Tensor is made of {UNSUPPORTED.get(array.dtype, array.dtype)},"
                " a type that Triton does not have",
                _cast(created, wanted),
            )


@rule(
    "SW562",
    "returns-another-rank",
    reason="each request fails in the step that reads it: “unexpected shape for input …”",
    source="Triton core, infer_request.cc, and seen on 24.10",
)
def returns_another_rank(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors of another number of dimensions than their output's, that a step reads."""
    return _of_another_rank(model, read_by_step=True)


@rule(
    "SW563",
    "answers-another-rank",
    severity="warning",
    reason="the answer has another shape than the config promises, which the server does not check",
    source="seen on 24.10",
)
def answers_another_rank(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find tensors of another number of dimensions than their output's, that clients read."""
    return _of_another_rank(model, read_by_step=False)


def _of_another_type(model: ModelUnderCheck, *, read_by_step: bool) -> Iterator[RuleHit]:
    for tensor in _typed_tensors(model, read_by_step=read_by_step):
        found = TYPES.get(tensor.array.dtype or "")
        if found is None or tensor.declared not in NUMPY_NAMES or found == tensor.declared:
            continue
        yield RuleHit(
            tensor.created.code.location(tensor.created.array_node or tensor.created.call),
            f"{tensor.output.name!r} is created as {found}, its output is {tensor.declared}",
            f"{_cast(tensor.created, NUMPY_NAMES[tensor.declared])},"
            f" or data_type: {found} in the config",
        )


def _of_another_rank(model: ModelUnderCheck, *, read_by_step: bool) -> Iterator[RuleHit]:
    for tensor in _typed_tensors(model, read_by_step=read_by_step):
        found, promised = tensor.array.rank, tensor.rank
        if found is None or promised is None or found == promised:
            continue
        dims = list(tensor.output.dims)
        batch = tensor.python_model.message.max_batch_size > 0
        shape = f"dims {dims} and the batch" if batch else f"dims {dims}"
        yield RuleHit(
            tensor.created.code.location(tensor.created.array_node or tensor.created.call),
            f"{tensor.output.name!r} is created with {_dimensions(found)},"
            f" its output has {_dimensions(promised)}: {shape}",
            _reshaped(tensor, dims, batch),
        )


def _dimensions(rank: int) -> str:
    return f"{rank} dimension{'s' * (rank != 1)}"


def _typed_tensors(model: ModelUnderCheck, *, read_by_step: bool) -> Iterator[TypedTensor]:
    """Yield the tensors for outputs; a model that calls others may send them elsewhere."""
    for python_model, behaviour in behaviours(model):
        outputs = {output.name: output for output in python_model.message.output}
        for created in dict.fromkeys(behaviour.tensors) if not python_model.calls_models else ():
            name, array = _name(created), _certain(created)
            if name is None or name not in outputs or array is None or array.is_scalar:
                continue
            if _is_read(model, python_model, name) == read_by_step:
                yield TypedTensor(python_model, created, array, outputs[name])


def _name(created: CreatedTensor) -> str | None:
    value = created.name.value if isinstance(created.name, Scalar) else None
    return value if isinstance(value, str) else None


def _certain(created: CreatedTensor) -> Array | None:
    """Return what all alternatives of an array have in common; ``None`` if one is no array."""
    values = [value for value in members(created.array) if value != FOREIGN]  # that fails as well
    found = [value for value in values if isinstance(value, Array)]
    if len(found) != len(values) or not found:
        return None
    dtypes, ranks = {array.dtype for array in found}, {array.rank for array in found}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    rank = ranks.pop() if len(ranks) == 1 else None
    return Array(dtype, rank, all(array.is_scalar for array in found))


def _cast(created: CreatedTensor, dtype: str) -> str:
    """Return the expression with a conversion to a type."""
    return f"{_source(created)}.astype({WRITTEN.get(dtype, f'np.{dtype}')})"


def _reshaped(tensor: TypedTensor, dims: list[int], batch: bool) -> str:
    """Return the expression with the promised dimensions."""
    source, found = _source(tensor.created), tensor.array.rank
    if batch and found == len(dims):
        axis = 0 if found != 1 or dims[0] != 1 else 1
        return f"np.expand_dims({source}, axis={axis})" if axis == 0 else f"{source}[:, np.newaxis]"
    sizes = [-1, *dims] if batch else dims
    if sum(size < 0 for size in sizes) <= 1:
        return f"{source}.reshape({', '.join(map(str, sizes))})"
    return f"{source}.reshape(…), to {len(sizes)} dimensions; or other dims in the config"


def _source(created: CreatedTensor) -> str:
    node = created.array_node
    text = ast.unparse(node) if node is not None else "array"
    if len(text) > LONGEST:
        return "array"
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return text if simple else f"({text})"


def _is_read(model: ModelUnderCheck, python_model: PythonModel, name: str) -> bool:
    """Return whether a step of an ensemble reads the output."""
    return any(
        step.definition.output_map.get(name) in flow.readers
        for flow in flows(model)
        for step in flow.steps
        if step.definition.model_name == python_model.config.name
        and name in step.definition.output_map
    )
