"""Write a small network as OpenVINO's IR."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as ops


def main(out: Path) -> None:
    """Write ``openvino_network.xml`` and its weights to ``out``."""
    weights = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    features = ops.parameter([-1, 8], np.float32, name="FEATURES")
    sums = ops.matmul(features, ops.constant(weights), False, False)
    scores = ops.softmax(sums, 1)
    scores.output(0).get_tensor().set_names({"SCORES"})
    model = openvino.Model([scores], [features], "network")
    model.input(0).get_tensor().set_names({"FEATURES"})
    openvino.save_model(model, out / "openvino_network.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
