"""Read a config in protobuf's text format quickly, if it has nothing but the usual.

protobuf's own parser is written in Python, and slow. What is read here it reads alike: anything
else, such as a mistake, an escape in a string or a field that is set twice, is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from slipway.triton.field_kinds import FieldKind, field_kinds
from slipway.triton.pbtxt import Token

type Message = Any

INTEGERS = {
    FieldDescriptor.TYPE_INT32,
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT32,
    FieldDescriptor.TYPE_UINT64,
}
FLOATS = {FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
STRING = re.compile(r"\"[ !#-\[\]-~]*\"|'[ -&(-\[\]-~]*'")  # of ASCII, without escapes
BOOLEANS = {"true": True, "false": False}
END = Token("mark", "", 0, 0)


class _Unusual(Exception):  # no error: protobuf's parser decides
    """Raised for what is not read here."""


def read_plain(tokens: Sequence[Token], message: Message) -> bool:
    """Read the tokens of a text, without comments, into an empty message.

    Return False where protobuf's parser has to read the text, into a new message.
    """
    try:
        _Reader([*tokens, END]).read_into(message, "")
    except (_Unusual, ValueError):  # a number out of the type's range
        return False
    return True


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def read_into(self, message: Message, closing: str) -> None:
        """Read the fields of a message, and the token that closes it."""
        fields = field_kinds(message.DESCRIPTOR)
        already: set[str] = set()
        while (name := self._next().text) != closing:
            field = fields.get(name)
            if field is None:
                raise _Unusual
            if not field.is_repeated:
                if field.group in already:
                    raise _Unusual
                already.add(field.group)
            if not self._skip(":") and field.message_type is None:
                raise _Unusual
            if not (field.is_repeated and self._skip("[")):
                self._read_value(message, field)
            elif not self._skip("]"):
                self._read_value(message, field)
                while self._skip(","):
                    self._read_value(message, field)
                self._expect("]")
            if not self._skip(","):
                self._skip(";")

    def _read_value(self, message: Message, field: FieldKind) -> None:
        if field.message_type is None:
            value = self._scalar(field)
            if field.is_repeated:
                getattr(message, field.name).append(value)
            else:
                setattr(message, field.name, value)
            return
        self._expect("{")
        place = getattr(message, field.name)
        if field.is_map:
            self._read_entry(place)
        elif field.is_repeated:
            self.read_into(place.add(), "}")
        else:
            place.SetInParent()
            self.read_into(place, "}")

    def _read_entry(self, entries: Any) -> None:
        entry = entries.GetEntryClass()()
        self.read_into(entry, "}")
        if field_kinds(entry.DESCRIPTOR)["value"].message_type is None:
            entries[entry.key] = entry.value
        else:
            entries[entry.key].CopyFrom(entry.value)

    def _scalar(self, field: FieldKind) -> str | int | float | bool:
        text = self._next().text
        if field.type == FieldDescriptor.TYPE_STRING:
            if STRING.fullmatch(text) and self._tokens[self._at].kind != "string":
                return text[1:-1]
        elif field.type == FieldDescriptor.TYPE_ENUM:
            value = field.enum_type.values_by_name.get(text)
            if value is not None:
                return int(value.number)
        elif field.type == FieldDescriptor.TYPE_BOOL:
            if text in BOOLEANS:
                return BOOLEANS[text]
        elif field.type in FLOATS:
            if NUMBER.fullmatch(text):
                return float(text)
        elif field.type in INTEGERS and INTEGER.fullmatch(text):
            return int(text)
        raise _Unusual

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise _Unusual

    def _skip(self, mark: str) -> bool:
        is_next = self._tokens[self._at].text == mark
        self._at += is_next
        return is_next
