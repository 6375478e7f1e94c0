"""A small model folder with weights and an environment, made of a few files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from slipway import build
from slipway.archive.writer import TarGzWriter, write_indexed
from slipway.artifact.artifact import Artifact
from slipway.artifact.pack import pack
from slipway.environment import ExecutionEnvironment, Package
from slipway.environment.environment import ARCHIVE, save_environment
from slipway.model.folder import read_model_folder

PRE = """name: "tiny_preprocessing"
backend: "python"
max_batch_size: 8
input [ { name: "IN" data_type: TYPE_FP32 dims: [ 1 ] } ]
output [ { name: "MID" data_type: TYPE_FP32 dims: [ 1 ] } ]
# a comment of the author's
"""
ENSEMBLE = """name: "tiny_pipeline"
platform: "ensemble"
max_batch_size: 8
input [ { name: "IN" data_type: TYPE_FP32 dims: [ 1 ] } ]
output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 1 ] } ]
ensemble_scheduling { step [
  { model_name: "tiny_preprocessing" model_version: -1
    input_map { key: "IN" value: "IN" } output_map { key: "MID" value: "mid" } },
  { model_name: "tiny_inferencer" model_version: -1
    input_map { key: "X" value: "mid" } output_map { key: "Y" value: "scored" } },
  { model_name: "tiny_postprocessing" model_version: -1
    input_map { key: "MID" value: "scored" } output_map { key: "OUT" value: "OUT" } }
] }
"""


def write_model(root: Path, weights: bytes = b"weights" * 9000) -> Path:
    """The model folder ``root/models/tiny``, its weights beside their pointer."""
    (root / "slipway.toml").parent.mkdir(parents=True, exist_ok=True)
    (root / "slipway.toml").write_text("[environment]\nchannels = []\n")
    folder = root / "models" / "tiny"
    post = PRE.replace("preprocessing", "postprocessing").replace('"IN"', '"MID"')
    inferencer = """backend: "onnxruntime"\nmax_batch_size: 8\n"""
    digest = hashlib.md5(weights).hexdigest()
    files: dict[str, str | bytes] = {
        "model_version.txt": "1.2.0\n",
        "requirements.txt": "numpy\n",
        "tiny_preprocessing/config.pbtxt": PRE,
        "tiny_preprocessing/1/model.py": "class TritonPythonModel:\n    pass\n",
        "tiny_preprocessing/1/__pycache__/model.cpython-312.pyc": b"stray",
        "tiny_postprocessing/config.pbtxt": post.replace(
            '"MID" data_type: TYPE_FP32 dims: [ 1 ] } ]\n#',
            '"OUT" data_type: TYPE_FP32 dims: [ 1 ] } ]\n#',
        ),
        "tiny_postprocessing/1/model.py": "class TritonPythonModel:\n    pass\n",
        "tiny_inferencer/config.pbtxt": inferencer,
        "tiny_inferencer/1/model.onnx": weights,
        "tiny_inferencer/1/model.onnx.dvc": f"outs:\n- md5: {digest}\n  size: {len(weights)}\n"
        "  hash: md5\n  path: model.onnx\n",
        "tiny_inferencer/1/.gitignore": "/model.onnx\n",
        "tiny_pipeline/config.pbtxt": ENSEMBLE,
        "tests/test_tiny.py": "def test_nothing() -> None: ...\n",
        "BUILD": "triton_model()\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def write_environment(folder: Path, numpy: str = "1.26.4") -> ExecutionEnvironment:
    """An environment of three files, in the form that building gives."""
    folder.mkdir(parents=True)
    archive = folder / ARCHIVE
    with archive.open("wb") as file:
        writer = TarGzWriter(file)
        writer.add_bytes("bin/activate", b"PATH=here:$PATH\n")
        writer.add_bytes("bin/python3", b"\x7fELF" * 9000, 0o755)
        writer.add_bytes("lib/python3.12/site-packages/numpy/__init__.py", b"")
        writer.close()
    write_indexed(archive, writer)
    size = archive.stat().st_size
    made = ExecutionEnvironment(
        folder=folder,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        python="3.12.1",
        platform="linux-64",
        interpreter="local CPython 3.12.1",
        packages=(Package("numpy", numpy, "pip"),),
        lock="0" * 64,
        size=size,
        unpacked=36016,
        files=3,
    )
    save_environment(made)
    return made


def packed(folder: Path, environment: ExecutionEnvironment, layout: str = "directory") -> Artifact:
    model = read_model_folder(folder)
    output = folder.parent.parent / "dist" / model.artifact_name
    assert layout in ("directory", "archive")
    weights = build.local_weights(model, folder.parents[1])
    return pack(model, environment, weights, output, layout)  # type: ignore[arg-type]
