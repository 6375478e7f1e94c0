"""Which releases are tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.catalog.catalog import Catalog
from slipway.errors import SlipwayError
from slipway.loadtest import targets
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.client import releases
from tests.client.releases import ONE, STAGE, THREE, TWO
from tests.loadtest.conftest import PLAIN


def test_a_name_stands_for_what_its_alias_says(store: DirectoryStore) -> None:
    catalog = Catalog(StageStore(store, STAGE))
    assert targets.one(catalog, "m") == ("m", ONE)
    assert targets.one(catalog, "m", "2.0.0") == ("m", TWO)


def test_without_names_it_is_every_release_of_the_stage(store: DirectoryStore) -> None:
    releases.release(store, "other_1.0.0.tar.gz", PLAIN, "other")
    catalog = Catalog(StageStore(store, STAGE))
    assert {found.target for found in targets.many(catalog, [])} == {
        ONE,
        TWO,
        THREE,
        "other_1.0.0.tar.gz",
    }
    assert len(targets.many(catalog, ["m"])) == 3
    words = ["other_1.0.0.tar.gz", TWO]
    assert [found.target for found in targets.many(catalog, [], words)] == words
    assert [found.target for found in targets.many(catalog, ["m"], ["3.0.0", THREE])] == [THREE]


def test_unknown_ones_are_named(store: DirectoryStore, tmp_path: Path) -> None:
    releases.release(store, "other_1.0.0.tar.gz", PLAIN, "other")
    with pytest.raises(SlipwayError, match="no target model of m, other"):
        targets.many(Catalog(StageStore(store, STAGE)), [], ["1.0.0"])
    with pytest.raises(SlipwayError, match="no releases in staging"):
        targets.many(Catalog(StageStore(DirectoryStore(tmp_path / "empty"), STAGE)), [])


def test_each_release_gets_the_inputs_that_it_takes(store: DirectoryStore, tmp_path: Path) -> None:
    catalog = Catalog(StageStore(store, STAGE))
    found = targets.many(catalog, ["m"])
    made, said = targets.requests(catalog, found, tmp_path / "models", '{"x": [1, 2]}')
    assert set(made) == {ONE, TWO, THREE} and said == "the inputs given"
    assert all(request.target == target for target, sent in made.items() for request in sent)
