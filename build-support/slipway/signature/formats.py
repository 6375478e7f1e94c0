"""Name what a file is that is not ONNX, and how to get a model from it that is served.

Only by its first bytes, and without the modules of ``formats/kinds``, which know more of the files
that they convert: for errors, rules and tables, and for what no format converts.

Own tables: of these formats magika 1.0.3 knows pickle, HDF5, npy, npz, "pytorch" and HTML, and
filetype 1.2.0 none. The sources of the magic numbers: safetensors README (format); gguf.md of ggml;
the HDF5 file format specification, II.A; torch/csrc/jit/serialization (TorchScript's ``code/``) and
torch/export/pt2_archive; XGBoost's and LightGBM's files, as their releases of 2026 write them;
catboost/libs/model (``CBM1``); tensorflow/compiler/mlir/lite/schema (``TFL3``); numpy.lib.format;
the specification of git LFS's pointers.
"""

from __future__ import annotations

import mmap
import pickle
import pickletools
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from slipway.signature import wire

HEAD = 4096  # bytes of a file that are looked at
EXPORT = "export the model to ONNX where it was trained"
DOWNLOAD = "download the file again; the address may need a login"
# what ``formats/kinds`` converts
CONVERT = "slipway new NAME --from FILE converts it"
WITH_CODE = f"{CONVERT}, with --code PYTHON_FILE, which defines the network"
WITH_SAFETENSORS = (
    "load them into the network; torch.export.save(…, 'model.pt2'), then convert that"
)
OLD_XGBOOST = "load it in the version that wrote it, and save_model('model.ubj')"
LFS = "git lfs pull"
TORCH_SAVE = "weights of torch.save, without a graph"
# UBJSON's object whose first key, after its length in one of three forms, is "learner"
UBJSON = re.compile(rb"\{(L.{7}|l.{3}|I.|[iU])\x07learner", re.DOTALL)


@dataclass(frozen=True)
class Format:
    """A format: its name for a sentence, and what to do with a file of it.

    ``is_placeholder``: the file holds no weights at all, but says where they are, or why not.
    """

    name: str
    fix: str
    is_placeholder: bool = False


# of a file's first bytes, from the given offset on
MAGIC: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"GGUF", Format("GGUF weights, as llama.cpp reads", EXPORT)),
    (0, b"\x89HDF\r\n\x1a\n", Format("an HDF5 file, such as Keras writes", CONVERT)),
    (
        4,
        b"TFL3",
        Format("a TensorFlow Lite model", "python -m tf2onnx.convert --tflite FILE --output …"),
    ),
    (0, b"CBM1", Format("a CatBoost model", CONVERT)),
    (0, b"tree\nversion=", Format("a LightGBM model", CONVERT)),
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", Format(TORCH_SAVE, WITH_CODE)),
    (0, b"binf", Format("an XGBoost model in its old binary format", OLD_XGBOOST)),
    (0, b"ptrt", Format("a TensorRT engine", CONVERT)),
    (0, b"ftrt", Format("a TensorRT engine", CONVERT)),
    (0, b"\x93NUMPY", Format("a numpy array", EXPORT)),
    (0, b"PAR1", Format("a Parquet table", "name the weights instead of the data")),
    (0, b"SQLite format 3\0", Format("an SQLite database", "name the weights")),
    (0, b"\x7fELF", Format("a native library or program", "name the weights")),
    (0, b"\x1f\x8b", Format("a gzip file", "unpack it, then name the weights in it")),
    (0, b"\x28\xb5\x2f\xfd", Format("a Zstandard file", "unpack it, then name the weights in it")),
    (0, b"BZh", Format("a bzip2 file", "unpack it, then name the weights in it")),
    (0, b"\xfd7zXZ\0", Format("an xz file", "unpack it, then name the weights in it")),
    (257, b"ustar", Format("a tar archive", "unpack it, then name the weights in it")),
)
# of text, without leading white space
TEXT: tuple[tuple[str, Format], ...] = (
    (r"version https://(git-lfs|hawser)\b", Format("a pointer of git LFS", LFS, True)),
    (
        r"(wdir:.*\n)?outs:\s*\n\s*- ",
        Format("a pointer of DVC", "slipway weights pull; the pointer is named FILE.dvc", True),
    ),
    (
        r"(?i)(<!doctype html|<html|<head|<!--.*-->\s*<html)",
        Format("a web page, not the file behind it", DOWNLOAD, True),
    ),
    (r"(<\?xml[^>]*>\s*)?<Error>", Format("an error message of S3", DOWNLOAD, True)),
    (r"(<\?xml[^>]*>\s*)?<PMML\b", Format("a PMML model", CONVERT)),
    (
        r"(<\?xml[^>]*>\s*)?<net\b",
        Format("an OpenVINO model", CONVERT),
    ),
    (r'\{\s*"learner"\s*:', Format("an XGBoost model in JSON", CONVERT)),
    (
        r'\{\s*"name"\s*:\s*"tree"',
        Format("a LightGBM model in JSON", "save it as text: save_model"),
    ),
    (
        r'\{[^\0]*"oblivious_trees"',
        Format("a CatBoost model in JSON", "save it as .cbm: save_model"),
    ),
    (r"ir_version:|graph \{", Format("ONNX in text form", "save it with onnx.save")),
)
# of the names in a zip archive
MEMBERS: tuple[tuple[str, Format], ...] = (
    (
        r"(^|/)models/.*\.json$|serialized_exported_program",
        Format("a PyTorch program (.pt2)", CONVERT),
    ),
    (
        r"(^|/)code/.*\.py$|(^|/)constants\.pkl$",
        Format("a TorchScript model", CONVERT),
    ),
    (r"(^|/)data\.pkl$", Format(TORCH_SAVE, WITH_CODE)),
    (r"^model\.weights\.h5$", Format("a Keras model", CONVERT)),
    (r"^schema\.json$", Format("a skops file", CONVERT)),
    (r"\.npy$", Format("numpy arrays (.npz)", EXPORT)),
    (r"coremldata|\.mlmodel$", Format("a Core ML package", EXPORT)),
    (r"\.onnx$", Format("a zip archive with an ONNX file", "unpack it, then name that file")),
)
SAVED_MODEL = Format("a TensorFlow SavedModel", CONVERT)
# of a folder, by a file in it
FOLDERS: tuple[tuple[str, Format], ...] = (
    ("saved_model.pb", SAVED_MODEL),
    ("saved_model.pbtxt", SAVED_MODEL),
    ("MLmodel", Format("an MLflow model", f"{EXPORT}; the weights are below data/ or model.*")),
    ("Manifest.json", Format("a Core ML package", EXPORT)),
    ("checkpoint", Format("checkpoints of a TensorFlow training", f"{EXPORT}: tf2onnx.convert")),
    ("adapter_config.json", Format("an adapter (LoRA) of a language model", f"merge it; {EXPORT}")),
    ("config.json", Format("a Hugging Face model", "optimum-cli export onnx --model FOLDER OUT")),
    ("config.cfg", Format("a spaCy pipeline", "load it in a model.py")),
    ("config.pbtxt", Format("a Triton model", "name the graph in its version directory")),
)
ONNX_FOLDER = "a folder with an ONNX file"
JOBLIB = (b"joblib", b"NumpyArrayWrapper")
NEWEST_ONNX_FIELD = (
    100  # onnx.proto's ModelProto ends at 25; Core ML's kinds of models begin at 200
)


