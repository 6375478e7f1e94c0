"""Write a request as curl, as boto3 and as slipway's client, and the files that they read."""

from __future__ import annotations

import base64
from typing import Any

from slipway.endpoint.playground.paste.boto3 import boto3_program
from slipway.endpoint.playground.paste.client import client_program
from slipway.endpoint.playground.paste.curl import curl_command
from slipway.endpoint.playground.paste.request import LONGEST_INLINE, Request


def write_code(request: Request, url: str) -> dict[str, Any]:
    """Return the code by kind, and ``files``, base64 by name, which the page offers to save."""
    files = request.saved()
    question = request.question
    if not request.name and not question.file and _is_long(question.body):
        files = {"body.bin": question.body}
    return {
        "curl": curl_command(request, url),
        "boto3": boto3_program(request, url),
        "client": client_program(request, url),
        "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
    }


def _is_long(body: bytes) -> bool:
    try:
        return "\0" in body.decode() or len(body) > LONGEST_INLINE
    except UnicodeDecodeError:
        return True
