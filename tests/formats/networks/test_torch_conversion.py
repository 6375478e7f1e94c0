"""PyTorch's files through its own environment: served equal to PyTorch, or refused with a cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.formats.conversion import Conversion
from slipway.formats.format import Tensor

type Run = Callable[..., Conversion]


def test_a_program_keeps_its_names_and_takes_any_number_of_rows(run: Run) -> None:
    conversion = run("picture.pt2")
    converted = conversion.converted
    assert conversion.options.backend == "onnxruntime"
    assert [(x.name, x.dims) for x in converted.inputs] == [("image", (1, 6, 6))]
    assert converted.outputs == (Tensor("output", "FP32", (3,)),)
    assert converted.max_batch_size == 16
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_a_program_of_one_row_says_how_rows_would_be_joined(run: Run) -> None:
    converted = run("one_row.pt2").converted
    assert converted.max_batch_size == 0 and converted.inputs[0].dims == (1, 1, 6, 6)
    assert any("Dim.DYNAMIC" in note for note in converted.notes)


def test_a_program_in_training_mode_is_refused(run: Run) -> None:
    with pytest.raises(SlipwayError, match="exported in training mode") as error:
        run("training_mode.pt2")
    assert error.value.fix and "model.eval() before torch.export.export" in error.value.fix


def test_a_checkpoint_with_its_code_is_served(run: Run) -> None:
    conversion = run("checkpoint.pth", code="nets.py", model="Picture", width="2", input="1,6,6")
    assert conversion.difference is not None and conversion.difference < 1e-6
    assert conversion.converted.repairs == (
        "the weights are those called state_dict in the checkpoint",
        "the prefix module. of the names of weights is removed",
    )


def test_weights_that_do_not_fit_name_the_arguments(run: Run) -> None:
    with pytest.raises(SlipwayError, match=r"the weights do not fit Picture\(\)") as error:
        run("picture.pth", code="nets.py", model="Picture", input="1,6,6")
    assert error.value.fix and "--set NAME=VALUE" in error.value.fix


def test_weights_without_code_ask_for_it(run: Run) -> None:
    with pytest.raises(SlipwayError, match="weights without the model") as error:
        run("picture.pth")
    assert error.value.fix and "--code FILE --set model=CLASS" in error.value.fix


def test_a_recurrent_network_has_named_outputs_and_sentences_of_any_length(run: Run) -> None:
    inputs = "tokens:INT64:-1;weight:FP32:1"
    conversion = run("sentence.pth", code="nets.py", model="Sentence", input=inputs)
    converted = conversion.converted
    assert [(x.name, x.datatype, x.dims) for x in (*converted.inputs, *converted.outputs)] == [
        ("tokens", "INT64", (-1,)),
        ("weight", "FP32", (1,)),
        ("scores", "FP32", (2,)),
        ("best", "INT64", (1,)),
    ]
    assert int(conversion.rows["tokens"].max()) == 19  # the last row of its table
    assert conversion.difference is not None and conversion.difference < 1e-6


def test_dropout_that_is_always_on_is_refused(run: Run) -> None:
    with pytest.raises(SlipwayError, match="output differs from call to call: dropout is on"):
        run("dropped.pth", code="nets.py", model="Dropped", input="3")


def test_torchscript_is_served_byte_for_byte(run: Run, files: Path) -> None:
    conversion = run("picture_traced.pt", input="1,6,6")
    assert conversion.options.backend == "pytorch"
    assert conversion.converted.served == {"image": "INPUT__0", "output": "OUTPUT__0"}
    original = (files / "picture_traced.pt").read_bytes()
    assert (conversion.folder / "model.pt").read_bytes() == original
    assert conversion.difference == 0.0


def test_torchscript_in_training_mode_is_saved_for_predictions(run: Run) -> None:
    conversion = run("training_mode_script.pt", input="1,6,6")
    assert "it was saved in training mode: eval()" in conversion.converted.repairs
    assert conversion.difference == 0.0


def test_torchscript_without_sizes_asks_for_them(run: Run) -> None:
    with pytest.raises(SlipwayError, match="does not tell the sizes of image") as error:
        run("picture_traced.pt")
    assert error.value.fix and "--set 'input=3,224,224'" in error.value.fix