def recognize_format(path: Path) -> Format | None:
    """Return the format of the file or folder ``path``, ``None`` if it is not a known one."""
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return Format("an empty file", DOWNLOAD, True)
    for offset, magic, known in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return known
    if UBJSON.match(head):
        return Format("an XGBoost model in UBJSON", CONVERT)
    if zipfile.is_zipfile(path):
        return _archive(path)
    return _safetensors(head) or _pickle(head) or _text(head) or _core_ml(path)


def _folder(path: Path) -> Format | None:
    for name, known in FOLDERS:
        if (path / name).is_file():
            return known
    graphs = sorted(path.glob("*.onnx"))
    if graphs:
        return Format(ONNX_FOLDER, f"name the file: {graphs[0]}")
    return None


def _archive(path: Path) -> Format:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    for pattern, known in MEMBERS:
        if any(re.search(pattern, name) for name in names):
            return known
    return Format("a zip archive", "unpack it, then name the weights in it")


def _safetensors(head: bytes) -> Format | None:
    """A header of JSON follows its length, in 8 bytes."""
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000:
        return Format("safetensors: weights without a graph", WITH_SAFETENSORS)
    return None


def _pickle(head: bytes) -> Format | None:
    """Protocols from 2 on begin with the opcode PROTO."""
    if head[0] == 0x78:  # zlib, as joblib compresses
        try:
            head = zlib.decompressobj().decompress(head)
        except zlib.error:
            return None
    if not (head[:1] == b"\x80" and head[1] in range(2, 6) or _is_old_pickle(head)):
        return None
    if any(word in head for word in JOBLIB):
        return Format("a Python object of joblib", CONVERT)
    torch = b"torch" in head
    name = "a pickle of PyTorch" if torch else "a pickle: a Python object"
    return Format(name, WITH_CODE if torch else CONVERT)


def _is_old_pickle(head: bytes) -> bool:
    """A pickle of protocol 0 or 1 has no first byte of its own; a small one is read to its end."""
    if not head.endswith(pickle.STOP):
        return False
    try:
        return all(opcode is not None for opcode, *_ in pickletools.genops(head))
    except ValueError:
        return False


def _text(head: bytes) -> Format | None:
    try:
        text = head.decode().lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode().lstrip("\ufeff \t\r\n")
    for pattern, known in TEXT:
        if re.match(pattern, text):
            return known
    printable = all(character.isprintable() or character in "\t\r\n" for character in text)
    return Format("a text file", EXPORT) if printable and text else None


def _core_ml(path: Path) -> Format | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            numbers = [number for number, *_ in wire.fields(data, 0, len(data))]
        except wire.MalformedError:
            return None
    is_core_ml = any(number > NEWEST_ONNX_FIELD for number in numbers)
    return Format("a Core ML model", EXPORT) if is_core_ml else None
