"""The report's section on the training: by which run, on what, and what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slipway.catalog.catalog import Catalog
from slipway.pipeline.report import facts, render
from slipway.pipeline.report.build import ModelReport
from slipway.pipeline.report.facts import TrainingFacts
from slipway.pipeline.report.view import sections
from slipway.store.open import open_stage
from tests.lineage.trained_repository import TRAINING, TrainedRepository, sample_run
from tests.pipeline.report import sample_report


def lines(trained: TrainingFacts | None) -> list[str]:
    section = sections.training(replace(sample_report.full(), training=trained))
    return [] if section is None else [cell.text for cell in section.lines]


def test_the_section_names_the_run_its_data_and_what_changed() -> None:
    markdown = render.render_markdown(sample_report.report())
    part = markdown[markdown.index("#### Training") :]
    assert "on sagemaker, 35 s, commit 7777777; better, compared with 1.0.0" in part
    assert "and 2 more files" in part
    assert "| `parameter train.rate` | 0.1 | 0.2 |" in part
    assert "differed from its commit" in part


def test_a_model_without_any_training_has_no_section() -> None:
    assert lines(None) == []


def test_weights_that_no_training_made_are_said_to_be_that() -> None:
    assert lines(TrainingFacts(None, served="m-20261101t000000z-ffffff", notes=("why",))) == [
        "why",
        "No recorded training made these weights.",
    ]


def test_the_same_training_and_an_unknown_one_are_said() -> None:
    run = sample_run()
    assert "It is the training of the release in production." in lines(
        TrainingFacts(run, served=run.id)
    )
    assert "The training of the release in production is not known." in lines(TrainingFacts(run))


def test_the_candidate_is_compared_with_the_training_in_production(tmp_path: Path) -> None:
    repository = TrainedRepository(tmp_path / "repository")
    settings, folder = repository.settings, repository.folder
    assert facts.training(settings, folder, repository.packed(), None) is None

    run = sample_run()
    repository.record(run)
    repository.publish()
    repository.promote()
    production = Catalog(open_stage(settings, "production"))
    record = production.record("tiny", production.alias("tiny").target)
    found = facts.training(settings, folder, repository.packed(), record)
    assert found == TrainingFacts(run, (f"{TRAINING}/rows.csv",), run.id)

    [rows, code] = run.stages[0].deps
    stage = replace(run.stages[0], deps=(replace(rows, hash=f"md5:{'0' * 32}"), code))
    later = replace(run, id="tiny-20261201t000000z-ffffff", stages=(stage, run.stages[1]))
    repository.record(later)
    found = facts.training(settings, folder, repository.packed(), record)
    assert found is not None and [(c.name, c.after) for c in found.changes] == [
        ("run", later.id),
        (f"data {TRAINING}/rows.csv", "0" * 12),
    ]
    model = ModelReport("tiny", training=found)
    section = sections.training(model)
    assert section is not None and section.heads == ("training", "production", "this branch")

    repository.record(sample_run(b"other weights"))
    found = facts.training(settings, folder, repository.packed(), record)
    assert found is not None and found.run is None and found.served == run.id
    assert found.notes[0].startswith("these weights are not from the recorded training")
