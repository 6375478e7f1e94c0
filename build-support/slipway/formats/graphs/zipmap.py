"""Remove ZipMap: Triton refuses its list of maps, and serves the tensor behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.formats.graphs.names import rename

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def drop_zipmaps(model: ModelProto) -> tuple[str, ...]:
    """Replace outputs that ZipMap makes of a tensor of scores by that tensor, [rows, classes].

    The output keeps its name. Source: Triton's onnxruntime backend loads tensors only.
    """
    from onnx import TensorProto, helper

    repairs = []
    outputs = {output.name: output for output in model.graph.output}
    for node in [node for node in model.graph.node if node.op_type == "ZipMap"]:
        name = node.output[0]
        scores = node.input[0]
        model.graph.node.remove(node)
        if name not in outputs:
            continue
        outputs[name].name = scores  # the list of maps is gone, its name is free
        rename(model, {scores: name})
        shape = ["N", _classes(node)]
        tensor = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        outputs[name].CopyFrom(tensor)
        repairs.append(f"{name} is a tensor of all classes instead of a list of maps (ZipMap)")
    return tuple(repairs)


def _classes(node: NodeProto) -> int | None:
    for attribute in node.attribute:
        if attribute.name.startswith("classlabels"):
            return len(attribute.ints) or len(attribute.strings) or None
    return None
