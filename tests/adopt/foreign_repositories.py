"""Repositories that others wrote: twelve kinds, in the manner of public ones.

Each folder of ``fixtures`` is a checkout as a user has it, without ``slipway.toml``, with the
faults that such repositories have. What git or Pants would leave out is written here: an ONNX graph
is text in ``<file>.onnx.txt``, as in the corpus of the check, and hidden files, caches, pickles,
environments and a DVC remote are in :data:`EXTRAS`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import py_compile
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import onnx

FIXTURES = Path(__file__).parent / "fixtures"
GRAPH = ".onnx.txt"

CHECKPOINT = "class TritonPythonModel:\n    def execute(self, requests):\n        pass\n"
ENCODERS = {"Use Chip": {"Chip": 0, "Swipe": 1}, "Errors?": {"": 0, "Bad PIN": 1}}
DVC_CONFIG = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../storage\n"
LFS_ATTRIBUTES = "*.onnx filter=lfs diff=lfs merge=lfs -text\n"


def names() -> list[str]:
    """Return the names of the repositories."""
    return sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())


def make(name: str, root: Path) -> Path:
    """Write the repository ``name`` into ``root``; return its folder."""
    folder = root / name
    shutil.copytree(FIXTURES / name, folder)
    for text in sorted(folder.rglob(f"*{GRAPH}")):
        graph = onnx.parser.parse_model(text.read_text(encoding="utf-8"))
        onnx.checker.check_model(graph, full_check=True)
        onnx.save(graph, text.with_suffix(""))
        text.unlink()
    if name in EXTRAS:
        EXTRAS[name](folder)
    return folder


def _write(path: Path, content: bytes | str = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _forests(folder: Path) -> None:
    """Add the encoders, pickled, and the version directory of the ensemble."""
    models = folder / "model_repository"
    _write(models / "preprocessing/1/label_encoders.pkl", pickle.dumps(ENCODERS))
    _write(models / "ensemble/1/.gitkeep")


def _detector(folder: Path) -> None:
    """Add what notebooks and Python leave behind; git keeps no empty version directory."""
    models = folder / "models"
    _write(models / "preprocess/1/.ipynb_checkpoints/model-checkpoint.py", CHECKPOINT)
    source = models / "postprocess/1/utils.py"
    cache = source.parent / "__pycache__" / "utils.cpython-310.pyc"
    py_compile.compile(str(source), cfile=str(cache), doraise=True)


def _reader(folder: Path) -> None:
    """Name the tensors as exporters do, which ONNX's own syntax cannot write."""
    models = folder / "model_repository"
    detection = {"images": "input_images:0", "scores": "feature_fusion/Conv_7/Sigmoid:0"}
    _rename(models / "text_detection/1/model.onnx", detection)
    recognition = {"image": "input.1", "letters_scores": "308"}
    _rename(models / "text_recognition/1/model.onnx", recognition)


def _rename(path: Path, tensors: Mapping[str, str]) -> None:
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.name = tensors[value.name]
    for node in model.graph.node:
        for names_of_node in (node.input, node.output):
            renamed = [tensors.get(tensor, tensor) for tensor in names_of_node]
            del names_of_node[:]
            names_of_node.extend(renamed)
    onnx.save(model, path)


def _sentences(folder: Path) -> None:
    """Add the empty version directory of the ensemble, as git keeps it."""
    _write(folder / "ensemble_hf/ensemble/1/.gitkeep")


def _dali(folder: Path) -> None:
    """Add the empty version directory of the ensemble, as git keeps it."""
    _write(folder / "model_repository/ensemble_dali_classifier/1/.keep")


def _single(folder: Path) -> None:
    """Add the weights of PyTorch, of which only the server looks at the content."""
    _write(folder / "models/resnet50_torch/1/model.pt", b"PK\x03\x04 TorchScript")


def _templates(folder: Path) -> None:
    """Add the version directories that wait for an engine."""
    _write(folder / "all_models/tensorrt_llm/1/.gitkeep")
    _write(folder / "all_models/ensemble/1/.gitkeep")


def _packed(folder: Path) -> None:
    """Add an environment as conda-pack writes it, of Python 3.8."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path, content in {
            "bin/activate": b"export VIRTUAL_ENV=.\n",
            "bin/python3.8": b"\x7fELF",
            "lib/libpython3.8.so.1.0": b"\x7fELF",
            "lib/python3.8/site-packages/numpy/__init__.py": b"__version__ = '1.24.4'\n",
        }.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    _write(folder / "repo/sentence_stats/python-3-8.tar.gz", stream.getvalue())


def _weights(folder: Path) -> None:
    """Move weights to a DVC remote inside of the repository, and leave the pointer."""
    weights = folder / "models/spam/1/model.onnx"
    content = weights.read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    _write(folder / "storage/files/md5" / digest[:2] / digest[2:], content)
    weights.unlink()
    pointer = f"outs:\n- md5: {digest}\n  size: {len(content)}\n  hash: md5\n  path: model.onnx\n"
    _write(weights.with_name("model.onnx.dvc"), pointer)
    _write(weights.with_name(".gitignore"), "/model.onnx\n")
    _write(folder / ".dvc/config", DVC_CONFIG)
    _write(folder / ".gitattributes", LFS_ATTRIBUTES)


EXTRAS: dict[str, Callable[[Path], None]] = {
    "bert_ensemble": _sentences,
    "dali_ensemble": _dali,
    "fil_ensemble": _forests,
    "ocr": _reader,
    "packed_environment": _packed,
    "single_models": _single,
    "tensorrt_llm": _templates,
    "weights_elsewhere": _weights,
    "yolo": _detector,
}
