"""Select what a load test sends to a release: golden cases, --data, or zeros."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.client import request as requests
from slipway.errors import SlipwayError
from slipway.loadtest.exchange import Request
from slipway.model.interface import Interface, blank_request
from slipway.testing import golden
from slipway.triton import kserve
from slipway.triton.datatypes import Array

SEQUENCE = "sequence_id"
SEQUENCES = 16  # a golden case of a sequence is sent as so many, which do not wait for each other


@dataclass(frozen=True)
class Selected:
    """Inputs of one request, and the parameters of the request itself."""

    arrays: dict[str, Array]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def encode_requests(
    name: str, target: str, interface: Interface, folder: Path, data: Mapping[str, Any] | None
) -> tuple[list[Request], str]:
    """Return the encoded requests for the release ``target`` of ``name``, and their origin.

    These are ``data``; without it, the inputs of each golden case below ``folder`` that expects an
    answer and fits this release; without any, zeros and empty strings.

    Raises:
        SlipwayError: ``data`` does not fit the release's inputs, or a body is too large.
    """
    inputs, origin = select_inputs(name, interface, folder, data)
    encoded = []
    for selected in inputs:
        for parameters in _sequences(selected.parameters):
            body, content_type = kserve.encode(selected.arrays, parameters=parameters)
            requests.check_size(body, selected.arrays, interface)
            encoded.append(Request(target, body, content_type))
    return encoded, origin


def _sequences(parameters: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the parameters of equal requests: of several sequences, where they name one."""
    if not isinstance(first := parameters.get(SEQUENCE), int):
        return [parameters]
    return [{**parameters, SEQUENCE: first + number} for number in range(SEQUENCES)]


def select_inputs(
    name: str, interface: Interface, folder: Path, data: Mapping[str, Any] | None
) -> tuple[list[Selected], str]:
    """Return the inputs that :func:`encode_requests` encodes, and their origin."""
    if data is not None:
        return [Selected(requests.fit(interface, data, name=name))], "the inputs given"
    fitting = []
    for case in golden.cases(folder):
        if expects_error(case):
            continue
        try:
            arrays = requests.fit(interface, golden.inputs(case), name=name)
            fitting.append(Selected(arrays, golden.parameters(case)))
        except SlipwayError:
            continue  # of another release of the model
    if fitting:
        return fitting, f"{len(fitting)} golden cases"
    return [Selected(blank_request(interface))], "zeros and empty strings, for want of golden cases"


def expects_error(case: Path) -> bool:
    """Return whether a golden case is a request that the model must refuse."""
    try:
        expected = json.loads((case / golden.EXPECTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(expected, dict) and "error" in expected
