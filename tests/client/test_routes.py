"""The alias: read again after a while, by one thread, and kept if it cannot be."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from slipway.catalog.alias import Alias
from slipway.catalog.reader import CatalogReader
from slipway.client import routes
from slipway.client.routes import Route, Routes
from slipway.errors import SlipwayError
from slipway.model.interface import Interface
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.client import releases
from tests.client.releases import ONE, THREE, TWO


class Watched(CatalogReader):
    """A catalog that counts what is read, waits while ``held``, and fails while ``broken``."""

    def __init__(self, store: DirectoryStore) -> None:
        super().__init__(StageStore(store, releases.STAGE))
        self.reads: Counter[str] = Counter()
        self.broken = False
        self.held = threading.Event()
        self.held.set()

    def alias(self, name: str) -> Alias:
        self.reads["alias"] += 1
        self.held.wait()
        if self.broken:
            raise SlipwayError("S3 is away")
        return super().alias(name)

    def interface(self, name: str, target: str) -> Interface:
        self.reads[target] += 1
        return super().interface(name, target)


@pytest.fixture
def catalog(store: DirectoryStore) -> Watched:
    return Watched(store)


def test_an_alias_is_read_once_in_a_while(catalog: Watched, store: DirectoryStore) -> None:
    asked = Routes(catalog, "m")
    assert [asked.choose() for _ in range(5)] == [Route(ONE, None)] * 5
    releases.alias(store, TWO)
    assert asked.choose() == Route(ONE, None)
    assert catalog.reads["alias"] == 1


def test_a_moved_alias_is_followed(
    catalog: Watched, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    asked = Routes(catalog, "m")
    assert asked.choose() == Route(ONE, None)
    releases.alias(store, TWO, shadow=THREE)
    assert asked.choose() == Route(TWO, THREE)
    assert asked.main() == TWO


def test_while_the_store_is_away_the_alias_holds_and_a_warning_is_logged(
    catalog: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    asked = Routes(catalog, "m")
    asked.choose()
    catalog.broken = True
    assert asked.choose() == Route(ONE, None)
    assert "S3 is away" in caplog.text
    with pytest.raises(SlipwayError, match="S3 is away"):
        Routes(catalog, "m").choose()


def test_while_one_thread_reads_the_others_go_on(
    catalog: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    asked = Routes(catalog, "m")
    asked.choose()
    catalog.held.clear()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(asked.choose)
        while catalog.reads["alias"] < 2:
            pass
        assert asked.choose() == Route(ONE, None)  # would wait for ever if it read, too
        catalog.held.set()
        assert reading.result() == Route(ONE, None)


def test_threads_that_begin_together_read_once(catalog: Watched) -> None:
    asked = Routes(catalog, "m")
    with ThreadPoolExecutor(8) as threads:
        chosen = list(threads.map(lambda _: asked.choose(), range(64)))
    assert chosen == [Route(ONE, None)] * 64
    assert catalog.reads["alias"] == 1


def test_an_exact_target_needs_no_alias(catalog: Watched) -> None:
    asked = Routes(catalog, "m", TWO)
    assert asked.choose("anyone") == Route(TWO, None)
    assert catalog.reads["alias"] == 0


def test_variants_share_by_chance_and_stick_by_key(catalog: Watched, store: DirectoryStore) -> None:
    releases.alias(store, ONE, TWO)
    asked = Routes(catalog, "m")
    assert {asked.choose().target for _ in range(200)} == {ONE, TWO}
    assert len({asked.choose("user-17").target for _ in range(20)}) == 1
    assert {asked.choose(f"user-{number}").target for number in range(50)} == {ONE, TWO}


def test_an_interface_is_read_once_for_each_release(catalog: Watched) -> None:
    asked = Routes(catalog, "m")
    assert asked.interface(ONE) == asked.interface(ONE) == releases.FEATURES
    assert catalog.reads[ONE] == 1


def test_a_name_that_stands_for_nothing_is_told_with_one_that_is_like_it(catalog: Watched) -> None:
    with pytest.raises(SlipwayError, match="did you mean m?"):
        Routes(catalog, "mm").choose()
