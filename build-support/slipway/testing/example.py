"""Write a request to a served model that can be pasted into a terminal."""

from __future__ import annotations

import shlex
from pathlib import Path

from slipway.model.folder import ModelFolder
from slipway.server import network
from slipway.server.client import HOST, TARGET
from slipway.server.server import Server
from slipway.testing.example_request import choose_request
from slipway.testing.model import Model
from slipway.triton import kserve


def curl_request(server: Server, target: str, folder: ModelFolder, file: Path) -> str:
    """Return a ``curl`` command that invokes ``target`` for JSON; write its body to ``file``.

    The request is that of the first golden case that expects an answer; without one, zeros and
    empty strings.
    """
    request = choose_request(Model(server, target), folder.path)
    outputs = [out.name for out in folder.configs[folder.ensemble].output]
    body, content_type = kserve.encode(
        request.arrays, as_json=outputs, parameters=request.parameters
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    url = f"http://{HOST}:{server.port}/models/{server.model_hash(target)}/invoke"
    command = ["curl", "--silent"]
    if server.entrance is not None:
        command += ["--unix-socket", str(network.http_socket(server.entrance))]
    command += [url, "--header", f"{TARGET}: {target}"]
    command += ["--header", f"Content-Type: {content_type}", "--data-binary", f"@{file}"]
    return " ".join(map(shlex.quote, command))
