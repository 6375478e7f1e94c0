"""What goes between two processes arrives as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.formats.exchange import converted_of, load_arrays, load_json, save_arrays, save_json
from slipway.formats.format import Converted, Feature, Tensor


@given(texts=st.lists(st.text(), max_size=5))
def test_texts_arrive_with_their_zeros_and_surrogates(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    file = tmp_path_factory.mktemp("arrays") / "a.npz"
    sent = [text.encode("utf-8", "replace").decode() for text in texts]
    save_arrays({"text": np.array([*sent, None], object)[:-1].reshape(-1, 1)}, file)
    assert load_arrays(file)["text"].tolist() == [[text] for text in sent]


def test_arrays_of_every_kind_arrive_with_any_name(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "file": np.zeros((2, 0), np.float16),
        "a/b:0": np.array([[1.5, np.nan]], np.float32),
        "": np.array(7, np.int64),
        "bytes": np.array([b"\xff\0", "é"], object),
    }
    save_arrays(arrays, tmp_path / "a.npz")
    loaded = load_arrays(tmp_path / "a.npz")
    assert list(loaded) == list(arrays)
    for name in ("file", "a/b:0", ""):
        assert loaded[name].dtype == arrays[name].dtype
        assert np.array_equal(loaded[name], arrays[name], equal_nan=True)
    assert loaded["bytes"].tolist() == ["\udcff\0", "é"]


def test_what_was_converted_arrives_whole(tmp_path: Path) -> None:
    features = (Feature("a", 0, 1, values=("x", 1)), Feature("b", float("-inf"), missing=True))
    converted = Converted(
        "fil",
        ("checkpoint.tl",),
        (Tensor("x", "FP32", (-1, 2), features, (3, 2)),),
        (Tensor("y", "FP32", ()),),
        served={"x": "input__0"},
        parameters={"model_type": "treelite_checkpoint"},
        repairs=("one",),
        gpu=True,
    )
    save_json(converted, tmp_path / "c.json")
    assert converted_of(load_json(tmp_path / "c.json")) == converted


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    save_json({"a": np.float32(0.5), "b": np.int64(3), "c": Path("x")}, tmp_path / "v.json")
    assert json.loads((tmp_path / "v.json").read_text()) == {"a": 0.5, "b": 3, "c": "x"}
