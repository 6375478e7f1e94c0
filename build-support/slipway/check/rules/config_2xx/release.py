"""SW23x: what the configured Triton releases have: fields and values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from slipway.check.finding import Found, Place
from slipway.check.first_release import SINCE
from slipway.check.rule import rule
from slipway.check.subject import Config, Subject
from slipway.triton import config
from slipway.triton.pbtxt import FieldPath, Span

TABLE = "Triton common, protobuf/model_config.proto of each release branch"


class Newer(NamedTuple):
    """A field or value, where it stands, and the release that first had it."""

    place: Place
    name: str
    since: str


@rule(
    "SW233",
    "field-not-in-release",
    reason="the load fails on the endpoint: “failed to read text proto”",
    source=TABLE,
)
def field_not_in_release(subject: Subject) -> Iterator[Found]:
    """A field or value that is newer than the release that serves."""
    release = subject.settings.triton_release
    for each in subject.configs.values():
        for newer in _newer(each, release):
            yield Found(
                newer.place,
                f"{newer.name} is there since Triton {newer.since}, and {release} serves",
                "remove it, or raise triton.release in slipway.toml",
            )


@rule(
    "SW234",
    "field-not-in-test-release",
    severity="warning",
    reason="the endpoint takes it, and the local server that tests fails to load it",
    source=TABLE,
)
def field_not_in_test_release(subject: Subject) -> Iterator[Found]:
    """A field or value that is newer than the release that tests."""
    release, serves = subject.settings.test_release, subject.settings.triton_release
    for each in subject.configs.values():
        for newer in _newer(each, release) if not subject.lone else ():
            if newer.since <= serves:
                yield Found(
                    newer.place,
                    f"{newer.name} is there since Triton {newer.since}, and {release} tests",
                    "test in a container: triton.docker_image and test_release in slipway.toml",
                )


def _newer(each: Config, release: str) -> Iterator[Newer]:
    """What a config says that ``release`` does not know, outermost fields only."""
    inside: list[Span] = []
    for path, span in sorted(
        each.fields.spans.items(), key=lambda item: (item[1].start, -item[1].end)
    ):
        for name, start in _names(each, path, span):
            covered = any(outer.start <= span.start < outer.end for outer in inside)
            if SINCE.get(name, "") > release and not covered:
                inside.append(span)
                yield Newer(Place(each.path, *each.fields.position(start)), name, SINCE[name])


def _names(each: Config, path: FieldPath, span: Span) -> Iterator[tuple[str, int]]:
    """A field's full name, and its enum value's, each with where it stands."""
    descriptor, field = config.schema().ModelConfig.DESCRIPTOR, None
    for step in path:
        if isinstance(step, int):
            continue
        field = descriptor.fields_by_name.get(step) if descriptor is not None else None
        if field is None:
            return  # a map's key, or an unknown field
        descriptor = field.message_type
    if field is not None:
        yield _short(field.full_name), span.start
        if field.enum_type is not None:
            text = each.text[span.value : span.end]
            yield f"{_short(field.enum_type.full_name)}:{text}", span.value


def _short(name: str) -> str:
    return name.removeprefix("inference.")
