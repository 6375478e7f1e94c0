"""Make repositories of many models: copies of all sample models, under names of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.clone import clone, commit, copy_model
from slipway.model.folder import find_models

SMALL = "small"
CONFIG = """name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input [{{ name: "X" data_type: TYPE_FP32 dims: [4] }}]
output [{{ name: "Y" data_type: TYPE_FP32 dims: [4] }}]
"""


def generate(folder: Path, models: int) -> Path:
    """Return a clone with ``models`` models, each a copy of another sample; weights are pointers,
    as after a clone. All is committed."""
    root = clone(folder)
    samples = [path.name for path in find_models(root)]
    for number in range(models - len(samples)):
        sample = samples[number % len(samples)]
        copy_model(root, f"{sample}_{number:04}", of=sample)
    commit(root)
    return root


def generate_small(folder: Path, models: int) -> Path:
    """Return a clone whose models are one graph that returns what it gets, without an environment:
    Pants packs thousands of them in minutes, and decides as much for each as for a large one."""
    root = clone(folder)
    for path in find_models(root):
        shutil.rmtree(path)
    for number in range(models):
        _write_graph(root / "models" / f"{SMALL}_{number:04}")
    commit(root)
    return root


def _write_graph(folder: Path) -> None:
    from onnx import TensorProto, helper, save

    version = folder / folder.name / "1"
    version.mkdir(parents=True)
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 4]) for n in ("X", "Y"))
    graph = helper.make_graph([helper.make_node("Identity", ["X"], ["Y"])], "g", [x], [y])
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, ir_version=8, opset_imports=opset), version / "model.onnx")
    (version.parent / "config.pbtxt").write_text(CONFIG.format(name=folder.name))
    (folder / "model_version.txt").write_text("1.0.0\n")
    (folder / "BUILD").write_text("triton_model()\n")
