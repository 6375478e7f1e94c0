"""Locate the fields of a ``config.pbtxt``: protobuf's own parser keeps no positions.

The grammar: https://protobuf.dev/reference/protobuf/textformat-spec/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from slipway.triton.field_kinds import Descriptor, FieldKind, field_kinds

type Step = str | int
type FieldPath = tuple[Step, ...]

TOKEN = re.compile(
    r"""\s*+(?:(?P<word>[A-Za-z_][\w.\-/+]*|[-+]?\.?[0-9][\w.+-]*|-\s*[A-Za-z]+)
    |(?P<comment>\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<mark>.)|\Z)""",
    re.VERBOSE | re.DOTALL,
)
CLOSING = {"{": "}", "<": ">"}


class Token(NamedTuple):
    """A word, string or mark, or a comment; ``start`` and ``end`` are offsets in the text."""

    kind: str
    text: str
    start: int
    end: int


class Span(NamedTuple):
    """A field from ``start``, its name's first character, to ``end``; its value is at ``value``."""

    start: int
    value: int
    end: int


class UnknownField(NamedTuple):
    """A field that its message does not have; ``known`` are those that it has."""

    name: str
    message: str
    known: tuple[str, ...]
    start: int


class Fields:
    """The positions of all fields of a text; ``tokens`` are its own, without comments.

    A path is made of field names, each repeated field's name followed by an index, each map's by
    the key: ``("ensemble_scheduling", "step", 1, "input_map", "IMAGE")`` spans the entry, and with
    ``"key"`` or ``"value"`` behind it, that field of it.
    """

    def __init__(self, text: str, descriptor: Descriptor) -> None:
        self.text = text
        self.spans: dict[FieldPath, Span] = {}
        self.unknown: list[UnknownField] = []
        tokens = list(tokenise(text))
        self.comments = [token for token in tokens if token.kind == "comment"]
        self.tokens = [token for token in tokens if token.kind != "comment"]
        self._at = 0
        while self._at < len(self.tokens):
            before = self._at
            self._message((), descriptor, None)
            self._at += self._at == before

    def span(self, path: FieldPath) -> Span | None:
        """Return the span of ``path`` or of the nearest field around it; ``None`` if neither
        exists."""
        while path:
            if path in self.spans:
                return self.spans[path]
            path = path[:-1]
        return None

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, from 1."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1

    def _peek(self) -> str:
        return self.tokens[self._at].text if self._at < len(self.tokens) else ""

    def _message(self, path: FieldPath, descriptor: Descriptor, closing: str | None) -> None:
        counts: dict[str, int] = {}
        while self._at < len(self.tokens) and self._peek() != closing:
            token = self.tokens[self._at]
            if token.kind == "mark" and token.text in ",;":
                self._at += 1
                continue
            if token.kind != "word":
                return  # protobuf's parser reports the error
            self._at += 1
            field = None if descriptor is None else field_kinds(descriptor).get(token.text)
            if field is None and descriptor is not None:
                names = tuple(descriptor.fields_by_name)
                self.unknown.append(UnknownField(token.text, descriptor.name, names, token.start))
            self._field(path, token, field, counts)

    def _field(
        self, path: FieldPath, name: Token, field: FieldKind | None, counts: dict[str, int]
    ) -> None:
        if self._peek() == ":":
            self._at += 1
        repeated = field is not None and field.is_repeated
        if self._peek() == "[":
            self._at += 1
            first = True
            if repeated and self._peek() == "]":
                self._record((*path, name.text), name.start, self._at)
            while self._at < len(self.tokens) and self._peek() != "]":
                if self._peek() == ",":
                    self._at += 1
                    continue
                start = name.start if first else self.tokens[self._at].start
                self._value(path, name.text, start, field, counts, repeated)
                first = False
            self._at += 1
        else:
            self._value(path, name.text, name.start, field, counts, repeated)

    def _value(
        self,
        path: FieldPath,
        name: str,
        start: int,
        field: FieldKind | None,
        counts: dict[str, int],
        repeated: bool,
    ) -> None:
        if self._at >= len(self.tokens):
            return
        here: FieldPath = (*path, name)
        if repeated:
            here = (*path, name, counts.get(name, 0))
            counts[name] = counts.get(name, 0) + 1
        at, before = self._at, len(self.spans)
        inner = field.message_type if field is not None else None
        if self._peek() in CLOSING:
            closing = CLOSING[self._peek()]
            self._at += 1
            self._message(here, inner, closing)
            self._at += self._peek() == closing
        else:
            self._at += 1
            # adjacent strings are one value
            while (
                self._at < len(self.tokens)
                and self.tokens[self._at].kind == self.tokens[at].kind == "string"
            ):
                self._at += 1
        self._record(here, start, at)
        if repeated:
            self.spans.setdefault((*path, name), self.spans[here])
        if field is not None and field.is_map:
            self._name_entry(here, before)

    def _record(self, path: FieldPath, start: int, at: int) -> None:
        end = self.tokens[min(self._at, len(self.tokens)) - 1].end
        self.spans[path] = Span(start, self.tokens[at].start, end)

    def _name_entry(self, here: FieldPath, before: int) -> None:
        """Record the spans of a map's entry by its key as well."""
        key = self.spans.get((*here, "key"))
        text = self.text[key.value : key.end] if key is not None else '""'
        named = (*here[:-1], text[1:-1] if text[:1] in "\"'" else text)
        new = list(islice(self.spans, before, None))
        for path in (path for path in new if path[: len(here)] == here):
            self.spans[named + path[len(here) :]] = self.spans[path]


def tokenise(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, with comments, without white space."""
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is not None:  # not the end of the text
            yield Token(kind, match[kind], match.start(kind), match.end())
