"""Templates of configs that no program has filled: ``${name}`` and ``{{ name }}``."""

from __future__ import annotations

import re
from typing import NamedTuple

from slipway.triton.pbtxt import tokenise

# Python's string.Template, as TensorRT-LLM's fill_template.py uses it; Jinja, as Helm and others do
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Za-z_][\w.]*)\}")
STATEMENT = re.compile(r"\{\{-?\s*(?P<name>[^{}\n]+?)\s*-?\}\}|\{%-?\s*(?P<code>[^%\n]+?)\s*-?%\}")
# a chat template is text of Jinja on purpose: in a string, the variable is all of it, or of a path
WHOLE = re.compile(r"[\w./:-]*\{\{-?\s*(?P<name>\.?[A-Za-z_][\w.]*)\s*-?\}\}[\w./:-]*")
MARKS = ("${", "{{", "{%")


class Template(NamedTuple):
    """One place to fill: its text, its variable, its offset, and whether it is in a string."""

    text: str
    name: str
    start: int
    in_string: bool

    @property
    def is_variable(self) -> bool:
        """Return whether it is written as ``${name}``."""
        return self.text.startswith("$")


def find_templates(text: str) -> list[Template]:
    """Return the templates of a config, in their order; those in comments are none."""
    if not any(mark in text for mark in MARKS):
        return []
    found = []
    outside = list(text)
    for token in tokenise(text):
        if token.kind == "string":
            found += _in_string(token.text, token.start)
        if token.kind in ("string", "comment"):
            outside[token.start : token.end] = " " * (token.end - token.start)
    found += _outside("".join(outside))
    return sorted(found, key=lambda template: template.start)


def is_template(value: str) -> bool:
    """Return whether the value of a string was not filled."""
    return any(mark in value for mark in MARKS) and bool(_in_string(value, 0))


def _outside(text: str) -> list[Template]:
    return [
        Template(match[0], match.groupdict().get("code") or match["name"], match.start(), False)
        for pattern in (VARIABLE, STATEMENT)
        for match in pattern.finditer(text)
        if match.groupdict().get("code") or match["name"]
    ]


def _in_string(text: str, start: int) -> list[Template]:
    found = [
        Template(match[0], match["name"], start + match.start(), True)
        for match in VARIABLE.finditer(text)
    ]
    whole = WHOLE.fullmatch(text.strip("\"'"))
    if whole is not None:
        statement = STATEMENT.search(text)
        assert statement is not None
        found.append(Template(statement[0], whole["name"], start + statement.start(), True))
    return found
