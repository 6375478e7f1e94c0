"""Explain that a model gave no answer in time: what was asked, and where its code is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server.client import UnansweredError
from slipway.server.model_frames import innermost_place, readable_error
from slipway.server.model_stacks import ModelStack
from slipway.triton.datatypes import BYTES, Array, datatype_of

MORE_TIME = "a model that only needs more time here: [test] request_timeout in slipway.toml"


def unanswered_error(
    error: SlipwayError,
    inputs: Mapping[str, Array],
    stacks: Sequence[ModelStack],
    folder: Path,
    hashed: str,
) -> UnansweredError:
    """Return the error of a request that got no answer, for the client's ``error``.

    ``inputs`` were sent. ``stacks`` are those of the processes that serve the model repository
    ``folder``, which is in the directory ``hashed`` of all of them.
    """
    asked = ", ".join(f"{name} {_describe(array)}" for name, array in inputs.items())
    what = f"{error.what} to a request with {asked or 'no inputs'}"
    executing = next((stack for stack in stacks if stack.executes), None)
    if executing is not None:
        text = f"{what}: execute of {executing.model!r} has not returned\n{executing}"
        text = readable_error(text, hashed, folder)
        return _error(
            text,
            innermost_place(text) or _execute_of(folder, executing.model),
            "look for a loop without end, a lock, or a call that waits, at this line;"
            f" {MORE_TIME}",
        )
    if stacks:
        names = ", ".join(dict.fromkeys(repr(stack.model) for stack in stacks))
        return _error(
            f"{what}: execute of {names} has returned, and a request is left without a response",
            _execute_of(folder, stacks[0].model) if len(stacks) == 1 else None,
            "let every path of execute return a list with one response for each request; with a"
            " response sender, send TRITONSERVER_RESPONSE_COMPLETE_FINAL to each",
        )
    return _error(what, None, MORE_TIME)


def stalled_load_error(
    target: str, waited_s: float, stacks: Sequence[ModelStack], folder: Path, hashed: str
) -> SlipwayError:
    """Return the error of a load that did not end in ``waited_s``, longer than SageMaker waits.

    ``stacks`` are those of the processes that serve the model repository ``folder``.
    """
    what = f"target model {target!r} was not loaded in {waited_s:g} s"
    working = next((stack for stack in stacks if stack.frames), None)
    if working is None:
        return SlipwayError(what, fix="look for what initialize waits for, such as a download")
    text = readable_error(f"{what}: {working.model!r} is still at\n{working}", hashed, folder)
    return SlipwayError(
        text,
        where=innermost_place(text),
        fix="let it load less, or end what it waits for: an endpoint has no network",
    )


def not_sent_error(earlier: UnansweredError) -> UnansweredError:
    """Return the error of a request to a model that has not answered the one of ``earlier``."""
    what = "not sent, because the model has not answered an earlier request"
    return _error(what, earlier.where, earlier.fix)


def _error(what: str, where: str | None, fix: str | None) -> UnansweredError:
    error = UnansweredError(what)
    error.where, error.fix = where, fix
    return error


def _describe(array: Array) -> str:
    return f"{datatype_of(array) or BYTES} {list(array.shape)}"


def _execute_of(folder: Path, model: str) -> str | None:
    """Return the line of a model's ``def execute``, or its config where that is elsewhere."""
    for file in sorted(folder.glob(f"{model}/*/*.py")):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^\s+(?:async )?def execute\b", text, re.MULTILINE)
        if found:
            line = text.count("\n", 0, text.index("def", found.start())) + 1
            return f"{file.relative_to(folder)}:{line}"
    return f"{model}/config.pbtxt"
