"""A CloudFormation template: its text, and what its parameters allow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slipway.errors import SlipwayError

# of a template that is sent with the request ("AWS CloudFormation quotas")
LARGEST = 51_200


@dataclass(frozen=True)
class Parameter:
    """What a template says of one of its parameters; ``default`` is ``None`` where there is none."""

    kind: str
    default: str | None
    allowed: tuple[str, ...]
    pattern: str | None
    least: float | None
    most: float | None

    def why_not(self, value: str) -> str | None:
        """What is wrong with ``value``, as CloudFormation would find it."""
        if self.allowed and value not in self.allowed:
            return f"is {value!r}: one of {', '.join(self.allowed)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"is {value!r}, and does not match {self.pattern}"
        if self.kind != "Number":
            return None
        try:
            number = float(value)
        except ValueError:
            return f"is {value!r}, and no number"
        if self.least is not None and number < self.least:
            return f"is {value}: {self.least:g} at least"
        if self.most is not None and number > self.most:
            return f"is {value}: {self.most:g} at most"
        return None


@dataclass(frozen=True)
class Template:
    """``body`` is what is sent: the file, or the same as JSON where the file, whose comments count, is
    too long. ``document`` has intrinsic functions in their long form (``{"Ref": …}``,
    ``{"Fn::Sub": …}``)."""

    path: Path
    body: str
    document: Mapping[str, Any]
    parameters: Mapping[str, Parameter]

    def check(self, given: Mapping[str, str], where: str) -> None:
        """Refuse what CloudFormation would refuse, before anything is sent.

        Raises:
            SlipwayError: a parameter is unknown, has no value, or one that is not allowed.
        """
        for name, value in given.items():
            if name not in self.parameters:
                raise SlipwayError(
                    f"{self.path.name} has no parameter {name!r}",
                    where=where,
                    fix=f"one of: {', '.join(sorted(self.parameters))}",
                )
            wrong = self.parameters[name].why_not(value)
            if wrong:
                raise SlipwayError(
                    f"{name} {wrong}", where=where, fix="correct it below [parameters]"
                )
        for name, declared in self.parameters.items():
            if declared.default is None and name not in given:
                raise SlipwayError(
                    f"the parameter {name} has no value",
                    where=where,
                    fix=f"write {name} below [parameters]; {self.path.name} says what it is",
                )


def read(path: Path) -> Template:
    """The template in a file.

    Raises:
        SlipwayError: there is none, it is no YAML, or too long to be sent.
    """
    try:
        body = path.read_text(encoding="utf-8")
        document = yaml.load(body, _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SlipwayError(
            f"no template can be read: {error}", where=str(path), fix="name a file of YAML"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise SlipwayError("no CloudFormation template", where=str(path), fix="it needs Resources")
    if len(body.encode()) > LARGEST:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) > LARGEST:
        raise SlipwayError(
            f"{len(body.encode()):,} bytes; CloudFormation takes {LARGEST:,} in a request",
            where=str(path),
            fix="move some resources into a template, and an environment, of their own",
        )
    declared = {name: _parameter(said) for name, said in document.get("Parameters", {}).items()}
    return Template(path, body, document, declared)


def _parameter(said: Mapping[str, Any]) -> Parameter:
    default = said.get("Default")
    return Parameter(
        said["Type"],
        None if default is None else str(default),
        tuple(str(value) for value in said.get("AllowedValues", ())),
        said.get("AllowedPattern"),
        said.get("MinValue"),
        said.get("MaxValue"),
    )


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _function(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if tag == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _function)
