"""The request as a ``curl`` command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from slipway.endpoint.containers.definition import CONTAINER
from slipway.endpoint.playground.paste.request import (
    LONGEST_INLINE,
    Request,
    Source,
    plain_name,
    prefix,
)
from slipway.server.client import TARGET
from slipway.triton.datatypes import BYTES
from slipway.triton.kserve import BINARY


def curl_command(request: Request, url: str) -> str:
    """Return a command for ``sh`` that sends the request to the endpoint at ``url``."""
    if not request.name:
        return _to_container(request, url)
    header = json_header(request)
    note = ["# the answer is binary: numbers that JSON cannot hold"] if request.is_binary else []
    if all(source.text for source in request.sources.values()):
        body = f"--data-binary {shlex.quote(header)}"
        return "\n".join([*note, *_curl(request, url, "application/json", body)])
    lines = [*note, *_sizes(request), "{", f"  printf '%s' {shlex.quote(header)}"]
    for source in request.sources.values():
        lines += [f"  {line}" for line in _elements(source)]
    size = len(header.encode())
    first, *rest = _curl(request, url, f"{BINARY}{size}", "--data-binary @-")
    return "\n".join([*lines, f"}} | {first}", *rest])


def json_header(request: Request) -> str:
    """Return the JSON of the request; tensors that are not inline are announced by their size."""
    entries = []
    for name, source in request.sources.items():
        entry = json.dumps(
            {"name": name, "shape": source.shape, "datatype": source.datatype}, ensure_ascii=True
        )
        data = (
            f'"data": {source.text}'
            if source.text
            else f'"parameters": {{"binary_data_size": {len(source.elements)}}}'
        )
        entries.append(f"{entry[:-1]}, {data}}}")
    parameters = request.parameters
    more = f', "parameters": {json.dumps(parameters)}' if parameters else ""
    return f'{{"inputs": [{", ".join(entries)}]{more}}}'


def _curl(request: Request, url: str, content_type: str, body: str) -> list[str]:
    output = " --output answer.bin" if request.is_binary else ""
    lines = [f"curl --silent --show-error{output}", f"--header 'Content-Type: {content_type}'"]
    if request.target:
        header = TARGET if request.name else CONTAINER
        lines.append(f"--header {shlex.quote(f'{header}: {request.target}')}")
    if request.question.accept:
        lines.append(f"--header {shlex.quote(f'Accept: {request.question.accept}')}")
    if request.with_token:
        lines.append('--header "Authorization: Bearer $SLIPWAY_TOKEN"')
    lines += [body, shlex.quote(invocations(request, url))]
    return [
        ("  " if number else "") + line + (" \\" if number < len(lines) - 1 else "")
        for number, line in enumerate(lines)
    ]


def invocations(request: Request, url: str) -> str:
    """Return the URL of the endpoint's invocations."""
    from urllib.parse import quote

    return f"{url}/endpoints/{quote(request.served.name)}/invocations"


def _sizes(request: Request) -> Iterator[str]:
    """Say for which files the sizes in the command are."""
    for source in request.sources.values():
        for file, element in zip(source.files, source.array.ravel(), strict=False):
            if source.datatype == BYTES:
                yield f"# {file} has {len(element)} bytes: another file needs other numbers"


def _elements(source: Source) -> Iterator[str]:
    if source.saved:
        yield f"cat -- {shlex.quote(source.saved)}"
    elif source.datatype != BYTES and source.files:
        yield f"tail -c {len(source.elements)} -- {shlex.quote(source.files[0])}"
    else:
        for file, element in zip(source.files, source.array.ravel(), strict=False):
            digits = "".join(f"\\{byte:03o}" for byte in prefix(element))
            yield f"printf '{digits}'"
            yield f"cat -- {shlex.quote(file)}"


def _to_container(request: Request, url: str) -> str:
    question = request.question
    try:
        text = question.body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if question.file or "\0" in text or len(text) > LONGEST_INLINE:
        body = f"--data-binary {shlex.quote('@' + plain_name(question.file or 'body.bin'))}"
    else:
        # without @, which a text may begin with
        body = f"--data-raw {shlex.quote(text)}"
    return "\n".join(_curl(request, url, question.content_type.replace("'", ""), body))
