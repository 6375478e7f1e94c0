"""Decide for each file of a Triton model directory: copied, tracked by DVC, or left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from slipway.adopt.environments import is_environment, named_environment
from slipway.check.foreign.discover import SourceModel
from slipway.check.model_files import FOREST_NAMES, NAMES, POINTER, chosen_versions
from slipway.check.python.code import UTILS
from slipway.model.folder import SIGNATURE
from slipway.signature.formats import recognize_format
from slipway.triton.config import FILE_NAME

Use = Literal["copied", "tracked", "pointer", "config", "missing", "left out"]
MODEL_FILE = "model.py"
# larger files are no code, and git is slow with them
LARGEST_IN_GIT = 5 << 20
LARGEST_BINARY_IN_GIT = 256 << 10
HEAD = 8192  # bytes in which a NUL shows that a file is binary
WEIGHTS = tuple(
    ".onnx .pt .pt2 .pth .plan .engine .trt .bin .safetensors .h5 .hdf5 .keras .npz .npy .pkl"
    " .pickle .joblib .dill .ckpt .pb .graphdef .tflite .gguf .tl .ubj .cbm .data .onnx_data"
    " .mar .msgpack .spm .dali .weights .params .torchscript .ot".split()
)
SAVED = ("saved_model.pb", "saved_model.pbtxt")  # of a folder that is loaded as one
DESCRIPTIONS = ("readme", "license", "dockerfile", "makefile", "requirements", "environment.y")
DESCRIPTION_SUFFIXES = (".md", ".ipynb", ".sh", ".rst", ".log")
ENVIRONMENT = "an execution environment: Slipway builds one"
STUB = "triton_python_backend_stub"
OWN_BACKENDS = {"python", "ensemble", ""}


@dataclass(frozen=True)
class SourceFile:
    """One file of the source, or a folder of weights, and what becomes of it.

    ``target`` is its path below the model's new directory, ``reason`` why it is left out or
    missing, ``size`` its bytes.
    """

    path: Path
    use: Use
    target: PurePosixPath
    reason: str = ""
    size: int = 0


def model_files(model: SourceModel, root: Path) -> list[SourceFile]:
    """Return what becomes of every file of a model; links may lead to files below ``root``."""
    return list(_Reader(model, root.resolve()).read())


class _Reader:
    def __init__(self, model: SourceModel, root: Path) -> None:
        self.model = model
        self.root = root
        self.environment = named_environment(model)
        self.chosen = set(chosen_versions(model.message, model.versions))

    def read(self) -> Iterator[SourceFile]:
        if self.model.is_ensemble:
            yield from self._ensemble()
            return
        yield from self._folder(self.model.directory)

    def _ensemble(self) -> Iterator[SourceFile]:
        """Yield an ensemble's config; nothing else of it is ever read."""
        for path in sorted(self.model.directory.rglob("*")):
            if path.is_file() and not _is_hidden(path.name):
                if self._is_config(path):
                    yield self._file(path, "config")
                elif path.stat().st_size:
                    yield self._file(path, "left out", "an ensemble has no files")

    def _folder(self, folder: Path) -> Iterator[SourceFile]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = Path(entry.path)
            if _is_hidden(entry.name):
                continue
            if entry.is_symlink():
                yield from self._link(path)
            elif entry.is_dir():
                yield from self._directory(path)
            elif not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                yield self._file(path, "left out", "no regular file")
            else:
                yield self._regular(path)

    def _directory(self, path: Path) -> Iterator[SourceFile]:
        version = path.parent == self.model.directory and path.name.isdigit()
        if version and int(path.name) not in self.chosen:
            kept = ", ".join(map(str, sorted(self.chosen)))
            yield self._file(path, "left out", f"the server loads version {kept} alone")
        elif path.resolve() == self.environment or is_environment(path):
            yield self._file(path, "left out", ENVIRONMENT)
        elif path.parent == self.model.directory and path.name == "configs":
            yield self._file(path, "left out", "other configs, which an endpoint never chooses")
        elif self._is_one_model(path):
            yield self._file(path, "tracked")
        else:
            yield from self._folder(path)

    def _link(self, path: Path) -> Iterator[SourceFile]:
        if not path.exists():
            yield self._file(path, "missing", f"a link to {path.readlink()}, which is not here")
        elif not path.resolve().is_relative_to(self.root):
            yield self._file(
                path, "missing", f"a link to {path.readlink()}, outside of what is adopted"
            )
        elif path.is_dir():
            inside = self.model.directory.resolve()
            if path.resolve() in (inside, *inside.parents) or not path.name.isdigit():
                yield self._file(path, "left out", f"a link to the folder {path.readlink()}")
            else:
                yield from self._directory(path)
        else:
            yield self._regular(path)

    def _regular(self, path: Path) -> SourceFile:
        name = path.name
        if self._is_config(path):
            return self._file(path, "config")
        if path.suffix == ".pbtxt":
            return self._file(path, "left out", "another config, which the server does not read")
        if path.resolve() == self.environment or is_environment(path):
            return self._file(path, "left out", ENVIRONMENT)
        if name == STUB:
            return self._file(path, "left out", "a stub for another Python than the image's")
        if name == f"{UTILS}.py":
            return self._file(path, "left out", "a copy of a module that the server brings")
        if path.suffix == POINTER:
            return self._file(path, "pointer")
        if name.endswith((".pyc", SIGNATURE)):
            return self._file(path, "left out", "written by Python or Slipway")
        if name.lower().startswith(DESCRIPTIONS) or path.suffix.lower() in DESCRIPTION_SUFFIXES:
            return self._file(path, "left out", "no model reads it")
        if path.with_name(name + POINTER).exists():
            return self._file(path, "tracked")
        placeholder = recognize_format(path) if 0 < path.stat().st_size < HEAD else None
        if placeholder is not None and placeholder.is_placeholder:
            return self._file(path, "missing", f"{placeholder.name}, not the file itself")
        return self._file(path, "tracked" if self._is_weights(path) else "copied")

    def _is_config(self, path: Path) -> bool:
        config = self.model.config
        return config is not None and path == config.path

    def _is_weights(self, path: Path) -> bool:
        size = path.stat().st_size
        if path.suffix.lower() in WEIGHTS or size > LARGEST_IN_GIT:
            return True
        backend = self.model.backend
        if backend not in OWN_BACKENDS and path.name in (
            *(name for name in NAMES.get(backend, ()) if not name.endswith((".py", ".json"))),
            *(FOREST_NAMES.values() if backend == "fil" else ()),
            self.model.message.default_model_filename,
        ):
            return True
        return size > LARGEST_BINARY_IN_GIT and _is_binary(path)

    def _is_one_model(self, path: Path) -> bool:
        """Return whether a folder is weights that are loaded, and tracked, as one."""
        name = self.model.message.default_model_filename or "model.onnx"
        onnx = self.model.backend == "onnxruntime" and path.name == name
        return onnx or any((path / saved).is_file() for saved in SAVED)

    def _file(self, path: Path, use: Use, reason: str = "") -> SourceFile:
        return SourceFile(path, use, self._target(path, use), reason, _size(path))

    def _target(self, path: Path, use: Use) -> PurePosixPath:
        """Return a file's place; what lies outside of any version directory may belong in one."""
        if use == "config":
            return PurePosixPath(FILE_NAME)
        relative = PurePosixPath(path.relative_to(self.model.directory).as_posix())
        if use == "left out" or len(relative.parts) > 1:
            return relative
        version = str(max(self.chosen, default=1))
        name = relative.name.removesuffix(POINTER)
        expected = self.model.message.default_model_filename
        opened = name in (MODEL_FILE, expected, *NAMES.get(self.model.backend, ()))
        in_version = self.model.directory / version / relative.name
        if opened and not in_version.exists():
            return PurePosixPath(version) / relative
        return relative


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(HEAD)


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
