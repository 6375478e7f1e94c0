"""Test that an artifact survives what a multi-model endpoint does with it.

Two copies under two target names represent two releases loaded together: neither may use the
other's parts, and unloading one must not change the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from slipway.model.interface import blank_request
from slipway.server.client import InferenceError, RejectedError, ServerGoneError
from slipway.server.model_frames import readable_error
from slipway.server.triton import Server
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.comparison import compare_outputs
from slipway.triton.datatypes import Array

NOT_LOADED = 404
# in an error of a model whose process ended; python_backend, stub_launcher.cc
DEAD = "is not healthy"


class Request(NamedTuple):
    """One request: its inputs by name, and its own parameters."""

    arrays: Mapping[str, Array]
    parameters: Mapping[str, Any]


def check(server: Server, target: str, artifact: Path, case: Path | None) -> list[str]:
    """Return the problems found; empty if the artifact fulfils the contract.

    ``target`` is already loaded from ``artifact`` and stays loaded. The request is that of the
    golden case ``case``. Without one it consists of zeros and empty strings, and an error of the
    model is accepted if both copies return it.

    Raises:
        SlipwayError: the second copy could not be loaded.
    """
    second = f"second-copy-of-{target}"
    model = Model(server, target)
    request = (
        Request(model.arrays(golden.inputs(case)), golden.parameters(case))
        if case
        else Request(blank_request(model.interface), {})
    )
    first = _invoke(server, target, request)
    if isinstance(first, str) and DEAD in first:
        return [first]
    before = server.log_file.stat().st_size
    server.load(second, artifact)
    problems: list[str] = []
    try:
        # a directory that changed after it was loaded is loaded again at the next load of anything
        problems += [
            f"loading a second copy restarted {name} of the first: its directory has changed,"
            " by bytecode that was not packed or because the model wrote files"
            for name in server.loads_of(target, before)
        ]
        problems += _compare(
            "the second copy, loaded next to the first", first, server, second, request
        )
        problems += _compare("after a second copy was loaded", first, server, target, request)
        server.unload(second)
        problems += _compare("after the second copy was unloaded", first, server, target, request)
        problems += _check_unloaded(server, second, request)
        server.load_extracted(second)
        problems += _compare("the second copy, loaded again", first, server, second, request)
    finally:
        # unloading a dead model would take minutes, and the server stops soon
        with suppress(ServerGoneError):  # a server that has ended is reported by what raised it
            if not any(DEAD in problem for problem in problems) and server.is_loaded(second):
                server.unload(second)
    return problems


def _invoke(server: Server, target: str, request: Request) -> golden.Outcome:
    try:
        return server.invoke(target, *request)
    except InferenceError as error:
        hashed = server.model_hash(target)
        message = readable_error(error.what, hashed, server.folder(target))
        return message.replace(target, "").replace(hashed, "")


def _compare(
    when: str, first: golden.Outcome, server: Server, target: str, request: Request
) -> list[str]:
    answer = _invoke(server, target, request)
    if isinstance(first, str) or isinstance(answer, str):
        lines = [] if first == answer else [f"expected {first}, got {answer}"]
    else:
        lines = compare_outputs(first, answer, {})
    return [f"{when}: {line}" for line in lines]


def _check_unloaded(server: Server, target: str, request: Request) -> list[str]:
    try:
        server.invoke(target, *request)
    except RejectedError as error:
        return [] if error.status == NOT_LOADED else [f"unloaded, but it still responds: {error}"]
    return ["the second copy still answers after it was unloaded"]
