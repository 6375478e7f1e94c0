"""Calls of models from code (BLS): every form that people write is found and renamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.adopt.edits import edit_code
from slipway.check.foreign.calls import Calls, calls_of
from slipway.check.foreign.config_text import ConfigText
from slipway.check.foreign.discover import SourceModel
from tests.adopt.conftest import PYTHON, python_model

HEAD = "import triton_python_backend_utils as pb_utils\n\n\n"


def read(source: Path, code: str) -> tuple[Calls, str]:
    """The calls of a model with this code, and the code with the new names."""
    directory = python_model(source, "faces", HEAD + code)
    model = SourceModel(directory, ConfigText(directory / "config.pbtxt", PYTHON))
    calls = calls_of(model, ["faces", "detector", "reader"])
    file = directory / "1" / "model.py"
    new = {"detector": "faces_detector", "reader": "faces_reader"}
    return calls, edit_code(file.read_text(), file, calls.named, new).removeprefix(HEAD)


@pytest.mark.parametrize(
    "code",
    [
        'pb_utils.InferenceRequest(model_name="detector", inputs=[])\n',
        "pb_utils.InferenceRequest(model_name='detector', inputs=[])\n",
        'NAME = "detector"\npb_utils.InferenceRequest(model_name=NAME, inputs=[])\n',
        'pb_utils.InferenceRequest("1", 2, [], ["Y"], "detector")\n',
        "def call(name):\n    return pb_utils.InferenceRequest(model_name=name)\n\n\n"
        'call("detector")\n',
        "class Client:\n    def __init__(self, name):\n        self.name = name\n\n"
        "    def call(self):\n        return pb_utils.InferenceRequest(model_name=self.name)\n\n\n"
        'client = Client("detector")\n',
        'NAMES = {"boxes": "detector"}\n'
        'pb_utils.InferenceRequest(model_name=NAMES["boxes"], inputs=[])\n',
        'for name in ("detector",):\n    pb_utils.InferenceRequest(model_name=name)\n',
    ],
)
def test_a_called_model_is_renamed_where_its_name_is_written(code: str, source: Path) -> None:
    calls, after = read(source, code)
    assert calls.names == {"detector"}
    assert calls.computed == ()
    assert after == code.replace("detector", "faces_detector")


def test_a_tensor_with_the_name_of_a_model_keeps_it(source: Path) -> None:
    code = (
        'x = pb_utils.Tensor("detector", a)\n'
        'pb_utils.InferenceRequest(model_name="detector", requested_output_names=["detector"],'
        " inputs=[x])\n"
        'pb_utils.get_output_tensor_by_name(x, "detector")\n'
    )
    assert read(source, code)[1] == code.replace(
        'model_name="detector"', 'model_name="faces_detector"'
    )


def test_characters_outside_of_ascii_do_not_shift_a_name(source: Path) -> None:
    code = 'größe = "Maß: “é”"; pb_utils.InferenceRequest(model_name="reader")  # für\n'
    assert read(source, code)[1] == code.replace('"reader"', '"faces_reader"')


def test_a_name_that_is_computed_is_a_step_by_hand(source: Path) -> None:
    calls, after = read(source, "pb_utils.InferenceRequest(model_name=f'{kind}_detector')\n")
    assert [line for _, line in calls.computed] == [4]
    assert calls.names == frozenset()
    assert "faces_detector" not in after


def test_code_that_calls_no_model_names_none(source: Path) -> None:
    assert read(source, 'print("detector")\n')[0] == Calls()


def test_a_model_that_the_code_loads_is_known(source: Path) -> None:
    calls, _ = read(
        source,
        'pb_utils.load_model("reader")\npb_utils.InferenceRequest(model_name="reader")\n',
    )
    assert calls.loaded == {"reader"}
