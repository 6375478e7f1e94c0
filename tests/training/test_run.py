"""The record of a training run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.training.run import (
    RUN_ID,
    Compared,
    DataFile,
    Stage,
    TrainingRun,
    dump_run,
    load_run,
    new_run_id,
    parse_run,
    write_run,
)

text = st.text(max_size=8)
values = st.one_of(text, st.integers(), st.booleans(), st.floats(allow_nan=False))
files = st.builds(DataFile, text, text, st.none() | st.integers(0))
stages = st.builds(
    Stage,
    name=text,
    cmd=text,
    deps=st.lists(files, max_size=2).map(tuple),
    params=st.dictionaries(text, values, max_size=2),
    outs=st.lists(files, max_size=2).map(tuple),
    source=st.sampled_from(["ran", "run cache", "unchanged"]),
)
runs = st.builds(
    TrainingRun,
    place=st.sampled_from(["local", "sagemaker", "airflow"]),
    seconds=st.floats(0, 1e6),
    stages=st.lists(stages, max_size=2).map(tuple),
    parameters=st.dictionaries(text, values, max_size=2),
    metrics=st.dictionaries(text, st.floats(allow_nan=False), max_size=2),
    jobs=st.lists(text, max_size=2).map(tuple),
    compared=st.none()
    | st.builds(
        Compared,
        release=st.none() | text,
        metrics=st.dictionaries(text, st.floats(allow_nan=False), max_size=2),
        verdict=st.sampled_from(["better", "equal", "worse", "none"]),
        rules=st.dictionaries(text, st.dictionaries(text, values, max_size=1), max_size=1),
        broken=st.lists(text, max_size=2).map(tuple),
    ),
    reason=st.none() | text,
)


@given(runs)
def test_a_run_is_read_as_it_was_written(run: TrainingRun) -> None:
    assert parse_run(dump_run(run), where="x") == run
    assert dump_run(parse_run(dump_run(run), where="x")) == dump_run(run)


def test_an_id_names_the_model_and_the_time() -> None:
    name = new_run_id("screen_detection", datetime(2026, 12, 1, 2, 3, 4, tzinfo=UTC))
    match = RUN_ID.fullmatch(name)
    assert match is not None and match["model"] == "screen_detection"
    assert match["time"] == "20261201T020304Z"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "stages": [], "jobs": [], "compared": null}'],
)
def test_what_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "run.json").write_text(text)
    with pytest.raises(SlipwayError, match="not the record of a training run") as caught:
        load_run(tmp_path)
    assert caught.value.where == str(tmp_path / "training" / "run.json")


def test_a_folder_without_a_record_has_none(tmp_path: Path) -> None:
    assert load_run(tmp_path) is None
    run = TrainingRun("a-1", "a", "local", "c", False, "2026-12-01T00:00:00Z", 1.0, "", ())
    assert write_run(tmp_path, run) == tmp_path / "training" / "run.json"
    assert load_run(tmp_path) == run
