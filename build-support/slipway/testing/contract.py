"""The contract test: what a multi-model endpoint does with every artifact.

Two copies under two target names represent two releases loaded together: neither may use the
other's parts, and unloading one must not change the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slipway.model.interface import blank_request
from slipway.server.client import InferenceError, RejectedError
from slipway.server.triton import Server
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.comparison import compare_outputs
from slipway.triton.datatypes import Array

NOT_LOADED = 404
# of a model's process; python_backend, stub_launcher.cc
DEAD = "is not healthy"


def check(server: Server, target: str, artifact: Path, case: Path | None) -> list[str]:
    """What went wrong; empty if the artifact keeps the contract.

    ``target`` is loaded from ``artifact`` already and stays loaded. The request is that of the
    golden case ``case``; without one it is made of zeros and empty strings, and an error of the
    model's own is as good an answer as any, if both copies give it.

    Raises:
        SlipwayError: the second copy could not be loaded.
    """
    second = f"second-copy-of-{target}"
    model = Model(server, target)
    request = model.arrays(golden.inputs(case)) if case else blank_request(model.interface)
    first = _ask(server, target, request)
    if isinstance(first, str) and DEAD in first:
        return [first]
    before = server.log_file.stat().st_size
    server.load(second, artifact)
    problems: list[str] = []
    try:
        # a directory that changed after it was loaded is loaded again at the next load of anything
        problems += [
            f"loading a second copy restarted {name} of the first: its directory has changed since,"
            " by bytecode that was not packed or by the model's own writing"
            for name in server.loads_of(target, before)
        ]
        problems += _same("the second copy, loaded beside it", first, server, second, request)
        problems += _same("after a second copy was loaded", first, server, target, request)
        server.unload(second)
        problems += _same("after the second copy was unloaded", first, server, target, request)
        problems += _gone(server, second, request)
        server.load_extracted(second)
        problems += _same("the second copy, loaded again", first, server, second, request)
    finally:
        # unloading a dead model would take minutes, and the server stops soon anyway
        if not any(DEAD in problem for problem in problems) and server.is_loaded(second):
            server.unload(second)
    return problems


def _ask(server: Server, target: str, request: Mapping[str, Array]) -> golden.Outcome:
    try:
        return server.invoke(target, request)
    except InferenceError as error:
        return error.what.replace(target, "").replace(server.model_hash(target), "")


def _same(
    when: str, first: golden.Outcome, server: Server, target: str, request: Mapping[str, Array]
) -> list[str]:
    again = _ask(server, target, request)
    if isinstance(first, str) or isinstance(again, str):
        lines = [] if first == again else [f"expected {first}, got {again}"]
    else:
        lines = compare_outputs(first, again, {})
    return [f"{when}: {line}" for line in lines]


def _gone(server: Server, target: str, request: Mapping[str, Array]) -> list[str]:
    try:
        server.invoke(target, request)
    except RejectedError as error:
        return [] if error.status == NOT_LOADED else [f"unloaded, but it answers: {error}"]
    return ["the second copy still answers after it was unloaded"]
