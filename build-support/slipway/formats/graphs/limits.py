"""Lower IR version and opsets to what the ONNX Runtime of a Triton release takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.triton.image.onnx_runtimes import RUNTIMES, runtime_of

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

ML = "ai.onnx.ml"
DEFAULT_OPSET = 15  # of a graph that names none; every release of the table takes it


def lower(model: ModelProto, triton: str) -> tuple[str, ...]:
    """Lower a graph for ``triton``, a release; where operators changed in between, convert it.

    CatBoost names no opset of ONNX itself, which it does not need before ZipMap is removed: added.

    Raises:
        SlipwayError: an operator does not exist in the older opset.
    """
    from onnx import helper

    runtime = runtime_of(triton) or RUNTIMES[-1]
    repairs = []
    if not any(opset.domain in ("", "ai.onnx") for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid("", DEFAULT_OPSET))
        repairs.append(f"opset {DEFAULT_OPSET} of ONNX itself is declared")
    for domain, highest in (("", runtime.opset), (ML, runtime.ml_opset)):
        newer = [o for o in model.opset_import if o.domain == domain and o.version > highest]
        if newer:
            [opset] = newer
            name = f"opset {highest} of {domain}" if domain else f"opset {highest}"
            repairs.append(f"{name} instead of {opset.version}, for Triton {triton}")
            if _unchanged(model, domain, opset.version, highest):
                opset.version = highest
            else:
                _convert(model, domain, highest, triton)
    if model.ir_version > runtime.ir_version:
        repairs.append(f"IR {runtime.ir_version} instead of {model.ir_version}")
        model.ir_version = runtime.ir_version
    return tuple(repairs)


def _unchanged(model: ModelProto, domain: str, version: int, highest: int) -> bool:
    """Return whether each operator of ``domain`` is the same in both opsets."""
    from onnx import defs

    for node in _nodes(model.graph):
        if node.domain != domain:
            continue
        schema = defs.get_schema(node.op_type, version, domain)
        if schema.since_version > highest:
            return False
    return True


def _convert(model: ModelProto, domain: str, highest: int, triton: str) -> None:
    from onnx import version_converter

    fix = f"export it with opset {highest}, or serve it with a newer Triton"
    if domain:
        what = f"the graph needs an opset of {domain} above {highest}, the last of Triton {triton}"
        raise SlipwayError(what, fix=fix)
    try:
        model.CopyFrom(version_converter.convert_version(model, highest))
    except Exception as error:  # onnx raises RuntimeError and its own, of no common root
        what = f"the graph cannot be lowered to opset {highest} for Triton {triton}: {error}"
        raise SlipwayError(what, fix=fix) from error


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)
            for part in attribute.graphs:
                yield from _nodes(part)
