"""Mistakes outside the configs: in folders, files, graphs, code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from random import Random

import onnx
from onnx import TensorProto

from tests.check.mutation.mistake import configs, misspell, relative_name

LITERAL = re.compile(r'(?<=["])[A-Za-z_]\w*(?=["])')
TENSORS = re.compile(
    r"get_(?:in|out)put_tensor_by_name|pb_utils\.Tensor\(|requested_output_names|model_name="
)
UNKNOWN_VERSION = 99


def directory(folder: Path, random: Random) -> str | None:
    """Rename a model's directory, or move it one level deeper."""
    path = random.choice(configs(folder)).parent
    new = path.with_name(misspell(path.name, random))
    if random.random() < 0.2:
        new = path / path.name
        temporary = path.rename(path.with_name("aside"))
        path.mkdir()
        temporary.rename(new)
    elif new.exists():
        return None
    else:
        path.rename(new)
    return f"{path.name}/ → {relative_name(new, folder)}/"


def version(folder: Path, random: Random) -> str | None:
    """Remove or rename a version directory."""
    path = random.choice(sorted(folder.glob("*/[0-9]*/")))
    if random.random() < 0.3:
        shutil.rmtree(path)
        return f"without {relative_name(path, folder)}/"
    new = path.with_name(random.choice([f"v{path.name}", "latest", "one", f"{path.name}.0", "0"]))
    path.rename(new)
    return f"{relative_name(path, folder)}/ → {new.name}/"


def file(folder: Path, random: Random) -> str | None:
    """Remove, empty, truncate or rename a file."""
    files = [path for path in sorted(folder.glob("*/**/*")) if path.is_file()]
    path = random.choice(files)
    size = path.stat().st_size
    match random.randrange(4):
        case 0:
            path.unlink()
            return f"without {relative_name(path, folder)}"
        case 1:
            new = path.with_name(misspell(path.stem, random) + path.suffix)
            path.rename(new)
            return f"{relative_name(path, folder)} → {new.name}"
        case 2 if size and path.suffix != ".dvc":
            path.write_bytes(b"")
            return f"{relative_name(path, folder)} empty"
        case _ if size and path.suffix == ".onnx":
            path.write_bytes(path.read_bytes()[: size // 2])
            return f"{relative_name(path, folder)} cut in half"
    return None


def graph(folder: Path, random: Random) -> str | None:
    """Change a tensor of an ONNX graph, or set an unknown operator set."""
    paths = sorted(folder.glob("*/*/*.onnx"))
    if not paths:
        return None
    path = random.choice(paths)
    model = onnx.load(path, load_external_data=False)
    tensors = [*model.graph.input, *model.graph.output]
    tensor = random.choice(tensors)
    what = _changed(model, tensor, random)
    if what:
        path.write_bytes(model.SerializeToString())
    return what and f"{relative_name(path, folder)}: {what}"


def _changed(model: onnx.ModelProto, tensor: onnx.ValueInfoProto, random: Random) -> str | None:
    kind, dims = tensor.type.tensor_type, tensor.type.tensor_type.shape.dim
    old = tensor.name
    match random.randrange(5):
        case 0:
            new = misspell(old, random)
            for node in model.graph.node:
                node.input[:] = [new if name == old else name for name in node.input]
                node.output[:] = [new if name == old else name for name in node.output]
            tensor.name = new
            return f"{old} → {new}"
        case 1:
            new = random.choice(["FLOAT", "DOUBLE", "INT32", "INT64", "FLOAT16", "UINT8", "STRING"])
            before = TensorProto.DataType.Name(kind.elem_type)
            kind.elem_type = TensorProto.DataType.Value(new)
            return f"{old} {before} → {new}" if new != before else None
        case 2:
            dim = random.choice(dims)
            new = str(dim.dim_value + 1) if dim.HasField("dim_value") else "2"
            before = dim.dim_param or str(dim.dim_value)
            dim.dim_value = int(new)
            return f"{old}: a size of {before} → {new}"
        # for an output, ONNX Runtime uses the number that it infers
        case 3 if tensor in list(model.graph.input):
            dims.add().dim_value = 1
            return f"{old}: one dimension more"
        case _:
            model.opset_import[0].version = UNKNOWN_VERSION
            return f"operator set {UNKNOWN_VERSION}"


def code(folder: Path, random: Random) -> str | None:
    """Misspell a tensor's name, the class, its method, an import or a mark in ``model.py``."""
    paths = sorted(folder.glob("*/*/model.py"))
    if not paths:
        return None
    path = random.choice(paths)
    text = path.read_text(encoding="utf-8")
    spots = [
        (match.start(), match.end())
        for line in re.finditer(r".+", text)
        if TENSORS.search(line[0])
        for match in LITERAL.finditer(text, line.start(), line.end())
    ]
    for pattern in (
        "TritonPythonModel",
        "execute",
        "import numpy",
        "triton_python_backend_utils",
        "):",
    ):
        spots += [(m.start(), m.end()) for m in [re.search(re.escape(pattern), text)] if m]
    start, end = random.choice(spots)
    old = text[start:end]
    new = ")" if old == "):" else misspell(old.split()[-1], random)
    new = old.replace(old.split()[-1], new)
    path.write_text(text[:start] + new + text[end:], encoding="utf-8")
    return f"{relative_name(path, folder)}: {old} → {new}"
