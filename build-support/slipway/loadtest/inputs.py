"""What is sent to a release: its golden cases, what the user gives, or blanks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.client import request as requests
from slipway.errors import SlipwayError
from slipway.loadtest.answer import Request
from slipway.model.interface import Interface, blank_request
from slipway.testing import golden
from slipway.triton import kserve
from slipway.triton.datatypes import Array


def of_release(
    name: str, target: str, interface: Interface, folder: Path, given: Mapping[str, Any] | None
) -> tuple[list[Request], str]:
    """Return the encoded requests for the release ``target`` of ``name``, and their origin.

    ``given`` is sent if there is such; else the inputs of each golden case below ``folder`` that
    expects an answer and fits this release; else zeros and empty strings.

    Raises:
        SlipwayError: ``given`` does not fit the release's inputs, or a body is too large.
    """
    arrays, said = arrays_of(name, interface, folder, given)
    made = []
    for one in arrays:
        body, content_type = kserve.encode(one)
        requests.check_size(body, one, interface)
        made.append(Request(target, body, content_type))
    return made, said


def arrays_of(
    name: str, interface: Interface, folder: Path, given: Mapping[str, Any] | None
) -> tuple[list[dict[str, Array]], str]:
    """As :func:`of_release`, before encoding."""
    if given is not None:
        return [requests.fit(interface, given, name=name)], "the inputs given"
    fitting = []
    for case in golden.cases(folder):
        if expects_error(case):
            continue
        try:
            fitting.append(requests.fit(interface, golden.inputs(case), name=name))
        except SlipwayError:
            continue  # of another release of the model
    if fitting:
        return fitting, f"{len(fitting)} golden cases"
    return [blank_request(interface)], "zeros and empty strings, for want of golden cases"


def expects_error(case: Path) -> bool:
    """Whether a golden case is of a request that the model has to refuse."""
    try:
        expected = json.loads((case / golden.EXPECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(expected, dict) and "error" in expected
