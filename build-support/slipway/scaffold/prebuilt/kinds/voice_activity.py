"""Where speech begins and ends in a stream: the graph of silero-vad, with its states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt

GRAPH = "silero_vad/data/silero_vad_16k_sequence.onnx"
FRAME = 512  # samples of 16 kHz that have one probability
CONTEXT = 64  # samples of the frame before, which each frame begins with
FULL_SCALE = 32768.0


def _files(package: Path) -> Files:
    return Files(weights={"inferencer/1/model.onnx": with_states(onnx.load(package / GRAPH))})


def with_states(model: onnx.ModelProto) -> bytes:
    """Return the graph with samples in place of frames: the context is one more state.

    In silero-vad, Python code cuts the samples into frames and keeps the end of the last one
    (``sequence_vad.py``, ``frame_blocks``). Here the graph does, so that Triton can keep it:
    AUDIO INT16 [samples], CONTEXT [64], H and C [1, 1, 128] → PROBABILITY [frames], the next
    CONTEXT, H and C, and SAMPLES [1]. A last frame that is not whole is filled with zeros.
    """
    graph = model.graph
    constants: dict[str, Any] = {
        "slipway_frame": np.array([FRAME], np.int64),
        "slipway_one": np.array([1], np.int64),
        "slipway_zero": np.array([0], np.int64),
        "slipway_frames": np.array([-1, FRAME], np.int64),
        "slipway_last": np.array([-1], np.int64),
        "slipway_end": np.array([np.iinfo(np.int64).max], np.int64),
        "slipway_context": np.array([-CONTEXT], np.int64),
        "slipway_row": np.array([1, CONTEXT], np.int64),
        "slipway_flat": np.array([CONTEXT], np.int64),
        "slipway_axis_0": np.array([0], np.int64),
        "slipway_axis_1": np.array([1], np.int64),
        "slipway_scale": np.array(FULL_SCALE, np.float32),
    }
    node = helper.make_node
    before = [
        node("Shape", ["AUDIO"], ["SAMPLES"]),
        # as many zeros as fill the last frame; one frame of them where there is no sample
        node("Max", ["SAMPLES", "slipway_one"], ["slipway_some"]),
        node("Add", ["slipway_some", "slipway_frame"], ["slipway_more"]),
        node("Sub", ["slipway_more", "slipway_one"], ["slipway_upper"]),
        node("Div", ["slipway_upper", "slipway_frame"], ["slipway_count"]),
        node("Mul", ["slipway_count", "slipway_frame"], ["slipway_whole"]),
        node("Sub", ["slipway_whole", "SAMPLES"], ["slipway_lack"]),
        node("Concat", ["slipway_zero", "slipway_lack"], ["slipway_pads"], axis=0),
        node("Cast", ["AUDIO"], ["slipway_float"], to=TensorProto.FLOAT),
        node("Div", ["slipway_float", "slipway_scale"], ["slipway_scaled"]),
        node("Pad", ["slipway_scaled", "slipway_pads"], ["slipway_padded"]),
        node("Reshape", ["slipway_padded", "slipway_frames"], ["slipway_rows"]),
        # the last samples of each frame: before the next one, and of the last one before the
        # first of the next request
        _slice("slipway_rows", "slipway_context", "slipway_end", 1, "slipway_ends"),
        _slice("slipway_ends", "slipway_zero", "slipway_last", 0, "slipway_earlier"),
        _slice("slipway_ends", "slipway_last", "slipway_end", 0, "slipway_latest"),
        node("Reshape", ["slipway_latest", "slipway_flat"], ["NEXT_CONTEXT"]),
        node("Reshape", ["CONTEXT", "slipway_row"], ["slipway_first"]),
        node("Concat", ["slipway_first", "slipway_earlier"], ["slipway_contexts"], axis=0),
        node("Concat", ["slipway_contexts", "slipway_rows"], ["input"], axis=1),
    ]
    names = {"h": "H", "c": "C", "speech_probs": "PROBABILITY", "hn": "NEXT_H", "cn": "NEXT_C"}
    for own in graph.node:
        own.input[:] = [names.get(name, name) for name in own.input]
        own.output[:] = [names.get(name, name) for name in own.output]
    nodes = [*before, *graph.node]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in constants.items()
    )
    value, floats = helper.make_tensor_value_info, TensorProto.FLOAT
    state = [1, 1, 128]
    graph.input.extend(
        [
            value("AUDIO", TensorProto.INT16, ["samples"]),
            value("CONTEXT", floats, [CONTEXT]),
            value("H", floats, state),
            value("C", floats, state),
        ]
    )
    graph.output.extend(
        [
            value("PROBABILITY", floats, ["frames"]),
            value("SAMPLES", TensorProto.INT64, [1]),
            value("NEXT_CONTEXT", floats, [CONTEXT]),
            value("NEXT_H", floats, state),
            value("NEXT_C", floats, state),
        ]
    )
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _slice(source: str, start: str, end: str, axis: int, target: str) -> onnx.NodeProto:
    return helper.make_node("Slice", [source, start, end, f"slipway_axis_{axis}"], [target])


KIND = Prebuilt(
    name="voice-activity",
    about="a stream of 16 kHz samples → where speech begins and ends (silero-vad)",
    files=_files,
    licences=("silero_vad-6.2.3.dist-info/licenses/LICENSE",),
)
