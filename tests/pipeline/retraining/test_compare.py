"""A training's metrics against what production serves, by the rules of evaluation.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.artifact.manifest import Manifest
from slipway.catalog import journal, keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.pipeline.retraining.compare import Comparison, compare_run
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from slipway.training.run import TrainingRun, Verdict

RULES = '[metric.auc]\nbetter = "higher"\nmargin = 0.01\nat_least = 0.5\n'


def run(**metrics: float) -> TrainingRun:
    return TrainingRun(
        "face-20261130T234000Z-00000a",
        "face",
        "local",
        "c" * 40,
        False,
        "2026-11-30T23:40:00Z",
        1.0,
        "0" * 64,
        (),
        metrics=metrics,
    )


class World:
    """A model's folder and production's releases."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "models" / "face"
        self.folder.mkdir(parents=True)
        (root / "slipway.toml").touch()
        self.write("evaluation.toml", RULES)
        self.production = StageStore(DirectoryStore(root / "store"), "production")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def serve(self, **metrics: float) -> None:
        target = "face_1.2.0.tar.gz"
        manifest = Manifest("face", "1.2.0", "face", {}, {}, None, "slipway")
        record = Record(manifest, target, "0" * 64, journal.now(), Origin(), metrics=metrics)
        store = self.production.store
        store.create(keys.record("production", "face", target), record.dump())
        move_alias(self.production, "face", single_target(target), "publish", Origin(), None)

    def compare(self, **metrics: float) -> Comparison:
        return compare_run(self.folder, run(**metrics), self.production)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("auc", "verdict", "why"),
    [
        (0.95, "better", "better: auc"),
        (0.9, "equal", "the same as production's 1.2.0"),
        (0.895, "equal", "worse within the margin: auc"),
        (0.88, "worse", "auc: worse by 0.02, allowed is 0.01"),
        (float("nan"), "worse", "auc: not a finite number"),
    ],
)
def test_the_verdict_is_that_of_a_promotion_with_a_reason(
    world: World, auc: float, verdict: Verdict, why: str
) -> None:
    world.serve(auc=0.9)
    made = world.compare(auc=auc)
    assert (made.verdict, made.why, made.release) == (verdict, why, "1.2.0")
    (metric,) = made.metrics
    assert metric.served == 0.9 and metric.rule is not None and metric.rule["margin"] == 0.01
    compared = made.compared()
    assert compared.metrics == {"auc": 0.9} and bool(compared.broken) == (verdict == "worse")
    # what Airflow's task reads: no NaN, which is not JSON
    assert json.loads(made.dump(), parse_constant=pytest.fail)["verdict"] == verdict


def test_without_a_release_only_bounds_can_refuse(world: World) -> None:
    made = world.compare(auc=0.7)
    assert (made.verdict, made.release) == ("none", None)
    assert made.why == "production serves no release of face"
    assert world.compare(auc=0.4).verdict == "worse"


def test_without_a_rule_nothing_is_judged_and_both_values_are_shown(world: World) -> None:
    world.write("evaluation.toml", "")
    world.serve(auc=0.9)
    made = world.compare(auc=0.1)
    assert made.verdict == "none" and "no rule in models/face/evaluation.toml" in made.why
    assert [(m.candidate, m.served) for m in made.metrics] == [(0.1, 0.9)]


def test_what_only_the_served_model_can_show_is_left_to_the_merge_requests_pipeline(
    world: World,
) -> None:
    world.write("evaluation.toml", RULES + '[metric.gap]\nbetter = "higher"\n')
    world.serve(auc=0.9, gap=0.5)
    missing = world.compare(auc=0.95)
    assert missing.verdict == "worse" and missing.why == "gap: not measured"
    world.write("evaluate.py", "")
    later = world.compare(auc=0.95)
    assert later.verdict == "better"
    assert later.notes == ("gap: measured by evaluate.py, in the merge request's pipeline",)


def test_a_missing_metrics_file_is_an_error_whose_fix_trains(world: World) -> None:
    world.write("evaluation.toml", 'files = ["training/metrics.json"]\n' + RULES)
    with pytest.raises(SlipwayError) as caught:
        compare_run(world.folder, None, world.production)
    assert "training/metrics.json" in str(caught.value)
    assert caught.value.fix == "slipway train face"


def test_a_training_that_measured_nothing_is_an_error_where_there_are_rules(world: World) -> None:
    with pytest.raises(SlipwayError, match="nothing was measured") as caught:
        world.compare()
    assert "dvc.yaml" in str(caught.value.fix)
    # a model without rules need not measure
    world.write("evaluation.toml", "")
    world.serve()
    made = world.compare()
    assert (made.verdict, made.why) == ("none", "the training measured nothing")
