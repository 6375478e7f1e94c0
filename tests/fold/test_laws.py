"""Random expressions of numpy answer in the graph as numpy answers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.fold.standalone import compare
from slipway.fold.trace import trace
from tests.fold.steps import Tensors, write_step
from tests.thorough import examples

INPUTS: Tensors = {
    "x": ("FP32", [4]),
    "y": ("FP64", [4]),
    "n": ("INT32", [4]),
    "m": ("INT64", [4]),
    "u": ("UINT8", [4]),
    "b": ("BOOL", [4]),
    "t": ("STRING", [4]),
}
NUMBERS = st.sampled_from(["x", "y", "n", "m"])
CONSTANTS = st.sampled_from(
    ["0.5", "2", "-1.5", "np.float32(0.25)", "np.array([0.5, 1, 2, 3], np.float32)", "3"]
)


def _pair(operator: str) -> st.SearchStrategy[str]:
    return st.builds(f"({{}} {operator} {{}})".format, NUMBER, st.one_of(NUMBER, CONSTANTS))


FLOAT = st.builds("({}).astype(np.float32)".format, st.deferred(lambda: NUMBER))
CONDITION: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.just("b"),
        st.just("(t != b'x')"),
        st.just("(t == b'two words')"),
        st.just("t.astype(np.bool_)"),
        st.builds("({} >= {})".format, NUMBER, st.one_of(NUMBER, CONSTANTS)),
        st.builds("({} < {})".format, NUMBER, CONSTANTS),
        st.builds("({} == {})".format, st.one_of(st.just("u"), NUMBER), CONSTANTS),
        st.builds("(~{})".format, CONDITION),
        st.builds("({} & {})".format, CONDITION, CONDITION),
        st.builds("np.logical_or({}, {})".format, CONDITION, NUMBER),
        st.builds("np.isnan({})".format, FLOAT),
        st.builds("np.any({}, axis=1, keepdims=True)".format, CONDITION),
        st.builds("np.all({}, axis=-1, keepdims=True)".format, CONDITION),
    )
)
NUMBER: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        NUMBERS,
        st.just("u.astype(np.int32)"),
        st.builds("({}).astype(np.{})".format, NUMBERS, st.sampled_from(["float32", "int64"])),
        _pair("+"),
        _pair("-"),
        _pair("*"),
        st.builds("({} / 4)".format, NUMBER),
        st.builds("-{}".format, NUMBER),
        st.builds("abs({})".format, NUMBER),
        st.builds("np.where({}, {}, {})".format, CONDITION, NUMBER, st.one_of(NUMBER, CONSTANTS)),
        st.builds("np.clip({}, -1, 1)".format, NUMBER),
        st.builds("np.maximum({}, {})".format, NUMBER, NUMBER),
        st.builds("np.minimum({}, {})".format, NUMBER, CONSTANTS),
        st.builds("({}).max(axis=1, keepdims=True)".format, NUMBER),
        st.builds("np.min({}, axis=-1, keepdims=True)".format, NUMBER),
        st.builds("np.rint({})".format, FLOAT),
        st.builds("np.floor({})".format, FLOAT),
        st.builds("np.sqrt(abs({}))".format, FLOAT),
        st.builds("np.sign({})".format, NUMBERS),
        st.builds("np.sort({}, axis=1)".format, NUMBERS),
        st.builds("({})[:, ::-1]".format, NUMBER),
        st.builds("({})[:, [1, 0, 3, 2]]".format, NUMBERS),
        st.builds("({})[:, :1]".format, NUMBER),
        st.builds("({})[..., 0][:, None]".format, NUMBER),
        st.builds("np.argmax({}, axis=1)[:, None]".format, NUMBERS.filter(lambda n: n != "m")),
        st.builds("np.argsort({}, axis=1, kind='stable')".format, NUMBERS),
        st.builds("({}).sum(axis=1, keepdims=True)".format, st.sampled_from(["n", "m", "b"])),
        st.builds("self.table[({}).argmax(axis=1)]".format, st.sampled_from(["x", "y", "n"])),
        st.builds("np.full_like({}, 7)".format, NUMBERS),
        st.builds("np.concatenate([{0}[:, :2], {0}[:, 2:]], axis=1)".format, NUMBERS),
        st.builds("({}).reshape(-1, 2, 2).reshape(-1, 4)".format, NUMBERS),
        st.builds("np.expand_dims({}, 1).squeeze(axis=1)".format, NUMBER),
    )
)
TEXT: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.just("t"),
        st.just("b'yes'"),
        st.builds("np.where({}, {}, t)".format, CONDITION, TEXT),
        st.builds("np.where({}, {}, b'no')".format, CONDITION, TEXT),
        st.builds("self.words[({}).argmax(axis=1)][:, None]".format, st.sampled_from(["x", "n"])),
    )
)


@settings(
    max_examples=examples(1500, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(number=NUMBER, condition=CONDITION, text=TEXT)
def test_an_expression_answers_in_the_graph_as_in_numpy(
    number: str, condition: str, text: str
) -> None:
    body = f"""
    NUMBER = x.astype(np.float64) * 0 + ({number})
    NUMBER = NUMBER.astype(np.float64)
    TRUE = b | ({condition})
    TEXT = np.where(b, {text}, t).astype(np.object_)
    """
    with TemporaryDirectory() as folder:
        model = write_step(
            Path(folder).resolve() / "step",
            INPUTS,
            {"NUMBER": ("FP64", [4]), "TRUE": ("BOOL", [4]), "TEXT": ("STRING", [4])},
            body,
            initialise="self.table = np.arange(16, dtype=np.float32).reshape(4, 4)\n"
            "self.words = np.array([b'a', b'', b'ccc', b'd'], dtype=np.object_)",
        )
        traced = trace(model)
        assert compare(model, traced) == 40


@pytest.mark.parametrize(
    "body",
    [
        "e = np.exp(x - x.max(axis=1, keepdims=True))\nP = e / e.sum(axis=1, keepdims=True)",
        "P = 1 / (1 + np.exp(-x))",
        "P = np.log(x * x + 1) + np.tanh(x) + np.power(abs(x), 1.5)",
        "e = x - x.mean(axis=1, keepdims=True)\nP = e / (np.square(e).mean(axis=1)[:, None] + 1)",
        "P = np.round(x, 1)",
        "order = np.argsort(-x, axis=1, kind='stable')\nP = np.take_along_axis(x, order, axis=1)",
        "P = np.stack([x[:, 0], x[:, 1], x[:, 2], x[:, 3]], axis=1)",
        "P = np.asarray(x, dtype=np.float32)",
        "P = x.reshape(x.shape[0], 2, 2).transpose(0, 2, 1).reshape(-1, 4)",
    ],
    ids=["softmax", "sigmoid", "logs", "norm", "round", "top", "stack", "asarray", "transpose"],
)
def test_what_people_write_answers_in_the_graph_as_in_numpy(body: str, tmp_path: Path) -> None:
    model = write_step(tmp_path / "step", {"x": ("FP32", [4])}, {"P": ("FP32", [4])}, body)
    assert compare(model, trace(model)) == 40
