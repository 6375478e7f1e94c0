"""A small artifact that a container can serve: Python with an environment, ONNX, an ensemble."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy

from slipway.archive.writer import TarGzWriter
from slipway.artifact.manifest import Manifest
from slipway.triton.image.environments import image_path
from tests.fixture_models import save_adder
from tests.image.bases import PYTHON

ENVIRONMENT = "e" * 64
# doubles A, and says from where numpy was imported
DOUBLE = """
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        a = pb_utils.get_input_tensor_by_name(request, "A").as_numpy()
        where = np.full((len(a), 1), np.__file__.encode(), dtype=np.object_)
        doubled = pb_utils.Tensor("DOUBLED", (a * 2).astype(np.float32))
        return pb_utils.InferenceResponse([doubled, pb_utils.Tensor("WHERE", where)])
"""
FLOATS, TEXT = "data_type: TYPE_FP32 dims: [ 4 ]", "data_type: TYPE_STRING dims: [ 1 ]"
HOME = "$$TRITON_MODEL_DIRECTORY/python_env"
CONFIGS = {
    "twice_double": f"""backend: "python" max_batch_size: 8
input [ {{ name: "A" {FLOATS} }} ]
output [ {{ name: "DOUBLED" {FLOATS} }}, {{ name: "WHERE" {TEXT} }} ]
parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{HOME}" }} }}
instance_group [ {{ count: 1 kind: KIND_CPU }} ]
""",
    "twice_adder": f"""backend: "onnxruntime" max_batch_size: 8
input [ {{ name: "A" {FLOATS} }}, {{ name: "B" {FLOATS} }} ]
output [ {{ name: "SUM" {FLOATS} }} ]
instance_group [ {{ count: 1 kind: KIND_CPU }} ]
""",
    "twice_pipeline": f"""platform: "ensemble" max_batch_size: 8
input [ {{ name: "A" {FLOATS} }}, {{ name: "B" {FLOATS} }} ]
output [ {{ name: "SUM" {FLOATS} }}, {{ name: "WHERE" {TEXT} }} ]
ensemble_scheduling {{ step [
  {{ model_name: "twice_double" model_version: -1 input_map {{ key: "A" value: "A" }}
    output_map {{ key: "DOUBLED" value: "doubled" }}
    output_map {{ key: "WHERE" value: "WHERE" }} }},
  {{ model_name: "twice_adder" model_version: -1 input_map {{ key: "A" value: "doubled" }}
    input_map {{ key: "B" value: "B" }} output_map {{ key: "SUM" value: "SUM" }} }}
] }}
""",
}  # fmt: skip


def write_served(
    folder: Path, name: str = "twice", *, home: str = "/opt/python", thin: bool = False
) -> Path:
    """The artifact of SUM = 2 A + B under ``name``, whose environment has numpy alone: the
    interpreter is the one at ``home``. A ``thin`` one leaves its environment to the image."""
    folder.mkdir(parents=True, exist_ok=True)
    save_adder(folder / "model.onnx")
    weights = (folder / "model.onnx").read_bytes()
    sources = {
        f"{model}/config.pbtxt": f'name: "{model}"\n{text}'.encode()
        for model, text in CONFIGS.items()
    }
    sources["twice_double/1/model.py"] = DOUBLE.encode()
    sources = {path.replace("twice", name): data.replace(b"twice", name.encode())
               for path, data in sources.items()}  # fmt: skip
    environment = _environment(f"{home}/bin")
    place = f"{name}_double/python_env"
    if thin:
        place = image_path(ENVIRONMENT)
        config = f"{name}_double/config.pbtxt"
        sources[config] = sources[config].replace(HOME.encode(), place.encode())
    onnx = f"{name}_adder/1/model.onnx"
    manifest = Manifest(
        name=name,
        version="1.0.0",
        serves=f"{name}_pipeline",
        sources={path: hashlib.sha256(data).hexdigest() for path, data in sources.items()},
        weights={onnx: {"md5": hashlib.md5(weights).hexdigest(), "size": len(weights)}},
        environment={
            "layout": "image" if thin else "directory",
            "path": place,
            "python": f"{PYTHON}.1",
            "platform": "linux-64",
            "interpreter": "the base's",
            "sha256": ENVIRONMENT,
            "lock": "0" * 64,
            "size": 100,
            "unpacked": sum(len(data) for data, _ in environment.values()),
            "files": len(environment),
            "packages": [{"name": "numpy", "version": numpy.__version__, "source": "pip"}],
        },
        builder="slipway 0.1.0",
    )
    path = folder / f"{name}_1.0.0.tar.gz"
    with path.open("wb") as file, TarGzWriter(file) as writer:
        writer.add_bytes(f"{name}_pipeline/1/manifest.json", manifest.dump())
        for member, data in sorted(sources.items()):
            writer.add_bytes(member, data)
        writer.add_bytes(onnx, weights)
        for member, (data, mode) in environment.items() if not thin else ():
            writer.add_bytes(f"{place}/{member}", data, mode)
    return path


def _environment(home: str) -> dict[str, tuple[bytes, int]]:
    """The files of a virtual environment of the Python in ``home``, with a numpy of its own."""
    files = {
        "bin/activate": (b'export PATH="$(dirname "${BASH_SOURCE[0]}"):$PATH"\n', 0o644),
        "bin/python3": (f'#!/bin/sh\nexec {home}/python3 "$@"\n'.encode(), 0o755),
        "pyvenv.cfg": (f"home = {home}\n".encode(), 0o644),
    }
    package = Path(numpy.__file__).parent
    for folder in (package, package.with_name("numpy.libs")):
        for root, folders, names in os.walk(folder):
            folders[:] = sorted(n for n in folders if n not in ("tests", "__pycache__"))
            for file in sorted(names):
                path = Path(root, file)
                relative = path.relative_to(package.parent).as_posix()
                place = f"lib/python{PYTHON}/site-packages/{relative}"
                files[place] = (path.read_bytes(), 0o644)
    return files
