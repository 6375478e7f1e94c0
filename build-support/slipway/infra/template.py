"""A CloudFormation template: its text, and the values that its parameters allow."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slipway.errors import SlipwayError
from slipway.infra.functions import embed_functions

# bytes of a template in a request ("AWS CloudFormation quotas")
MAX_BODY_BYTES = 51_200


@dataclass(frozen=True)
class Parameter:
    """A template's declaration of a parameter; ``default`` is ``None`` if it has none."""

    kind: str
    default: str | None
    allowed: tuple[str, ...]
    pattern: str | None
    minimum: float | None
    maximum: float | None

    def violation(self, value: str) -> str | None:
        """Return why CloudFormation would reject ``value``, ``None`` if it would not."""
        if self.allowed and value not in self.allowed:
            return f"is {value!r}, must be one of {', '.join(self.allowed)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"is {value!r}, must match {self.pattern}"
        if self.kind != "Number":
            return None
        try:
            number = float(value)
        except ValueError:
            return f"is {value!r}, must be a number"
        if self.minimum is not None and number < self.minimum:
            return f"is {value}, must be at least {self.minimum:g}"
        if self.maximum is not None and number > self.maximum:
            return f"is {value}, must be at most {self.maximum:g}"
        return None


@dataclass(frozen=True)
class Template:
    """``body`` is sent to CloudFormation: the file, or the same as JSON if the file with its
    comments is too long, or if the code of functions was written in. ``document`` has intrinsic
    functions in their long form (``{"Ref": …}``, ``{"Fn::Sub": …}``)."""

    path: Path
    body: str
    document: Mapping[str, Any]
    parameters: Mapping[str, Parameter]

    def check(
        self, values: Mapping[str, str], where: str, *, open_until_sent: Collection[str] = ()
    ) -> None:
        """Reject the values that CloudFormation would reject, without a request. The parameters
        ``open_until_sent`` may still lack theirs.

        Raises:
            SlipwayError: a parameter is unknown, or its value is missing or not allowed.
        """
        for name, value in values.items():
            if name not in self.parameters:
                raise SlipwayError(
                    f"{self.path.name} has no parameter {name!r}",
                    where=where,
                    fix=f"use one of: {', '.join(sorted(self.parameters))}",
                )
            violation = self.parameters[name].violation(value)
            if violation:
                raise SlipwayError(
                    f"{name} {violation}", where=where, fix="correct it below [parameters]"
                )
        for name, declared in self.parameters.items():
            if declared.default is None and name not in values and name not in open_until_sent:
                raise SlipwayError(
                    f"the parameter {name} has no value",
                    where=where,
                    fix=f"add {name} below [parameters]; {self.path.name} describes it",
                )


def load_template(path: Path) -> Template:
    """Return the template in a file.

    Raises:
        SlipwayError: the file does not exist, is not YAML, or is too long for a request.
    """
    try:
        body = path.read_text(encoding="utf-8")
        document = yaml.load(body, _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SlipwayError(
            f"cannot read the template: {error}", where=str(path), fix="name a YAML file"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise SlipwayError("not a CloudFormation template", where=str(path), fix="add Resources")
    if embed_functions(document, path) or len(body.encode()) > MAX_BODY_BYTES:
        body = _compact(document)
    if len(body.encode()) > MAX_BODY_BYTES:
        raise SlipwayError(
            f"{len(body.encode()):,} bytes; CloudFormation accepts {MAX_BODY_BYTES:,} in a request",
            where=str(path),
            fix="move some resources into another template, with an environment of its own",
        )
    declared = {
        name: _parameter(declaration)
        for name, declaration in document.get("Parameters", {}).items()
    }
    return Template(path, body, document, declared)


def _compact(document: Mapping[str, Any]) -> str:
    """Return the document as JSON, without what only a scanner of the file reads."""
    resources = {
        name: (
            {key: value for key, value in resource.items() if key != "Metadata"}
            if isinstance(resource, dict) and set(resource.get("Metadata", {})) == {"checkov"}
            else resource
        )
        for name, resource in document["Resources"].items()
    }
    return json.dumps(
        {**document, "Resources": resources}, ensure_ascii=False, separators=(",", ":")
    )


def _parameter(declaration: Mapping[str, Any]) -> Parameter:
    default = declaration.get("Default")
    return Parameter(
        declaration["Type"],
        None if default is None else str(default),
        tuple(str(value) for value in declaration.get("AllowedValues", ())),
        declaration.get("AllowedPattern"),
        declaration.get("MinValue"),
        declaration.get("MaxValue"),
    )


# libyaml's parser: PyYAML's own takes ten times as long, and is what a PyYAML without libyaml has
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
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
