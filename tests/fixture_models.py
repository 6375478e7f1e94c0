"""Small models for tests of the server: copied, completed with weights and an environment."""

from __future__ import annotations

import compileall
import shutil
import sys
import tarfile
from pathlib import Path
from py_compile import PycInvalidationMode

import numpy as np
import onnx
from onnx import TensorProto, helper

MODELS = Path(__file__).parent / "fixtures" / "models"


def copy(name: str, into: Path, site: Path | None = None) -> Path:
    """A copy of the fixture model ``name``, ready to be loaded.

    Its Python models import the packages in the folder ``site``, or this interpreter's numpy.
    """
    folder = into / name
    shutil.copytree(MODELS / name, folder)
    for config in folder.glob("*/config.pbtxt"):
        if "EXECUTION_ENV_PATH" in config.read_text(encoding="utf-8"):
            environment(config.parent / "python_env", site)
        if 'backend: "onnxruntime"' in config.read_text(encoding="utf-8"):
            version = config.parent / "1"
            version.mkdir(exist_ok=True)
            save_adder(version / "model.onnx")
    return folder


def environment(folder: Path, site: Path | None = None) -> None:
    """The least that Triton takes for an execution environment: this interpreter and numpy.

    The packages in the folder ``site`` are imported instead of numpy's own folder. A virtual
    environment without links, which artifacts may not hold: the interpreter in the stub only looks
    where its program lies, and never runs it.
    """
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    packages.mkdir(parents=True)
    site = site or Path(np.__file__).parent.parent
    (packages / "numpy.pth").write_text(str(site), encoding="utf-8")
    home = Path(sys.base_prefix) / "bin"
    (folder / "pyvenv.cfg").write_text(f"home = {home}\n", encoding="utf-8")
    programs = folder / "bin"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {home}/python3 "$@"\n', encoding="utf-8")
    (programs / "python3").chmod(0o755)
    (programs / "activate").write_text(
        'export PATH="$(dirname "${BASH_SOURCE[0]}"):$PATH"\n', encoding="utf-8"
    )


def save_adder(path: Path, data_type: int = TensorProto.FLOAT) -> None:
    """An ONNX graph SUM = A + B, each of N times 4 elements."""
    tensors = [helper.make_tensor_value_info(n, data_type, ["N", 4]) for n in ("A", "B", "SUM")]
    node = helper.make_node("Add", ["A", "B"], ["SUM"])
    graph = helper.make_graph([node], "adder", tensors[:2], tensors[2:])
    save(graph, path)


def save(graph: onnx.GraphProto, path: Path) -> None:
    """Write ``graph`` in a version that ONNX Runtime of some years ago reads, too."""
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def pack(model: Path, artifact: Path) -> Path:
    """A plain ``tar.gz`` of a copied fixture model, its Python compiled as in artifacts."""
    compileall.compile_dir(model, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    artifact.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(artifact, "w:gz") as tar:
        for config in sorted(model.glob("*/config.pbtxt")):
            tar.add(config.parent, config.parent.name)
    return artifact
