"""What the rules look at: a model folder as it lies there, however broken, read once."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit, Place
from slipway.model.folder import ENSEMBLE, VERSION_FILE
from slipway.settings import Settings
from slipway.triton import config
from slipway.triton.config import ModelConfig
from slipway.triton.pbtxt import FieldPath, Fields, Step

# `platform` for `backend`, as older configs say it (Triton, model_config_utils.cc and backend_config.cc)
PLATFORMS = {
    "tensorrt_plan": "tensorrt",
    "tensorflow_graphdef": "tensorflow",
    "tensorflow_savedmodel": "tensorflow",
    "onnxruntime_onnx": "onnxruntime",
    "pytorch_libtorch": "pytorch",
}


class Config:
    """One ``config.pbtxt``: its text, the places of its fields, and its message if it parses.

    ``message`` is there in spite of unknown fields, and ``None`` where ``problem`` says why.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.directory = path.parent
        self.problem: tuple[int, int, str] | None = None
        self.message: ModelConfig | None = None
        try:
            self.text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            self.text = ""
            self.problem = (0, 0, f"not UTF-8 text: {error.reason} at byte {error.start}")
        self.fields = Fields(self.text, config.schema().ModelConfig.DESCRIPTOR)
        if self.problem is None:
            self._parse()

    @property
    def name(self) -> str:
        """The model's name: its directory's."""
        return self.directory.name

    @property
    def is_ensemble(self) -> bool:
        """Whether it is meant to be one, in whatever spelling."""
        message = self.message
        return message is not None and (
            message.platform == ENSEMBLE or message.HasField("ensemble_scheduling")
        )

    @property
    def backend(self) -> str:
        """The backend that serves it; empty where none is named, and for an ensemble."""
        if self.message is None or self.message.platform == ENSEMBLE:
            return ""
        return str(self.message.backend or PLATFORMS.get(self.message.platform, ""))

    @property
    def versions(self) -> list[Path]:
        """The numeric version directories, in their order."""
        found = [
            path
            for path in self.directory.iterdir()
            if path.is_dir() and path.name.isascii() and path.name.isdigit()
        ]
        return sorted(found, key=lambda path: int(path.name))

    def place(self, *path: Step) -> Place:
        """Where a field's name stands, or that of the nearest field around it, or the file."""
        span = self.fields.span(path)
        if span is None:
            return Place(self.path, 1, 1)
        return Place(self.path, *self.fields.position(span.start))

    def value_place(self, *path: Step) -> Place:
        """Where a field's value stands, else as :meth:`place`."""
        span = self.fields.spans.get(path)
        if span is None:
            return self.place(*path)
        return Place(self.path, *self.fields.position(span.value))

    def replaced(self, path: FieldPath, text: str) -> Edit:
        """The edit that puts ``text`` in the place of a whole field, which must be there."""
        span = self.fields.spans[path]
        return Edit(self.path, span.start, span.end, text)

    def added(self, text: str) -> Edit:
        """The edit that appends a field to the file."""
        end = len(self.text)
        return Edit(self.path, end, end, text if self.text.endswith("\n") else f"\n{text}")

    def _parse(self) -> None:
        message = config.schema().ModelConfig()
        try:
            text_format.Parse(self.text, message, allow_unknown_field=bool(self.fields.unknown))
        except text_format.ParseError as error:
            line, column = error.GetLine() or 0, error.GetColumn() or 0
            said = str(error).removeprefix(f"{line}:{column} : ").replace("\n", " ")
            self.problem = (line, column, said)
            return
        self.message = message


@dataclass(frozen=True)
class Module:
    """One Python file of a model; ``tree`` is ``None`` where ``problem`` says why."""

    path: Path
    text: str
    tree: ast.Module | None
    problem: tuple[int, int, str] | None


class Repository:
    """All the model folders of a checkout, for what must be unique among them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def folders(self) -> list[Path]:
        """The model folders: what lies in ``models/`` and has a release version or a config."""
        marks = (VERSION_FILE, *(f"{depth}{config.FILE_NAME}" for depth in ("", "*/", "*/*/")))
        return [
            folder
            for folder in sorted((self.settings.root / "models").glob("*/"))
            if any(next(folder.glob(mark), None) for mark in marks)
        ]

    @cached_property
    def owners(self) -> Mapping[str, list[Path]]:
        """The Triton model directories of the whole checkout, by their names."""
        found: dict[str, list[Path]] = {}
        for path in sorted((self.settings.root / "models").glob(f"*/*/{config.FILE_NAME}")):
            found.setdefault(path.parent.name, []).append(path.parent)
        return found


class Subject:
    """One model folder under check."""

    # whether it is no more than one config
    lone = False

    def __init__(self, folder: Path, repository: Repository) -> None:
        self.folder = folder
        self.name = folder.resolve().name
        self.repository = repository
        self.settings = repository.settings

    @cached_property
    def configs(self) -> dict[str, Config]:
        """Its configs by their directories' names, sorted."""
        paths = sorted(self.folder.glob(f"*/{config.FILE_NAME}"))
        return {path.parent.name: Config(path) for path in paths}

    @cached_property
    def parsed(self) -> dict[str, tuple[Config, ModelConfig]]:
        """Of these, the ones that parse, with their messages."""
        return {
            name: (read, read.message)
            for name, read in self.configs.items()
            if read.message is not None
        }

    @property
    def ensembles(self) -> list[Config]:
        """The configs meant to be ensembles."""
        return [read for read in self.configs.values() if read.is_ensemble]

    @property
    def served(self) -> Config | None:
        """The only ensemble, or the only model; ``None`` where that is not clear."""
        if len(self.ensembles) == 1:
            return self.ensembles[0]
        return next(iter(self.configs.values())) if len(self.configs) == 1 else None

    @property
    def version_file(self) -> Path:
        """The file that holds the release version."""
        return self.folder / VERSION_FILE

    @property
    def requirements(self) -> Path:
        """What the Python models need."""
        return self.folder / "requirements.txt"

    @property
    def lock(self) -> Path:
        """The same, pinned and hashed."""
        return self.folder / "requirements.lock"

    @cached_property
    def modules(self) -> dict[str, list[Module]]:
        """The Python files of each model of the Python backend, by the model's name."""
        return {
            name: [_module(path) for path in sorted(read.directory.rglob("*.py"))]
            for name, read in self.configs.items()
            if read.backend == "python"
        }

    def files(self) -> Iterator[Path]:
        """Every file and link of the model directories; hidden ones and caches are left out."""
        yield from self._files

    @cached_property
    def _files(self) -> list[Path]:
        return [path for read in self.configs.values() for path in sorted(_below(read.directory))]


class Lone(Subject):
    """One config alone, under any file name; nothing that belongs beside it is looked for."""

    lone = True

    def __init__(self, path: Path, repository: Repository) -> None:
        super().__init__(path.parent, repository)
        self.path = path

    @cached_property
    def configs(self) -> dict[str, Config]:
        """The one config."""
        return {self.path.parent.name: Config(self.path)}

    def files(self) -> Iterator[Path]:
        """The one file."""
        yield self.path


def _below(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if not path.name.startswith(".") and path.name != "__pycache__":
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from _below(path)


def _module(path: Path) -> Module:
    try:
        text = path.read_text(encoding="utf-8")
        return Module(path, text, ast.parse(text, filename=str(path)), None)
    except UnicodeDecodeError as error:
        return Module(path, "", None, (0, 0, f"not UTF-8 text: {error.reason}"))
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", 0) or 0, getattr(error, "offset", 0) or 0
        return Module(path, "", None, (line, column, getattr(error, "msg", None) or str(error)))
