"""The evaluation gate: what was measured of an artifact, beside what production serves."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.evaluation import evaluation, metrics_file
from slipway.release.evaluation.evaluation import Evaluation, MetricComparison
from tests.artifact.samples import packed, write_environment, write_model

AUC: dict[str, Any] = {"better": "higher", "margin": 0.005}
RULES = {"auc": AUC}
TOML = '[metric.auc]\nbetter = "higher"\nmargin = 0.005\n'
PROGRAM = "def evaluate(model): ...\n"


def record(
    metrics: dict[str, float] | None,
    rules: dict[str, dict[str, Any]] | None = None,
    version: str = "1.2.0",
) -> Record:
    """A release of ``tiny`` with these metrics."""
    made = Manifest("tiny", version, "tiny_pipeline", {}, {}, None, "slipway 0")
    target = f"tiny_{version}.tar.gz"
    return Record(
        made, target, "0" * 64, "2026-01-01T00:00:00Z", Origin(), metrics=metrics, rules=rules
    )


def states(candidate: Record, served: Record | None) -> dict[str, str]:
    return {each.name: each.state for each in evaluation.compare_metrics(candidate, served)}


def test_a_worse_metric_is_refused_with_both_values_and_the_margin() -> None:
    with pytest.raises(SlipwayError) as caught:
        evaluation.refuse_worse(
            record({"auc": 0.91}, RULES, "1.3.0"), record({"auc": 0.9791}, RULES)
        )
    assert caught.value.what == (
        "tiny 1.3.0 may not go to production, which serves 1.2.0:\n"
        "  auc (higher is better): 0.91, production has 0.9791: worse by 0.0691, allowed is 0.005"
    )
    assert caught.value.where == "models/tiny/evaluation.toml"
    assert caught.value.fix == "train it further, or change its rule there"


def test_a_metric_within_its_margin_is_let_through() -> None:
    evaluation.refuse_worse(record({"auc": 0.9741}, RULES), record({"auc": 0.9791}, RULES))


def test_a_lower_metric_is_better_where_the_rule_says_so() -> None:
    rules = {"loss": {"better": "lower", "margin": "10 %"}}
    evaluation.refuse_worse(record({"loss": 0.22}, rules), record({"loss": 0.2}))
    with pytest.raises(SlipwayError, match=r"worse by 0.03, allowed is 0.02 \(10 %\)"):
        evaluation.refuse_worse(record({"loss": 0.23}, rules), record({"loss": 0.2}))


@pytest.mark.parametrize("metrics", [{}, None, {"other": 1.0}])
def test_a_metric_that_disappeared_counts_as_worse(metrics: dict[str, float] | None) -> None:
    with pytest.raises(SlipwayError, match="not measured, production has 0.9") as caught:
        evaluation.refuse_worse(record(metrics, RULES), record({"auc": 0.9}))
    assert "slipway evaluate models/tiny" in str(caught.value.fix)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_not_finite_counts_as_worse(value: float) -> None:
    with pytest.raises(SlipwayError, match=f": {value:g}, production has 0.9: not a finite number"):
        evaluation.refuse_worse(record({"auc": value}, RULES), record({"auc": 0.9}))


@pytest.mark.parametrize("metrics", [{"auc": 0.1}, {"auc": math.nan}, {}, None])
def test_where_production_serves_nothing_no_comparison_refuses(
    metrics: dict[str, float] | None,
) -> None:
    evaluation.refuse_worse(record(metrics, RULES), None)
    evaluation.refuse_worse(record(metrics, RULES), record(None))


@pytest.mark.parametrize("metrics", [{"auc": 0.94}, {"auc": math.nan}, {}])
def test_where_production_serves_nothing_bounds_hold(metrics: dict[str, float]) -> None:
    with pytest.raises(SlipwayError, match="has to be at least 0.95") as caught:
        evaluation.refuse_worse(record(metrics, {"auc": AUC | {"at_least": 0.95}}), None)
    assert "production has" not in caught.value.what


def test_a_bound_holds_though_production_is_worse_still() -> None:
    with pytest.raises(SlipwayError, match=": 0.94, production has 0.9: has to be at least 0.95"):
        evaluation.refuse_worse(
            record({"auc": 0.94}, {"auc": AUC | {"at_least": 0.95}}), record({"auc": 0.9})
        )


def test_a_model_without_rules_is_never_refused() -> None:
    evaluation.refuse_worse(record({"auc": 0.1}), record({"auc": 0.9}, RULES))


def test_the_candidates_own_rules_count_and_what_they_loosened_is_named() -> None:
    loose = {"auc": AUC | {"margin": 0.05}}
    served = record({"auc": 0.97, "f1": 0.9}, {"auc": AUC, "f1": {"better": "higher"}})
    evaluation.refuse_worse(record({"auc": 0.93, "f1": 0.9}, loose), served)
    with pytest.raises(SlipwayError) as caught:
        evaluation.refuse_worse(record({"auc": 0.91, "f1": 0.9}, loose), served)
    assert "auc: its rule was loosened: margin was 0.005, is 0.05" in caught.value.what
    assert "f1: its rule was loosened: it was removed" in caught.value.what


def test_every_metric_is_compared_those_with_a_rule_first() -> None:
    rules = dict.fromkeys(("better", "same", "allowed", "refused", "missing"), AUC)
    candidate = record(
        {"better": 0.99, "same": 0.9, "allowed": 0.899, "refused": 0.5, "a": 1, "c": 2}, rules
    )
    served = record(dict.fromkeys(rules, 0.9) | {"a": 1.0, "b": 1.0, "c": 1.0})
    found = evaluation.compare_metrics(candidate, served)
    assert [each.name for each in found] == [*sorted(rules), "a", "b", "c"]
    assert states(candidate, served) == {
        "better": "better",
        "same": "same",
        "allowed": "allowed",
        "refused": "refused",
        "missing": "refused",
        "a": "same",
        "b": "gone",
        "c": "changed",
    }
    assert set(states(candidate, None).values()) == {"new"}


def test_a_new_metric_with_a_rule_is_let_through() -> None:
    assert evaluation.compare_metrics(record({"auc": 0.5}, RULES), record({})) == [
        MetricComparison("auc", 0.5, None, {"better": "higher", "margin": 0.005}, "new")
    ]


NAMES = st.dictionaries(st.sampled_from("abc"), st.floats(0, 1) | st.just(math.nan), max_size=3)


@given(NAMES, NAMES, st.dictionaries(st.sampled_from("abcd"), st.just(AUC), max_size=4))
def test_a_promotion_is_refused_exactly_where_the_comparison_says_so(
    mine: dict[str, float], theirs: dict[str, float], rules: dict[str, dict[str, Any]]
) -> None:
    candidate, served = record(mine, rules), record(theirs, rules)
    refused = [e for e in evaluation.compare_metrics(candidate, served) if e.state == "refused"]
    assert all(each.said for each in refused)
    if refused:
        with pytest.raises(SlipwayError) as caught:
            evaluation.refuse_worse(candidate, served)
        assert all(
            f"  {each.name} (" in caught.value.what and str(each.said) in caught.value.what
            for each in refused
        )
    else:
        evaluation.refuse_worse(candidate, served)


@given(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1), max_size=3))
def test_the_release_that_is_served_already_is_never_refused(metrics: dict[str, float]) -> None:
    rules = dict.fromkeys(metrics, AUC)
    evaluation.refuse_worse(record(metrics, rules), record(metrics, rules))


def test_damaged_rules_of_a_record_are_an_error() -> None:
    with pytest.raises(SlipwayError, match="rules in a release's record are damaged"):
        evaluation.compare_metrics(record({}, {"auc": {"better": "bigger"}}), None)


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return packed(write_model(tmp_path / "checkout"), write_environment(tmp_path / "environment"))


@pytest.fixture
def folder(artifact: Artifact) -> Path:
    return artifact.path.parent.parent / "models" / "tiny"


def test_what_was_measured_of_these_bytes_is_read_with_the_rules(
    artifact: Artifact, folder: Path
) -> None:
    (folder / "evaluation.toml").write_text(TOML)
    file = metrics_file.write_metrics(artifact, {"auc": 0.97, "f1": math.nan})
    assert file == artifact.path.parent / "tiny_1.2.0.metrics.json"
    found = evaluation.read_evaluation(folder, artifact)
    assert found is not None
    assert found.metrics["auc"] == 0.97 and math.isnan(found.metrics["f1"])
    assert (found.rules, found.notes) == (RULES, ())
    assert evaluation.read_evaluation(folder, artifact) is not None


def test_the_metrics_file_is_json_without_nan(artifact: Artifact) -> None:
    file = metrics_file.write_metrics(artifact, {"f1": math.nan, "auc": 0.5})

    def never(constant: str) -> float:
        raise AssertionError(constant)

    said = json.loads(file.read_text(), parse_constant=never)
    assert said == {
        "artifact": "tiny_1.2.0.tar.gz",
        "sha256": artifact.sha256,
        "metrics": {"auc": 0.5, "f1": None},
    }


def test_metrics_of_other_bytes_are_left_out_with_the_reason(
    artifact: Artifact, folder: Path
) -> None:
    (folder / "evaluation.toml").write_text(TOML)
    metrics_file.write_metrics(Artifact(artifact.path, sha256="f" * 64), {"auc": 0.97})
    found = evaluation.read_evaluation(folder, artifact)
    assert found is not None and found.metrics == {}
    assert "measured on other bytes (sha256 ffffffffffff)" in found.notes[0]
    assert "slipway evaluate" in found.notes[0]


def test_a_program_that_was_not_run_is_mentioned(artifact: Artifact, folder: Path) -> None:
    (folder / "evaluation.toml").write_text(TOML)
    (folder / "evaluate.py").write_text(PROGRAM)
    found = evaluation.read_evaluation(folder, artifact)
    assert found is not None
    assert found.notes == (
        f"evaluate.py has not measured this artifact: slipway evaluate {folder}",
    )


def test_a_model_with_neither_has_no_evaluation(artifact: Artifact, folder: Path) -> None:
    assert evaluation.read_evaluation(folder, artifact) is None
    assert evaluation.read_evaluation(folder, None) is None


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"sha256": "x", "metrics": {"auc": []}}'])
def test_a_damaged_metrics_file_is_an_error(artifact: Artifact, folder: Path, text: str) -> None:
    metrics_file.metrics_path(artifact.path).write_text(text)
    with pytest.raises(SlipwayError, match="damaged") as caught:
        evaluation.read_evaluation(folder, artifact)
    assert caught.value.where == str(metrics_file.metrics_path(artifact.path))
    assert caught.value.fix == f"slipway evaluate {folder}"


def test_an_evaluation_survives_the_record_that_it_travels_in(artifact: Artifact) -> None:
    from slipway.catalog import record as records

    told = Evaluation({"auc": 0.97, "f1": math.nan}, RULES)
    before = replace(record(told.metrics, told.rules), target="tiny_1.2.0.tar.gz")
    after = records.parse_record(before.dump(), "key")
    assert [each.name for each in evaluation.compare_metrics(after, None)] == ["auc", "f1"]
    assert after.metrics is not None and math.isnan(after.metrics["f1"])
    assert after.rules == RULES
    assert hashlib.sha256(after.dump()).digest() == hashlib.sha256(before.dump()).digest()
