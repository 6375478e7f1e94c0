"""Thresholds and evaluate.py: no finding where the rules know too little."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check.rules.evaluation_8xx import evaluation
from tests.check import fixture_repositories as repositories

TOML = 'files = ["metrics.json"]\n[metric.auc]\nbetter = "higher"\n'
PROGRAMS = [
    "from helper import evaluate\n",
    "from helper import *\n",
    "from helper import measure as evaluate\n",
    "evaluate = lambda model: {}\n",
    "if True:\n    def evaluate(model): ...\n",
    "class evaluate:\n    def __new__(cls, model): ...\n",
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return repositories.make("good", tmp_path)


def rules(model: Path) -> list[str]:
    return [finding.rule for finding in repositories.find_all(model.parent.parent)]


def test_missing_metrics_files_have_no_finding(model: Path) -> None:
    (model / "evaluation.toml").write_text(TOML)
    assert rules(model) == []
    (model / "metrics.json").write_text('{"f1": 0.5}')
    assert rules(model) == ["SW802"]


def test_the_metrics_of_a_program_are_unknown(model: Path) -> None:
    (model / "evaluation.toml").write_text(TOML)
    (model / "metrics.json").write_text('{"f1": 0.5}')
    (model / "evaluate.py").write_text(PROGRAMS[0])
    assert rules(model) == []


def test_metrics_of_another_kind_are_not_judged(model: Path) -> None:
    (model / "evaluation.toml").write_text(TOML)
    for text in ("{", "[1, 2]", "0.5"):
        (model / "metrics.json").write_text(text)
        assert rules(model) == []


def test_a_metric_may_be_named_with_its_file(model: Path) -> None:
    (model / "metrics.json").write_text('{"auc": 0.5}')
    (model / "evaluation.toml").write_text(TOML.replace("auc", '"metrics.json:auc"'))
    assert rules(model) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_function_may_come_from_anywhere(model: Path, program: str) -> None:
    (model / "evaluate.py").write_text(program)
    assert rules(model) == []


@pytest.mark.parametrize("program", ["", "async def evaluate(model): ...\n", "evaluate(1)\n"])
def test_a_name_that_cannot_be_the_function_is_reported(model: Path, program: str) -> None:
    (model / "evaluate.py").write_text(program)
    assert rules(model) == ["SW803"]


@pytest.mark.parametrize(
    "text",
    ['{"a": {"b": 1, "c": {"d": 2}}, "e": [{"f": 1}]}', "{}", "null", "[1]", "{", '{"a": {}}']
    + ['{"a.b": 1, "a": {"b": 2}}', '{"a": 1, "a": 2}', '"text"', '{"a": {"b": {}}, "c": null}'],
)
def test_metrics_in_json_have_the_names_that_dvc_gives_them(text: str, tmp_path: Path) -> None:
    from dvc.utils.flatten import flatten
    from dvc.utils.serialize import LOADERS

    file = tmp_path / "metrics.json"
    file.write_text(text)
    try:
        names: set[str] | None = set(flatten(LOADERS[".json"](str(file))))
    except Exception:  # each mistake has an error of its own
        names = None
    assert evaluation._metrics(file) == names
