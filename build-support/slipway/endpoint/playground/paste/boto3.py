"""The request as a program with boto3 alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

from slipway.endpoint.playground.paste.request import LONGEST_INLINE, Request, Source, plain_name
from slipway.triton.datatypes import BYTES
from slipway.triton.kserve import BINARY

CLIENT = """\
runtime = boto3.client(
    "sagemaker-runtime",
    endpoint_url={url!r},
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
)"""
WITH_TOKEN = """\
runtime = boto3.client(
    "sagemaker-runtime",
    endpoint_url={url!r},
    region_name="us-east-1",
    config=Config(signature_version=UNSIGNED),
)
token = {{"Authorization": "Bearer " + os.environ["SLIPWAY_TOKEN"]}}
runtime.meta.events.register(
    "before-call.sagemaker-runtime", lambda params, **_: params["headers"].update(token)
)"""
AS_JSON = """\
for output in json.load(answer["Body"])["outputs"]:
    print(output["name"], output["datatype"], output["shape"], output["data"])"""
AS_BINARY = """\
data = answer["Body"].read()
offset = int(answer["ContentType"].rpartition("=")[2])
for number, output in enumerate(json.loads(data[:offset])["outputs"]):
    end = offset + output["parameters"]["binary_data_size"]
    Path(f"output_{number}.bin").write_bytes(data[offset:end])
    print(output["name"], output["datatype"], output["shape"], f"output_{number}.bin")
    offset = end"""


def boto3_program(request: Request, url: str) -> str:
    """Return a Python program that sends the request to the endpoint at ``url``."""
    client = (WITH_TOKEN if request.with_token else CLIENT).format(url=url)
    body = list(_body(request)) if request.name else [f"body = {_container_body(request)}"]
    answer = (AS_BINARY if request.is_binary else AS_JSON) if request.name else _SHOW_BODY
    code = "\n".join([client, *body, "answer = runtime.invoke_endpoint(", *_call(request), ")"])
    code += f"\n{answer}\n"
    imports = [f"import {name}" for name in ("json", "os", "struct") if f"{name}." in code]
    paths = ["from pathlib import Path"] if "Path(" in code else []
    botocore = ["from botocore import UNSIGNED", "from botocore.config import Config"]
    head = [*imports, *paths, "" if imports or paths else None, "import boto3"]
    head += botocore if request.with_token else []
    return "\n".join([*(line for line in head if line is not None), "", code])


_SHOW_BODY = """\
print(answer["ContentType"])
print(answer["Body"].read())"""


def _call(request: Request) -> Iterator[str]:
    yield f"    EndpointName={request.served.name!r},"
    if request.name:
        yield f"    TargetModel={request.target!r},"
        yield "    ContentType=content_type,"
    else:
        if request.target:
            yield f"    TargetContainerHostname={request.target!r},"
        yield f"    ContentType={request.question.content_type!r},"
    if request.question.accept:
        yield f"    Accept={request.question.accept!r},"
    yield "    Body=body,"


def _body(request: Request) -> Iterator[str]:
    yield "inputs, elements = [], []"
    for name, source in request.sources.items():
        entry = {"name": name, "shape": source.shape, "datatype": source.datatype}
        if source.text:
            # a JSON text is no Python where it says true or has surrogates
            data = json.dumps({"data": 0}).replace("0", source.text)
            yield f"inputs.append({{**{entry!r}, **json.loads({data!r})}})"
            continue
        yield from _read(source)
        yield f'inputs.append({{**{entry!r}, "parameters": {{"binary_data_size": len(data)}}}})'
        yield "elements.append(data)"
    request_json = '"inputs": inputs'
    if request.parameters:
        request_json += f', "parameters": {request.parameters!r}'
    yield f"header = json.dumps({{{request_json}}}).encode()"
    yield 'body = b"".join([header, *elements])'
    yield f'content_type = f"{BINARY}{{len(header)}}"'


def _read(source: Source) -> Iterator[str]:
    if source.saved:
        yield f"data = Path({source.saved!r}).read_bytes()"
    elif source.datatype != BYTES:
        size = len(source.elements)
        yield f"data = Path({source.files[0]!r}).read_bytes()[-{size}:]  # behind numpy's header"
    else:
        yield f"rows = [Path(name).read_bytes() for name in {list(source.files)!r}]"
        yield 'data = b"".join(struct.pack("<I", len(row)) + row for row in rows)'


def _container_body(request: Request) -> str:
    question = request.question
    if question.file or len(question.body) > LONGEST_INLINE:
        return f"Path({plain_name(question.file or 'body.bin')!r}).read_bytes()"
    return repr(question.body)
