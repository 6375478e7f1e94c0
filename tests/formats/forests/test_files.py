"""Forests' files say what a conversion needs; those that nothing reads are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.forests.ubjson import MalformedError, read_ubjson
from slipway.formats.kinds.catboost import FORMAT as CATBOOST
from slipway.formats.kinds.lightgbm import FORMAT as LIGHTGBM
from slipway.formats.kinds.xgboost import FORMAT as XGBOOST
from slipway.formats.recognise import recognise


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("xgboost/binary.json", {"objective": "binary:logistic", "trees": 5, "features": 30}),
        ("xgboost/binary.ubj", {"version": "3.4.1", "booster": "gbtree", "categorical": False}),
        ("xgboost/dart.ubj", {"booster": "dart", "trees": 5}),
        ("xgboost/softmax.ubj", {"classes": 3, "trees": 15}),
        ("xgboost/two_targets.ubj", {"targets": 2, "trees": 5}),
        ("xgboost/categories.ubj", {"categorical": True}),
        ("lightgbm/ova.txt", {"objective": "multiclassova num_class:3 sigmoid:1", "trees": 12}),
        ("lightgbm/categories.txt", {"categorical": True, "features": 3}),
        ("catboost/texts.cbm", {"version": "1.2.10", "objective": "Logloss", "classes": 2}),
        ("catboost/categories.cbm", {"categorical": True, "features": 3, "trees": 5}),
    ],
)
def test_a_file_says_what_it_is(forests: Path, name: str, facts: dict[str, Any]) -> None:
    form, recognised = recognise(forests / name)
    assert form.name == name.partition("/")[0]
    assert {key: recognised.facts[key] for key in facts} == facts


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("xgboost/linear.ubj", "a linear model"),
        ("lightgbm/linear.txt", "linear functions"),
        ("lightgbm/zeros.txt", "takes zeros as missing"),
        ("catboost/categories.cbm", "columns of categories"),
        ("catboost/lossguide.cbm", "not symmetric"),
        ("catboost/two_targets.cbm", "is a classifier"),
    ],
)
def test_what_only_its_own_library_can_score_goes_to_python(
    forests: Path, name: str, why: str
) -> None:
    form, recognised = recognise(forests / name)
    choice = form.choose(recognised, "25.04")
    assert choice.backend == "python" and why in choice.reason and not choice.others


@pytest.mark.parametrize("triton", ["24.01", "25.08"])
def test_fil_is_no_way_where_it_reads_nothing_or_does_not_start(forests: Path, triton: str) -> None:
    form, recognised = recognise(forests / "xgboost/binary.ubj")
    choice = form.choose(recognised, triton)
    assert choice.backend == "onnxruntime" and "fil" not in choice.others
    assert f"FIL of Triton {triton}" in choice.reason


def test_fil_is_offered_for_what_onnx_runtime_does_not_have(forests: Path) -> None:
    form, recognised = recognise(forests / "xgboost/binary.ubj")
    choice = form.choose(recognised, "25.04")
    assert choice.backend == "onnxruntime"
    assert "gpu=true" in choice.others["fil"] and "contributions=true" in choice.others["fil"]


def test_the_old_binary_format_is_refused_with_what_to_do(forests: Path) -> None:
    with pytest.raises(SlipwayError, match="old binary format") as error:
        recognise(forests / "xgboost/old.model")
    assert error.value.fix and "save_model('model.json')" in error.value.fix


def test_a_model_of_a_newer_xgboost_is_refused_by_name(forests: Path, tmp_path: Path) -> None:
    document = json.loads((forests / "xgboost/binary.json").read_text())
    document["version"] = [4, 0, 0]
    file = tmp_path / "model.json"
    file.write_text(json.dumps(document))
    with pytest.raises(SlipwayError, match=r"XGBoost 4\.0\.0; the newest .* 3\.4"):
        recognise(file)


def test_a_text_of_a_newer_lightgbm_is_refused_by_name(forests: Path, tmp_path: Path) -> None:
    text = (forests / "lightgbm/ova.txt").read_text().replace("version=v4", "version=v5", 1)
    file = tmp_path / "model.txt"
    file.write_text(text)
    with pytest.raises(SlipwayError, match="version 5; the newest .* 4"):
        recognise(file)


def test_a_dump_that_lightgbm_cannot_load_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "dump.json"
    file.write_text('{"name": "tree", "version": "v4", "tree_info": []}')
    with pytest.raises(SlipwayError, match="a dump of a LightGBM model"):
        recognise(file)


@pytest.mark.parametrize(
    "name", ["xgboost/binary.ubj", "xgboost/binary.json", "lightgbm/ova.txt", "catboost/ova.cbm"]
)
def test_each_cut_of_a_file_is_refused_or_of_no_format(
    forests: Path, tmp_path: Path, name: str
) -> None:
    data = (forests / name).read_bytes()
    file = tmp_path / "cut"
    for size in range(0, len(data) - 1, 97):
        file.write_bytes(data[:size])
        contents = Contents(file)
        for form in (XGBOOST, LIGHTGBM, CATBOOST):
            try:
                recognised = form.recognise(contents)
            except SlipwayError as error:
                assert "not complete" in error.what
            else:
                # all trees are there: after them come parameters, or tables of categories
                whole = b"end of trees" in data[:size] or name.endswith(".cbm")
                assert recognised is None or whole


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[$", b"[$d#L" + b"\x7f" * 8, b"{i\x7f", b"S", b"[" * 1000, b"Q"]
)
def test_what_is_no_ubjson_is_an_error_of_its_own(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_ubjson(data)


def test_json_and_ubjson_hold_the_same_document(forests: Path) -> None:
    ubj = read_ubjson((forests / "xgboost/binary.ubj").read_bytes())
    text = json.loads((forests / "xgboost/binary.json").read_text())
    trees = [d["learner"]["gradient_booster"]["model"]["trees"] for d in (ubj, text)]
    for one, other in zip(*trees, strict=True):
        assert one["split_indices"].tolist() == other["split_indices"]
        assert one["split_conditions"].tolist() == pytest.approx(other["split_conditions"])
    assert ubj["version"] == text["version"]
