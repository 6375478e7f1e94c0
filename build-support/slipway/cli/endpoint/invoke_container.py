"""``slipway invoke`` of a model that a container of its own serves: a body of any form."""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from slipway.cli.progress import working
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.settings import EndpointSettings, Settings

JSON, BYTES = "application/json", "application/octet-stream"
TEXTS = ("text/", JSON, "application/jsonlines", "application/xml")


class Request(NamedTuple):
    """What is sent to a container: one file, or JSON."""

    files: Sequence[str]
    data: str | None
    content_type: str | None
    accept: str | None
    target: str | None
    key: str | None


def has_containers(settings: Settings, entry: EndpointSettings, name: str) -> bool:
    """Return whether ``entry`` is an endpoint of several containers.

    Raises:
        SlipwayError: it is not, and ``name`` is the model of one; or it has no container of it.
    """
    owners = [other.name for other in settings.endpoints.values() if name in other.containers]
    if entry.containers and name not in entry.containers:
        raise SlipwayError(
            f"the endpoint {entry.name} has no container of {name}",
            where=f"slipway.toml: [endpoint.{entry.name}]",
            fix=f"add {name} to its containers, or name another endpoint"
            + (f": --endpoint {' or '.join(owners)}" if owners else ""),
        )
    if not entry.containers and name in settings.containers:
        fix = f'add an endpoint of it to slipway.toml: [endpoint.NAME] containers = ["{name}"]'
        raise SlipwayError(
            f"a container of its own serves {name}, and the endpoint {entry.name} has none",
            where=f"slipway.toml: [models.{name}]",
            fix=f"slipway invoke {name} --endpoint {' or '.join(owners)}" if owners else fix,
        )
    return bool(entry.containers)


def invoke_container(
    name: str, where: str, url: str | None, request: Request, as_json: bool
) -> None:
    """Send the one file, or the JSON, and print the answer as it is."""
    from slipway.client import Endpoint

    body, content_type = _body(request)
    with Endpoint(where, url=url) as endpoint, working(f"invoking {name}"):
        reply = endpoint.container(name, target=request.target).invoke(
            body, content_type, accept=request.accept, key=request.key
        )
    is_text = reply.content_type.startswith(TEXTS)
    if as_json:
        text = reply.body.decode(errors="replace") if is_text else reply.body.hex()
        values = {"model": name, "target": reply.target, "content_type": reply.content_type}
        click.echo(json.dumps({**values, "body": text}, ensure_ascii=False))
    elif is_text or not sys.stdout.isatty():
        click.echo(reply.body, nl=is_text)
    else:
        click.echo(f"{len(reply.body):,} bytes of {reply.content_type or 'no content type'}")


def _body(request: Request) -> tuple[bytes, str]:
    if (request.data is None) == (not request.files) or len(request.files) > 1:
        raise SlipwayError(
            "a container takes one body",
            fix="name one FILE, or give --data JSON",
        )
    if request.data is not None:
        return request.data.encode(), request.content_type or JSON
    file = Path(request.files[0])
    try:
        body = file.read_bytes()
    except OSError as error:
        raise SlipwayError(f"cannot be read: {error.strerror}", where=str(file)) from error
    return body, request.content_type or mimetypes.guess_type(file.name)[0] or BYTES
