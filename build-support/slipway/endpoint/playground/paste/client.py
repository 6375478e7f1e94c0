"""The request as a program with slipway's client."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from slipway.endpoint.playground.paste.request import LONGEST_INLINE, Request, Source, plain_name
from slipway.triton.datatypes import BYTES, Array

HEAD = """\
# in the repository's folder: its slipway.toml says where the catalog is
{imports}from slipway.client import Endpoint

with Endpoint({endpoint!r}, url={url!r}) as endpoint:
"""


def client_program(request: Request, url: str) -> str:
    """Return a Python program that sends the request with slipway's client."""
    lines = list(_predict(request)) if request.name else list(_invoke(request))
    code = "\n".join(f"    {line}" for line in lines)
    imports = "from pathlib import Path\n\n" if "Path(" in code else ""
    imports += "import numpy as np\n\n" if "np." in code else ""
    note = "# the token comes from SLIPWAY_TOKEN\n" if request.with_token else ""
    return note + HEAD.format(imports=imports, endpoint=request.served.name, url=url) + code + "\n"


def _predict(request: Request) -> Iterator[str]:
    yield f"model = endpoint.model({request.name!r}, target={request.target!r})"
    yield "inputs = {"
    for name, source in request.sources.items():
        yield f"    {name!r}: {_value(source)},"
    yield "}"
    parameters = request.question.parameters
    more = f", parameters={parameters!r}" if parameters else ""
    yield f"for name, array in model.predict(inputs{more}).items():"
    yield "    print(name, array.dtype, array.shape, array.tolist())"


def _invoke(request: Request) -> Iterator[str]:
    question, endpoint = request.question, request.served.containers
    assert endpoint is not None
    hostname = request.target or next(iter(endpoint.containers))
    definition = endpoint.containers[hostname].definition
    body = repr(question.body)
    if question.file or len(question.body) > LONGEST_INLINE:
        body = f"Path({plain_name(question.file or 'body.bin')!r}).read_bytes()"
    accept = f", accept={question.accept!r}" if question.accept else ""
    yield f"container = endpoint.container({definition.name!r}, target={definition.target!r})"
    yield f"answer = container.invoke({body}, {question.content_type!r}{accept})"
    yield "print(answer.content_type)"
    yield "print(answer.body)"


def _value(source: Source) -> str:
    array = source.array
    if source.datatype == BYTES:
        texts = [repr(item) for item in array.ravel()]
        if source.files:
            texts = [f"Path({file!r}).read_bytes()" for file in source.files]
        elements = f"[{', '.join(texts)}]"
        return f"np.array({elements}, dtype=object).reshape({array.shape})"
    dtype = f"np.{array.dtype.name.replace('bool', 'bool_')}"
    if source.files:
        return f"np.load({source.files[0]!r}).reshape({array.shape})"
    if source.saved and array.size > LONGEST_INLINE // 8:
        return f"np.fromfile({source.saved!r}, {dtype}).reshape({array.shape})"
    return f"np.array({_literal(array)}, dtype={dtype}).reshape({array.shape})"


def _literal(array: Array) -> str:
    return f"[{', '.join(map(_number, array.ravel()))}]"


def _number(element: np.generic) -> str:
    text = str(element)
    return {"nan": "np.nan", "inf": "np.inf", "-inf": "-np.inf"}.get(text, text)
