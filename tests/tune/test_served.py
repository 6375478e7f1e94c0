"""Candidates on a real server: what counts, what is refused, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.tune import tune as tuning
from slipway.tune.answers import Answers
from slipway.tune.candidate import BASELINE, Candidate, Change
from slipway.tune.estimate import Clients
from slipway.tune.frontier import Limits
from slipway.tune.load import CandidateFailed
from slipway.tune.local import LocalPlace
from slipway.tune.place import loaded
from slipway.tune.session import Session, Terms, hold_baseline
from slipway.tune.space import Extent
from slipway.tune.state import State, load_state
from slipway.tune.tune import Tuned, Wish
from tests.tune import served_models

LONG = 3600.0  # of no test's budget: it is enough on any machine
BLOCK_S = 0.05
TWO_THREADS: Candidate = (Change("doubling", "threads", 2),)
# whatever is asked meanwhile is joined
JOINED: Candidate = (Change("mixing", "batching", 300_000),)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A repository with two models."""
    root = tmp_path_factory.mktemp("repository")
    served_models.packed(served_models.doubling(root / "models" / "doubling"), root / "dist")
    served_models.mixing(root / "models" / "mixing")
    return Settings(root=root)


def place_of(settings: Settings, name: str) -> LocalPlace:
    folder = settings.root / "models" / name
    return LocalPlace(settings, folder, served_models.packed(folder, settings.root / "packed").path)


@pytest.fixture(scope="module")
def place(settings: Settings) -> Iterator[LocalPlace]:
    """A server that has loaded ``doubling``."""
    with place_of(settings, "doubling") as place:
        yield place


def tune(settings: Settings, budget: float = LONG, **wish: object) -> Tuned:
    folder = settings.root / "models" / "doubling"
    extent = Extent(clients=2, names=frozenset({"threads"}), cores=2)
    terms = Terms(Clients(1, 2), budget, block_s=BLOCK_S)
    wanted = Wish("throughput", Limits(), extent, terms, **wish)  # type: ignore[arg-type]
    return tuning.tune(folder, settings, packed(settings), wanted, lambda _: nullcontext())


def packed(settings: Settings) -> Artifact:
    """The artifact of ``doubling``: packed once, because another one has other bytes."""
    path = settings.root / "dist" / "doubling_1.0.0.tar.gz"
    manifest = Manifest("doubling", "1.0.0", "doubling", {}, {}, None, "slipway")
    return Artifact(path, manifest=manifest)


def test_all_values_are_measured_and_a_repeated_run_measures_none_again(
    settings: Settings,
) -> None:
    first = tune(settings, exhaustive=True).report
    assert not first.failures
    assert {point.candidate for point in first.points} == {
        BASELINE,
        (Change("doubling", "threads", 1),),
        TWO_THREADS,
    }
    assert first.chosen in first.points and not first.failures and first.reused == 0
    assert all(point.values["memory"] > 1e6 and point.values["cpu"] > 0 for point in first.points)
    again = tune(settings, budget=0.0, exhaustive=True).report
    assert again.reused == 3 and again.points == first.points and again.chosen == first.chosen


def test_a_budget_that_is_spent_before_anything_is_measured_chooses_nothing(
    settings: Settings,
) -> None:
    other = Wish(
        "latency",
        Limits(),
        Extent(clients=3, names=frozenset({"threads"}), cores=2),
        Terms(Clients(1, 3), 0.0),
    )
    folder = settings.root / "models" / "doubling"
    report = tuning.tune(folder, settings, packed(settings), other, lambda _: nullcontext()).report
    assert report.chosen is None and "the budget is spent" in report.ended


def test_a_graph_that_mixes_its_batch_is_refused_with_a_batcher(settings: Settings) -> None:
    with place_of(settings, "mixing") as place:
        answers = Answers(settings.root / "models" / "mixing", place.baseline_model)
        hold_baseline(answers, place)
        state = State(settings.root / "state.json")
        session = Session(
            place, answers, state, Terms(Clients(1, 8), LONG), lambda _: nullcontext()
        )
        session.measure(JOINED, 1)
    failure = state.measured[JOINED].failure
    assert failure is not None and failure.startswith("asked together with others, it answers")
    assert load_state(state.path).measured[JOINED].failure == failure


def test_a_candidate_that_does_not_load_says_why_and_the_next_one_does(place: LocalPlace) -> None:
    wrong: Candidate = (Change("doubling", "threads", "many"),)
    with pytest.raises(CandidateFailed, match="failed to convert 'many'"), loaded(place, wrong):
        pass
    with loaded(place, TWO_THREADS) as (model, _):
        assert model({"X": served_models.ones(4)})["Y"].tolist() == [[2.0] * 4]


def test_the_config_as_it_is_stays_as_it_is(place: LocalPlace) -> None:
    file = place.folder() / "doubling" / "config.pbtxt"
    before = file.read_bytes()
    with loaded(place, TWO_THREADS) as (model, _):
        changed = place.folder(model.target)
        assert '"2"' in (changed / "doubling" / "config.pbtxt").read_text()
    assert file.read_bytes() == before and not changed.exists()


def test_a_model_that_does_not_hold_its_cases_is_not_tuned(settings: Settings) -> None:
    folder = served_models.doubling(settings.root / "models" / "wrong")
    case = folder / "tests" / "cases" / "case_0" / "expected.json"
    case.write_text(case.read_text().replace("8", "9"))
    with place_of(settings, "wrong") as place:
        answers = Answers(folder, place.baseline_model)
        with pytest.raises(SlipwayError, match="does not hold") as error:
            hold_baseline(answers, place)
    assert error.value.fix == "slipway test wrong"


def test_a_model_without_cases_is_held_to_its_own_answers(
    settings: Settings, place: LocalPlace, tmp_path: Path
) -> None:
    answers = Answers(tmp_path, place.baseline_model)
    assert answers.origin.startswith("its own answers to zeros")
    with loaded(place, TWO_THREADS) as (model, _):
        answers.check(model)
