"""The selection of releases to test."""

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


def test_a_name_selects_the_target_of_its_alias(store: DirectoryStore) -> None:
    catalog = Catalog(StageStore(store, STAGE))
    assert targets.select_release(catalog, "m") == ("m", ONE)
    assert targets.select_release(catalog, "m", "2.0.0") == ("m", TWO)


def test_without_names_every_release_of_the_stage_is_selected(store: DirectoryStore) -> None:
    releases.release(store, "other_1.0.0.tar.gz", PLAIN, "other")
    catalog = Catalog(StageStore(store, STAGE))
    assert {release.target for release in targets.select_releases(catalog, [])} == {
        ONE,
        TWO,
        THREE,
        "other_1.0.0.tar.gz",
    }
    assert len(targets.select_releases(catalog, ["m"])) == 3
    selectors = ["other_1.0.0.tar.gz", TWO]
    assert [
        release.target for release in targets.select_releases(catalog, [], selectors)
    ] == selectors
    assert [
        release.target for release in targets.select_releases(catalog, ["m"], ["3.0.0", THREE])
    ] == [THREE]


def test_unknown_releases_are_refused(store: DirectoryStore, tmp_path: Path) -> None:
    releases.release(store, "other_1.0.0.tar.gz", PLAIN, "other")
    with pytest.raises(SlipwayError, match="not a target model of m, other"):
        targets.select_releases(Catalog(StageStore(store, STAGE)), [], ["1.0.0"])
    with pytest.raises(SlipwayError, match="no releases in staging"):
        targets.select_releases(Catalog(StageStore(DirectoryStore(tmp_path / "empty"), STAGE)), [])


def test_each_release_gets_the_inputs_that_it_takes(store: DirectoryStore, tmp_path: Path) -> None:
    catalog = Catalog(StageStore(store, STAGE))
    selected = targets.select_releases(catalog, ["m"])
    requests, origin = targets.encode_requests(
        catalog, selected, tmp_path / "models", '{"x": [1, 2]}'
    )
    assert set(requests) == {ONE, TWO, THREE} and origin == "the inputs given"
    assert all(
        request.target == target for target, encoded in requests.items() for request in encoded
    )
