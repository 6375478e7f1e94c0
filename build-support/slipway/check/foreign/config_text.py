"""Read a foreign ``config.pbtxt``, also one whose templates are not filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from slipway.check.config_file import PLATFORMS
from slipway.model.folder import ENSEMBLE
from slipway.triton.config import ModelConfig, schema
from slipway.triton.pbtxt import FieldPath, Fields

# strings and comments are matched first: templates in them do not hinder the parser
TEMPLATE = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*)
    |(?P<statement>\{%.*?%\})|(?P<value>\$\{[^}\n]*\}|\{\{.*?\}\}|<%.*?%>)""",
    re.VERBOSE | re.DOTALL,
)
UNFILLED = re.compile(r"\$\{([^}\n]*)\}|\{\{(.*?)\}\}|<%=?(.*?)%>", re.DOTALL)
ENVIRONMENT = "EXECUTION_ENV_PATH"


@dataclass(frozen=True)
class ConfigText:
    """The text of a config; ``message`` is what can be read of it, without its templates' values.

    A template outside of strings is read as the number 1, at the same offsets.
    """

    path: Path
    text: str
    exact: bool = True

    @cached_property
    def readable(self) -> str:
        """Return the text with templates replaced, as long as the original."""
        return TEMPLATE.sub(_replace, self.text)

    @cached_property
    def fields(self) -> Fields:
        """Return the positions of the fields, which are valid in ``text`` as well."""
        return Fields(self.readable, schema().ModelConfig.DESCRIPTOR)

    @cached_property
    def message(self) -> ModelConfig:
        """Return the parsed config; an empty one if it cannot be parsed."""
        message = schema().ModelConfig()
        try:
            text_format.Parse(self.readable, message, allow_unknown_field=True)
        except text_format.ParseError:
            return schema().ModelConfig()
        return message

    @property
    def templates(self) -> dict[str, int]:
        """Return the offset of each template that is not filled in, also of those in strings."""
        spans = [(c.start, c.end) for c in self.fields.comments]
        found: dict[str, int] = {}
        for match in UNFILLED.finditer(self.text):
            if not any(start <= match.start() < end for start, end in spans):
                found.setdefault(match[0], match.start())
        return found

    @property
    def is_ensemble(self) -> bool:
        """Return whether it is meant to be an ensemble."""
        has_steps = bool(self.message.HasField("ensemble_scheduling"))
        return has_steps or str(self.message.platform) == ENSEMBLE

    @property
    def backend(self) -> str:
        """Return the backend's name; empty if none is named, or for an ensemble."""
        if self.is_ensemble:
            return ""
        return str(self.message.backend or PLATFORMS.get(self.message.platform, ""))

    @property
    def environment(self) -> str:
        """Return the value of ``EXECUTION_ENV_PATH``; empty without one."""
        parameters: Any = self.message.parameters
        return str(parameters[ENVIRONMENT].string_value) if ENVIRONMENT in parameters else ""

    def string(self, path: FieldPath) -> str:
        """Return a field's string as it is written, without its quotes."""
        span = self.fields.spans.get(path)
        return "" if span is None else self.text[span.value : span.end].strip("\"'")


def read_config(path: Path, values: Mapping[str, str]) -> ConfigText:
    """Return the config in ``path``, its templates filled with ``values`` as far as these go.

    Line ends stay as they are. Bytes that are not UTF-8 are replaced, and the text is then not
    ``exact``.
    """

    def fill(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None).strip()
        return values.get(name, match[0])

    content = path.read_bytes()
    text = content.decode(errors="replace")
    exact = text.encode() == content
    return ConfigText(path, UNFILLED.sub(fill, text) if values else text, exact)


def _replace(match: re.Match[str]) -> str:
    if match["text"] is not None:
        return match[0]
    first = "1" if match["value"] is not None else " "
    # line ends are kept, so that lines and offsets are those of the text
    return first + "".join("\n" if character == "\n" else " " for character in match[0][1:])
