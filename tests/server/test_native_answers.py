"""The local ONNX backend answers as NVIDIA's does: see ``native_cases`` for where that is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.server.server import Server
from tests.server import native_cases
from tests.server.native_cases import Answer

# the native backend only counts inputs: here the load fails, there every second request
STRICTER = "required_optional_swapped"
DIES = "the server dies"


@pytest.mark.parametrize("name", native_cases.names())
def test_a_case_is_refused_or_answered_as_by_nvidias_backend(
    name: str, server: Server, tmp_path: Path
) -> None:
    case = native_cases.load(name)
    model = native_cases.make(name, tmp_path)
    if case.refused or name == STRICTER:
        with pytest.raises(SlipwayError) as caught:
            server.load(name, model)
        expected = case.refused or "input 'C' is optional in the model configuration, but not in"
        assert expected.replace("MODEL", name) in caught.value.what.replace(
            server.model_hash(name), name
        )
        return
    server.load(name, model)
    answers = native_cases.answers(server, name, case)
    assert len(answers) == len(case.answers)
    for answer, expected_answer in zip(answers, case.answers, strict=True):
        _compare(answer, expected_answer)
    server.unload(name)


def _compare(answer: Answer, expected: Answer) -> None:
    if isinstance(expected, str):
        assert isinstance(answer, str)
        message = expected.removeprefix("InferenceError: ").removeprefix("400 ")
        # one model's fault must not end the tests of all: it is an error that says so
        message = "which ends the whole server" if expected == DIES else message
        assert message in answer
        return
    assert not isinstance(answer, str), answer
    assert answer.keys() == expected.keys()
    for name, array in expected.items():
        assert answer[name].dtype == array.dtype
        np.testing.assert_array_equal(answer[name], array)
