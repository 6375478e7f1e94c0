"""What has no equal in a graph is named with its line, and with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.fold.standalone import compare
from slipway.fold.trace import trace
from tests.fold.steps import Tensors, write_step

INPUTS: Tensors = {"x": ("FP32", [4]), "t": ("STRING", [1])}
OUTPUTS: Tensors = {"P": ("FP32", [4])}
REFUSED = {
    "P = x if x[0, 0] > 1 else -x": "it picks rows of the batch",
    "P = x if x.sum(axis=1) > 1 else -x": "it decides on the value of a tensor",
    "P = np.array([row for row in x])": "a loop over a tensor's rows",
    "P = np.zeros((len(x), 4), np.float32) + x": "it depends on the number of rows",
    "P = np.zeros((x.shape[0], 4), np.float32) + x": "it depends on the number of rows",
    "P = x / x.sum()": "np.sum over all dimensions",
    "P = x - x.mean(axis=0)": "np.mean over the batch: rows would be mixed",
    "P = x + x[:, 0]": "are joined across rows",
    "P = x[x > 0.5]": "a mask",
    "P = [1, 2, 3, 4][x.argmax(axis=1)]": "a tensor as the index of a list",
    "x += 1; P = x": "it changes an array in place",
    "x[:, 0] = 1; P = x": "it writes into an array",
    "P = np.where(t == 'x', x, -x)": "strings of Triton's tensors are bytes",
    "P = np.linalg.norm(x, axis=1)": "",
    "P = np.argsort(x, axis=1).astype(np.float32)": "which of equal values is first",
    "P = x.astype(np.float16) * 2": "which ONNX Runtime does not compute",
    "P = t.astype(np.float32)": "numbers and texts are converted into each other",
    "P = np.full((1, 4), 7, np.float32)": "does not depend on the inputs",
    "P = x.astype(np.float64)": "where the config has FP32",
    "P = x[:, :2]": "of the shape [rows, 2], where the config has FP32 [rows, 4]",
    "P = x * float(request.flags())": "flags(), which a graph does not have",
    "pb_utils.Logger.log_info('x'); P = x": "pb_utils.Logger",
    "return pb_utils.InferenceResponse(error=pb_utils.TritonError('no'))": "it answers an error",
    "P = x + missing": "NameError",
}


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
def test_an_operation_without_an_equal_is_named_with_its_line(body: str, tmp_path: Path) -> None:
    model = write_step(tmp_path / "step", INPUTS, OUTPUTS, f"{body}\nP = P")
    with pytest.raises(SlipwayError) as refused:
        trace(model)
    assert REFUSED[body] in refused.value.what
    assert refused.value.fix
    file, _, line = str(refused.value.where).partition(".py")
    assert file.endswith("step/1/model")
    whole = ("does not depend", "where the config")  # of the answer, and not of a line
    if not any(part in REFUSED[body] for part in whole):
        code = (tmp_path / "step/1/model.py").read_text().splitlines()
        assert line == f":{code.index(f'        {body}') + 1}"


def test_a_fix_works_when_followed(tmp_path: Path) -> None:
    """The fixes of some refusals above, written out."""
    body = """
    P = np.where(x.sum(axis=1, keepdims=True) > 1, x, -x)
    P = P / x.sum(axis=1, keepdims=True) + x[:, 0][:, np.newaxis] + np.full_like(x, 7)
    P = np.where(t == b"x", P, -P) + np.argsort(x, axis=1, kind="stable").astype(np.float32)
    """
    model = write_step(tmp_path / "step", INPUTS, OUTPUTS, body)
    assert compare(model, trace(model)) == 40


def test_what_is_imported_has_to_be_here(tmp_path: Path) -> None:
    model = write_step(tmp_path / "step", INPUTS, OUTPUTS, "P = x", head="import not_installed")
    with pytest.raises(SlipwayError, match="cannot be imported here: No module named"):
        trace(model)


def test_a_difference_to_the_code_is_found(tmp_path: Path) -> None:
    """A counter in the code answers otherwise each time: the graph has its first answer."""
    body = "self.count += 1\nP = x * np.float32(self.count)"
    model = write_step(tmp_path / "step", INPUTS, OUTPUTS, body, initialise="self.count = 0")
    with pytest.raises(SlipwayError, match="the graph answers P"):
        compare(model, trace(model))


def test_the_code_leaves_no_module_behind(tmp_path: Path) -> None:
    import sys

    model = write_step(tmp_path / "step", INPUTS, OUTPUTS, "P = x")
    before = set(sys.modules)
    trace(model)
    assert "triton_python_backend_utils" not in sys.modules
    assert not {name for name in set(sys.modules) - before if "step" in name}
    assert not list((tmp_path / "step").rglob("__pycache__"))
