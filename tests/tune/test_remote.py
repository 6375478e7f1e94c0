"""Candidates at an endpoint: sent as target models, asked there, and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from slipway.artifact.artifact import Artifact
from slipway.endpoint import serving
from slipway.errors import SlipwayError
from slipway.loadtest.address import Address, local_address
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from slipway.tune import tune as tuning
from slipway.tune.candidate import BASELINE, Change
from slipway.tune.estimate import Clients
from slipway.tune.frontier import Limits
from slipway.tune.place import loaded
from slipway.tune.remote import RemotePlace
from slipway.tune.session import Terms
from slipway.tune.space import Extent
from slipway.tune.tune import Wish
from tests.tune import served_models

TWO_THREADS = (Change("doubling", "threads", 2),)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A repository with the model ``doubling``, and a store that is empty."""
    root = tmp_path_factory.mktemp("repository")
    (root / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    served_models.doubling(root / "models" / "doubling")
    return Settings(root=root, store="store")


@pytest.fixture(scope="module")
def store(settings: Settings) -> StageStore:
    return StageStore(DirectoryStore(settings.root / "store"), "staging")


@pytest.fixture(scope="module")
def address(settings: Settings, store: StageStore) -> Iterator[Address]:
    """A local endpoint that loads from the store."""
    with serving.serve_in_thread(settings, [EndpointSettings("local")]) as server:
        yield local_address(server.url, "local")


@pytest.fixture(scope="module")
def artifact(settings: Settings) -> Artifact:
    return served_models.packed(settings.root / "models" / "doubling", settings.root / "dist")


def objects(store: StageStore) -> list[str]:
    return store.store.keys("staging/models/")


def test_an_endpoint_is_searched_and_keeps_nothing(
    settings: Settings, store: StageStore, address: Address, artifact: Artifact
) -> None:
    extent = Extent(clients=2, names=frozenset({"threads"}), cores=1)
    wish = Wish("latency", Limits(), extent, Terms(Clients(1, 2), 3600.0, block_s=0.05))
    folder = settings.root / "models" / "doubling"
    tuned = tuning.tune(
        folder, settings, artifact, wish, lambda _: nullcontext(), endpoint=(address, store)
    )
    candidates = {point.candidate for point in tuned.report.points}
    assert candidates == {BASELINE, (Change("doubling", "threads", 1),)}
    assert all(set(point.values) == {"rate", "p50", "p99"} for point in tuned.report.points)
    assert tuned.report.chosen is not None and objects(store) == []


def test_a_candidate_answers_there_and_what_a_killed_run_left_is_removed(
    settings: Settings, store: StageStore, address: Address, artifact: Artifact
) -> None:
    store.store.create("staging/models/doubling_tune-0123abcd-7.tar.gz", b"left")
    store.store.create("staging/models/doubling_1.0.0.tar.gz", b"a release")
    folder = settings.root / "models" / "doubling"
    with RemotePlace(address, store, folder, artifact.path) as place:
        with loaded(place, TWO_THREADS) as (model, _):
            assert model({"X": served_models.ones(4)})["Y"].tolist() == [[2.0] * 4]
            assert len(objects(store)) == 3
        assert len(objects(store)) == 2
        work = place.folder().parent.parent
        assert work.is_dir()
    assert not work.exists()
    assert objects(store) == ["staging/models/doubling_1.0.0.tar.gz"]


def test_production_is_not_searched(
    settings: Settings, address: Address, artifact: Artifact
) -> None:
    store = StageStore(DirectoryStore(settings.root / "store"), "production")
    place = RemotePlace(address, store, settings.root / "models" / "doubling", artifact.path)
    with pytest.raises(SlipwayError, match="production takes releases only"), place:
        pass
