"""Edits of a text file: whether they may be made, and what results."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf import text_format

from slipway.check.finding import Edit
from slipway.triton.config import FILE_NAME, schema


def objection(file: Path, edits: Iterable[Edit]) -> str | None:
    """Return why these edits of a file must not be made, or ``None``."""
    if file.is_symlink():
        return f"{file} is a link"
    text, newline = read_text(file)
    if newline is None:
        return f"{file} mixes line ends"
    if file.suffix == Path(FILE_NAME).suffix:
        try:
            message = schema().ModelConfig()
            text_format.Parse(edited(text, edits), message, allow_unknown_field=True)
        except text_format.ParseError as error:
            reason = str(error).replace("\n", " ")
            return f"{file} would not parse: {reason}"
    if file.suffix == ".py":
        try:
            ast.parse(edited(text, edits))
        except SyntaxError as error:
            return f"{file} would not parse: {error}"
    return None


def overlap(edits: Iterable[Edit]) -> bool:
    """Return whether two edits of one file touch the same characters."""
    previous = Edit(Path(), -1, -1, "")
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        # several lines may be inserted at one position, one after the other
        lines = previous.start == edit.start == edit.end and previous.text.endswith("\n")
        if edit.start < previous.end or (edit.start == previous.start and not lines):
            return True
        previous = edit
    return False


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text after its edits."""
    pieces = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def read_text(file: Path) -> tuple[str, str | None]:
    """Return a file's text and its line ending, which is ``None`` if it has several kinds."""
    with file.open(encoding="utf-8") as stream:
        text = stream.read()
        newlines = stream.newlines
    return text, None if isinstance(newlines, tuple) else newlines or "\n"


def with_newlines(diff: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a diff, with diff's own words where the file does not end in one."""
    for line in diff:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
