"""Stage: parameters.npz → model.onnx, checked against JAX on the validation photographs."""

from typing import Any

import network
import numpy as np
import onnx
import onnxruntime
from dataset import load
from onnx import TensorProto, helper, numpy_helper
from params import HERE, params
from pixels import SIDE

OPSET = 17  # what ONNX Runtime of Triton 24.10 and later serves, with room on both sides
IR_VERSION = 8
TOLERANCE = 1e-4


def graph(parameters: network.Parameters) -> onnx.ModelProto:
    """PIXELS UINT8 [batch, SIDE, SIDE, 3] → SCORE FP32 [batch, 1]; all arithmetic is in the graph."""
    weights: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def weight(name: str, value: np.ndarray) -> str:
        array = np.ascontiguousarray(value, dtype=np.float32)
        weights.append(numpy_helper.from_array(array, name))
        return name

    def node(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    # transposed as bytes, a quarter of what floats would move
    x = node("Transpose", ["PIXELS"], "planes", perm=[0, 3, 1, 2])
    x = node("Cast", [x], "levels", to=TensorProto.FLOAT)
    for name, _, stride, _ in network.LAYERS:
        kernel = np.asarray(parameters[name])
        if name == "conv1":
            kernel = np.asarray(network.first_kernel(parameters)) / network.SCALE
        planes = weight(name, kernel.transpose(3, 2, 0, 1))
        bias = weight(f"{name}_bias", np.asarray(parameters[f"{name}_bias"]))
        x = node("Conv", [x, planes, bias], f"{name}_out", strides=[stride, stride])
        x = node("Relu", [x], f"{name}_relu")
    mean = node("GlobalAveragePool", [x], "mean")
    peak = node("GlobalMaxPool", [x], "peak")
    x = node("Concat", [mean, peak], "pooled", axis=1)
    x = node("Flatten", [x], "features")
    for name in ("hidden", "score"):
        matrix = weight(name, np.asarray(parameters[name]))
        bias = weight(f"{name}_bias", np.asarray(parameters[f"{name}_bias"]))
        x = node("Gemm", [x, matrix, bias], f"{name}_out")
        x = node(*(("Relu", [x], "hidden_relu") if name == "hidden" else ("Sigmoid", [x], "SCORE")))
    pixels = helper.make_tensor_value_info("PIXELS", TensorProto.UINT8, ["batch", SIDE, SIDE, 3])
    score = helper.make_tensor_value_info("SCORE", TensorProto.FLOAT, ["batch", 1])
    return helper.make_model(
        helper.make_graph(nodes, "screen_detection", [pixels], [score], weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="screen_detection/training",
    )


def main() -> None:
    parameters = network.read(HERE / "parameters.npz")
    model = graph(parameters)
    onnx.checker.check_model(model, full_check=True)
    frames = load().of(params("split")["validation"])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    served = np.concatenate(
        [session.run(["SCORE"], {"PIXELS": part})[0] for part in np.array_split(frames.squares, 20)]
    )[:, 0]
    apart = float(np.abs(served - network.scores(parameters, frames.squares)).max())
    if apart > TOLERANCE:
        raise SystemExit(f"ONNX Runtime and JAX differ by {apart} (more than {TOLERANCE})")
    (HERE / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
