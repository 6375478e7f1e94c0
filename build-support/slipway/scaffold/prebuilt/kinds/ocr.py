"""What a picture says, and where: the graphs of RapidOCR (PP-OCRv6, small)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from slipway.scaffold.prebuilt.graph import complete, halve, numbers, tensors, zero
from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt

DETECTION = "rapidocr/models/PP-OCRv6_det_small.onnx"
RECOGNITION = "rapidocr/models/PP-OCRv6_rec_small.onnx"
CHARACTERS = "character"  # the key of the graph's metadata
NARROWEST = 320  # pixels: a shorter line is filled up, as in RapidOCR
PIXEL_CONSTANTS: dict[str, Any] = {
    "slipway_bgr": np.array([2, 1, 0], np.int64),
    "slipway_scale": np.array(1 / 255, np.float32),
    "slipway_half": np.array(0.5, np.float32),
}


def _files(package: Path) -> Files:
    detection, recognition = onnx.load(package / DETECTION), onnx.load(package / RECOGNITION)
    return Files(
        weights={
            "detection/1/model.onnx": detection_of_pixels(detection),
            "recognition/1/model.onnx": recognition_of_pixels(recognition),
        },
        data={"postprocessing/1/characters.json": _characters(recognition)},
    )


def detection_of_pixels(model: onnx.ModelProto) -> bytes:
    """Return the graph with PIXELS UINT8 [height, width, 3], RGB → MAP FP32 [height, width]."""
    graph = model.graph
    source, result = graph.input[0].name, graph.output[0].name
    nodes = [
        helper.make_node("Unsqueeze", ["PIXELS"], ["slipway_batch"], axes=[0]),
        *_normalise("slipway_batch", source),
        *graph.node,
        helper.make_node("Squeeze", [result], ["MAP"], axes=[0, 1]),
    ]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors(PIXEL_CONSTANTS))
    halve(graph)
    pixels = helper.make_tensor_value_info("PIXELS", TensorProto.UINT8, ["height", "width", 3])
    chance = helper.make_tensor_value_info("MAP", TensorProto.FLOAT, ["rows", "columns"])
    return complete(model, [pixels], [chance])


def recognition_of_pixels(model: onnx.ModelProto) -> bytes:
    """Return the graph with LINES UINT8 [lines, 48, width, 3], RGB, and WIDTHS INT64 [lines].

    It reads line by line, each at its own width: padded to the width of a longer one, a line loses
    spaces, and takes as long. Of the chances of all characters in a column only the best leaves
    the graph: CHARACTER INT64 and CHANCE FP32 [lines, columns].
    """
    graph = model.graph
    source, result = graph.input[0].name, graph.output[0].name
    node, value = helper.make_node, helper.make_tensor_value_info
    shape = [
        node("Shape", ["LINES"], ["slipway_shape"]),
        node("Gather", ["slipway_shape", "slipway_0"], ["slipway_lines"], axis=0),
        node("Gather", ["slipway_shape", "slipway_2"], ["slipway_width"], axis=0),
        node("Div", ["slipway_width", "slipway_4"], ["slipway_columns"]),  # more than there are
    ]
    line = [
        node("Gather", ["LINES", "slipway_number"], ["slipway_line"], axis=0),
        node("Gather", ["WIDTHS", "slipway_number"], ["slipway_own"], axis=0),
        node("Less", ["slipway_own", "slipway_narrowest"], ["slipway_short"]),
        node("Where", ["slipway_short", "slipway_narrowest", "slipway_own"], ["slipway_end_0"]),
        node("Unsqueeze", ["slipway_end_0"], ["slipway_end"], axes=[0]),
        node(
            "Slice",
            ["slipway_line", "slipway_start", "slipway_end", "slipway_axis"],
            ["slipway_cut"],
        ),
        node("Unsqueeze", ["slipway_cut"], ["slipway_batch"], axes=[0]),
        *_normalise("slipway_batch", "slipway_normal"),
        # what is beyond a short line is 0, as RapidOCR fills it
        node("Range", ["slipway_0", "slipway_end_0", "slipway_1"], ["slipway_positions"]),
        node("Less", ["slipway_positions", "slipway_own"], ["slipway_within"]),
        node("Cast", ["slipway_within"], ["slipway_mask"], to=TensorProto.FLOAT),
        node("Mul", ["slipway_normal", "slipway_mask"], [source]),
    ]
    read = [
        node("Squeeze", [result], ["slipway_chances"], axes=[0]),
        node("ArgMax", ["slipway_chances"], ["slipway_best"], axis=1, keepdims=0),
        node("ReduceMax", ["slipway_chances"], ["slipway_chance"], axes=[1], keepdims=0),
        node("Shape", ["slipway_best"], ["slipway_count"]),
        node("Sub", ["slipway_columns", "slipway_count"], ["slipway_rest"]),
        node("ConstantOfShape", ["slipway_rest"], ["slipway_none"], value=zero(np.float32)),
        node("ConstantOfShape", ["slipway_rest"], ["slipway_blanks"], value=zero(np.int64)),
        node("Concat", ["slipway_best", "slipway_blanks"], ["slipway_row"], axis=0),
        node("Concat", ["slipway_chance", "slipway_none"], ["slipway_row_chance"], axis=0),
        node("Identity", ["slipway_go"], ["slipway_go_on"]),
    ]
    constants = {
        **numbers(0, 1),
        "slipway_narrowest": np.array(NARROWEST, np.int64),
        "slipway_start": np.array([0], np.int64),
        "slipway_axis": np.array([1], np.int64),
    }
    body = helper.make_graph(
        [*line, *graph.node, *read],
        "line",
        [
            value("slipway_number", TensorProto.INT64, []),
            value("slipway_go", TensorProto.BOOL, []),
        ],
        [
            value("slipway_go_on", TensorProto.BOOL, []),
            value("slipway_row", TensorProto.INT64, ["columns"]),
            value("slipway_row_chance", TensorProto.FLOAT, ["columns"]),
        ],
        [*graph.initializer, *tensors(constants | PIXEL_CONSTANTS)],
    )
    halve(body)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(tensors(numbers(0, 2, 4)))
    loop = node("Loop", ["slipway_lines", ""], ["CHARACTER", "CHANCE"], body=body)
    graph.node.extend([*shape, loop])
    return complete(
        model,
        [
            value("LINES", TensorProto.UINT8, ["lines", 48, "width", 3]),
            value("WIDTHS", TensorProto.INT64, ["lines"]),
        ],
        [
            value("CHARACTER", TensorProto.INT64, ["lines", "columns"]),
            value("CHANCE", TensorProto.FLOAT, ["lines", "columns"]),
        ],
    )


def _normalise(source: str, target: str) -> list[onnx.NodeProto]:
    """Return nodes from RGB UINT8 [n, h, w, 3] to BGR in -1 to 1 [n, 3, h, w], as OpenCV reads."""
    node = helper.make_node
    return [
        node("Cast", [source], ["slipway_cast"], to=TensorProto.FLOAT),
        node("Gather", ["slipway_cast", "slipway_bgr"], ["slipway_channels"], axis=3),
        node("Transpose", ["slipway_channels"], ["slipway_planes"], perm=[0, 3, 1, 2]),
        node("Mul", ["slipway_planes", "slipway_scale"], ["slipway_scaled"]),
        node("Sub", ["slipway_scaled", "slipway_half"], ["slipway_centred"]),
        node("Div", ["slipway_centred", "slipway_half"], [target]),
    ]


def _characters(model: onnx.ModelProto) -> bytes:
    """Return the characters by number as RapidOCR has them: the blank first, a space last."""
    stored = {entry.key: entry.value for entry in model.metadata_props}
    characters = ["", *stored[CHARACTERS].splitlines(), " "]
    return (json.dumps(characters, ensure_ascii=False, indent=0) + "\n").encode()


KIND = Prebuilt(
    name="ocr",
    about="a picture → lines of text with scores and boxes (RapidOCR, PP-OCRv6)",
    files=_files,
    licences=(
        "rapidocr-3.10.0.dist-info/licenses/LICENSE",
        "rapidocr-3.10.0.dist-info/licenses/MODEL_LICENSES.md",
    ),
)
