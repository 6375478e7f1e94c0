"""One ``config.pbtxt`` of a model under check, parsed once, with the locations of its fields."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit, Location
from slipway.check.unfilled import Template, find_templates
from slipway.model.folder import ENSEMBLE
from slipway.triton.config import ModelConfig, schema
from slipway.triton.pbtxt import FieldPath, Fields, Step
from slipway.triton.plain_config import read_plain

# values of `platform`, which older configs have in place of `backend`
# (Triton core, model_config_utils.cc and backend_config.cc)
PLATFORMS = {
    "tensorrt_plan": "tensorrt",
    "tensorflow_graphdef": "tensorflow",
    "tensorflow_savedmodel": "tensorflow",
    "onnxruntime_onnx": "onnxruntime",
    "pytorch_libtorch": "pytorch",
}
# what makes a text an ensemble's where it does not parse
ENSEMBLE_TEXT = re.compile(r"""\bensemble_scheduling\b|\bplatform\s*:\s*["']ensemble["']""")


class ConfigFile:
    """One ``config.pbtxt``: its text, the locations of its fields, and its message if it parses.

    ``message`` is set even if there are unknown fields. It is ``None`` where ``problem`` holds the
    line, the column and the reason. A caller that has parsed the file already passes the message.
    """

    def __init__(self, path: Path, message: ModelConfig | None = None) -> None:
        self.path = path
        self.directory = path.parent
        self.problem: tuple[int, int, str] | None = None
        self.message = message
        try:
            self.text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            self.text = ""
            self.problem = (0, 0, f"not UTF-8 text: {error.reason} at byte {error.start}")
        except OSError as error:
            self.text = ""
            self.problem = (0, 0, f"it cannot be read: {error.strerror}")
        self.fields = Fields(self.text, schema().ModelConfig.DESCRIPTOR)
        if self.problem is None and message is None:
            self._parse()

    @property
    def name(self) -> str:
        """Return the model's name, which is its directory's."""
        return self.directory.name

    @property
    def is_ensemble(self) -> bool:
        """Return whether this is meant to be an ensemble, however its platform is spelled."""
        message = self.message
        if message is None and self.path.is_file():
            # also of a text that is not UTF-8
            text = self.text or self.path.read_text(encoding="utf-8", errors="replace")
            return ENSEMBLE_TEXT.search(text) is not None
        if message is None:
            return False
        return bool(message.platform == ENSEMBLE or message.HasField("ensemble_scheduling"))

    @cached_property
    def templates(self) -> list[Template]:
        """Return what a program should have filled in, without comments, in its order."""
        return find_templates(self.text)

    @property
    def backend(self) -> str:
        """Return the backend that serves the model; empty if none is named, or for an ensemble."""
        if self.message is None or self.message.platform == ENSEMBLE:
            return ""
        return str(self.message.backend or PLATFORMS.get(self.message.platform, ""))

    @property
    def has_own_library(self) -> bool:
        """Return whether the model directory holds the backend's library, or that of
        ``runtime``."""
        message = self.message
        name = message.backend if message is not None else ""
        library = (message.runtime if message is not None else "") or f"libtriton_{name}.so"
        return any(
            os.path.isfile(f"{folder}/{library}") for folder in (self.directory, *self.versions)
        )

    @cached_property
    def versions(self) -> list[Path]:
        """Return the numeric version directories in ascending order."""
        numeric = [
            path
            for path in self.directory.iterdir()
            if path.is_dir() and path.name.isascii() and path.name.isdigit()
        ]
        return sorted(numeric, key=lambda path: int(path.name))

    def location(self, *path: Step) -> Location:
        """Return where a field's name is, or that of the nearest enclosing field, or the file."""
        span = self.fields.span(path)
        if span is None:
            return Location(self.path, 1, 1)
        return Location(self.path, *self.fields.position(span.start))

    def value_location(self, *path: Step) -> Location:
        """Return where a field's value is; without a value, the same as :meth:`location`."""
        span = self.fields.spans.get(path)
        if span is None:
            return self.location(*path)
        return Location(self.path, *self.fields.position(span.value))

    def replace_field(self, path: FieldPath, text: str) -> Edit:
        """Return the edit that replaces a field, name and value, which must be set, by ``text``."""
        span = self.fields.spans[path]
        return Edit(self.path, span.start, span.end, text)

    def remove_field(self, path: FieldPath) -> tuple[Edit, ...]:
        """Return the edit that removes a field and its line; empty if it is one of a list."""
        span = self.fields.spans[path]
        before = self.text[span.start : span.value]
        if not before[:1].isalpha() or "[" in before:
            return ()
        start, end = span.start, span.end
        line = self.text.rfind("\n", 0, start) + 1
        rest = self.text.find("\n", end)
        rest = len(self.text) if rest < 0 else rest + 1
        if not self.text[line:start].strip() and not self.text[end:rest].strip():
            start, end = line, rest
        return (Edit(self.path, start, end, ""),)

    def append_field(self, text: str) -> Edit:
        """Return the edit that appends a field to the file."""
        end = len(self.text)
        return Edit(self.path, end, end, text if self.text.endswith("\n") else f"\n{text}")

    def _parse(self) -> None:
        message = schema().ModelConfig()
        if read_plain(self.fields.tokens, message):
            self.message = message
            return
        message.Clear()
        try:
            text_format.Parse(self.text, message, allow_unknown_field=bool(self.fields.unknown))
        except text_format.ParseError as error:
            line, column = error.GetLine() or 0, error.GetColumn() or 0
            reason = str(error).removeprefix(f"{line}:{column} : ").replace("\n", " ")
            self.problem = (line, column, reason)
            return
        self.message = message
