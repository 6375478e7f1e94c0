"""Test that an artifact survives what a multi-model endpoint does with it.

Two copies under two target names represent two releases loaded together: neither may use the
other's parts, and unloading one must not change the other.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server.client import InferenceError, RejectedError, ServerGoneError
from slipway.server.model_frames import readable_error
from slipway.server.server import Server
from slipway.testing import golden
from slipway.testing.called_models import are_named_by_release
from slipway.testing.example_request import Request
from slipway.triton.comparison import compare_outputs

NOT_LOADED = 404
# in an error of a model whose process ended; python_backend, stub_launcher.cc
DEAD = "is not healthy"


class FailedRequestError(SlipwayError):
    """The request of the contract test is answered with an error, which is the message."""


def check(server: Server, target: str, artifact: Path, request: Request) -> list[str]:
    """Return the problems found; empty if the artifact fulfils the contract.

    ``target`` is already loaded from ``artifact`` and stays loaded. Both copies have to answer
    ``request``, and alike. A release whose models call each other by names that hold its version
    is loaded alone, and again.

    Raises:
        FailedRequestError: it is not answered.
        UnansweredError: a copy did not answer in time.
        SlipwayError: the second copy could not be loaded.
    """
    second = f"second-copy-of-{target}"
    first = _invoke(server, target, request)
    if isinstance(first, str) and DEAD in first:
        return [first]
    if isinstance(first, str):
        raise FailedRequestError(first)
    if are_named_by_release(server.folder(target)):
        return _check_alone(server, target, first, request)
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
        # unloading a dead or busy model would take minutes, and the server stops soon
        busy = not server.answers(second) or any(DEAD in problem for problem in problems)
        with suppress(ServerGoneError):  # a server that has ended is reported by what raised it
            if not busy and server.is_loaded(second):
                server.unload(second)
    return problems


def _check_alone(server: Server, target: str, first: golden.Outcome, request: Request) -> list[str]:
    """Unload and load the only copy of a release whose models call each other by their names."""
    server.unload(target)
    problems = _check_unloaded(server, target, request)
    server.load_extracted(target)
    return problems + _compare("loaded again", first, server, target, request)


def _invoke(server: Server, target: str, request: Request) -> golden.Outcome:
    try:
        return server.invoke(target, request.arrays, request.parameters)
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
        server.invoke(target, request.arrays, request.parameters)
    except RejectedError as error:
        return [] if error.status == NOT_LOADED else [f"unloaded, but it still responds: {error}"]
    return ["it still answers after it was unloaded"]
