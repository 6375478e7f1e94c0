"""Choose a request to a model that it can be expected to answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from slipway.model.interface import blank_request
from slipway.testing import golden
from slipway.testing.model import Model
from slipway.triton.datatypes import Array

BLANK = "zeros and empty strings"


class Request(NamedTuple):
    """One request: its inputs by name, its own parameters, and for people where it comes from."""

    arrays: Mapping[str, Array]
    parameters: Mapping[str, Any]
    origin: str = BLANK

    @property
    def is_blank(self) -> bool:
        """Return whether nobody wrote it: the model need not answer it."""
        return self.origin == BLANK


def choose_request(model: Model, folder: Path) -> Request:
    """Return a request to the model in ``folder``.

    It is that of the first golden case that expects an answer. Without one it is the last request
    that ``model`` has answered, and before the first answer a batch of one, of zeros and empty
    strings.

    Raises:
        SlipwayError: the golden case is malformed.
    """
    for case in golden.cases(folder):
        if golden.expected_error(case) is None:
            arrays = model.arrays(golden.inputs(case))
            return Request(arrays, golden.parameters(case), f"the golden case {case.name}")
    if model.answered is not None:
        return Request(*model.answered, "a request of the model's own tests")
    return Request(blank_request(model.interface), {})
