"""SW23x: fields and values that the configured Triton releases do not have."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.first_release import SINCE
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.config import schema
from slipway.triton.pbtxt import FieldPath, Span

TABLE = "Triton common, protobuf/model_config.proto of each release branch"


class NewerField(NamedTuple):
    """A field or value, its location, and the release that first had it."""

    location: Location
    name: str
    since: str


@rule(
    "SW233",
    "field-not-in-release",
    reason="the load fails on the endpoint: “failed to read text proto”",
    source=TABLE,
)
def field_not_in_release(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find fields and values that are newer than the serving release."""
    release = model.settings.triton_release
    for config in model.configs.values():
        for field in _newer_fields(config, release):
            yield RuleHit(
                field.location,
                f"{field.name} exists since Triton {field.since}, and {release} serves",
                "remove it, or raise triton.release in slipway.toml",
            )


@rule(
    "SW234",
    "field-not-in-test-release",
    scope="slipway",
    severity="warning",
    reason="the endpoint accepts it, and the local server that runs the tests fails to load it",
    source=TABLE,
)
def field_not_in_test_release(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find fields and values that are newer than the release that runs the tests."""
    release, serves = model.settings.test_release, model.settings.triton_release
    for config in model.configs.values():
        for field in _newer_fields(config, release) if not model.is_single_config else ():
            if field.since <= serves:
                yield RuleHit(
                    field.location,
                    f"{field.name} exists since Triton {field.since}, and {release} runs the tests",
                    "test in a container: triton.docker_image and test_release in slipway.toml",
                )


def _newer_fields(config: ConfigFile, release: str) -> Iterator[NewerField]:
    """Yield the fields and values that ``release`` does not know, outermost fields only."""
    inside: list[Span] = []
    for span, name, start in _dated_fields(config):
        covered = any(outer.start <= span.start < outer.end for outer in inside)
        if SINCE[name] > release and not covered:
            inside.append(span)
            yield NewerField(
                Location(config.path, *config.fields.position(start)), name, SINCE[name]
            )


@lru_cache(maxsize=64)  # for the configs of one folder
def _dated_fields(config: ConfigFile) -> list[tuple[Span, str, int]]:
    """Return the fields and values whose first release is known, each with its position."""
    dated = [
        (span, name, start)
        for path, span in config.fields.spans.items()
        for name, start in _names(config, path, span)
        if name in SINCE
    ]
    return sorted(dated, key=lambda item: (item[0].start, -item[0].end))


def _names(config: ConfigFile, path: FieldPath, span: Span) -> Iterator[tuple[str, int]]:
    """Yield the full names of a field and of its enum value, each with its position."""
    name, enum = _full_names(tuple([step for step in path if isinstance(step, str)]))
    if name is not None:
        yield name, span.start
        if enum is not None:
            yield f"{enum}:{config.text[span.value : span.end]}", span.value


@lru_cache(maxsize=1024)
def _full_names(path: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the full names of a field and of its enum; ``None`` where there is none."""
    descriptor, field = schema().ModelConfig.DESCRIPTOR, None
    for step in path:
        field = descriptor.fields_by_name.get(step) if descriptor is not None else None
        if field is None:
            return None, None  # a map's key, or an unknown field
        descriptor = field.message_type
    enum = field.enum_type if field is not None else None
    return (
        _short(field.full_name) if field is not None else None,
        _short(enum.full_name) if enum is not None else None,
    )


def _short(name: str) -> str:
    return name.removeprefix("inference.")
