"""Requests against AWS's own description of its API, which boto3 brings: types, and what boto3 does
not check before it sends: patterns, enumerations and limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import (
    ListShape,
    MapShape,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)
from botocore.validate import ParamValidator


@cache
def service_model(service: str) -> ServiceModel:
    """Return the description of a service."""
    return botocore.session.Session().get_service_model(service)


def violations(service: str, operation: str, body: dict[str, Any]) -> list[str]:
    """Return what AWS would refuse in ``body``, a sentence each."""
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(body, shape)
    if report.has_errors():
        return str(report.generate_report()).splitlines()
    return list(_walk(shape, body, operation))


def _walk(shape: Shape, value: Any, where: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for key, part in value.items():
            yield from _walk(shape.members[key], part, f"{where}.{key}")
    elif isinstance(shape, ListShape):
        yield from _limits(shape, len(value), where)
        for index, part in enumerate(value):
            yield from _walk(shape.member, part, f"{where}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _limits(shape, len(value), where)
        for key, part in value.items():
            yield from _walk(shape.key, key, f"{where} key {key!r}")
            yield from _walk(shape.value, part, f"{where}[{key!r}]")
    elif isinstance(shape, StringShape):
        yield from _limits(shape, len(value), where)
        if shape.enum and value not in shape.enum:
            yield f"{where}: {value!r} is not one of {len(shape.enum)} values"
        pattern = _python_pattern(shape.metadata.get("pattern", ""))
        if pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{where}: {value!r} does not match {pattern}"
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _limits(shape, value, where)


def _limits(shape: Shape, size: float, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", size), shape.metadata.get("max", size)
    if not least <= size <= most:
        yield f"{where}: {size} is not within {least}…{most}"


def _python_pattern(pattern: str) -> str:
    """Return a pattern of Java's as Python's: letters, numbers and separators of Unicode."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(java, python)
    return pattern
