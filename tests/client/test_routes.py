"""The alias is refreshed by one thread, and the last one is used while the store fails."""

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


def test_an_alias_is_read_once_in_each_refresh_interval(
    catalog: Watched, store: DirectoryStore
) -> None:
    router = Routes(catalog, "m")
    assert [router.choose() for _ in range(5)] == [Route(ONE, None)] * 5
    releases.alias(store, TWO)
    assert router.choose() == Route(ONE, None)
    assert catalog.reads["alias"] == 1


def test_a_moved_alias_is_followed(
    catalog: Watched, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    router = Routes(catalog, "m")
    assert router.choose() == Route(ONE, None)
    releases.alias(store, TWO, shadow=THREE)
    assert router.choose() == Route(TWO, THREE)
    assert router.main() == TWO


def test_while_the_store_is_unavailable_the_last_alias_is_used_and_a_warning_logged(
    catalog: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    router = Routes(catalog, "m")
    router.choose()
    catalog.broken = True
    assert router.choose() == Route(ONE, None)
    assert "S3 is away" in caplog.text
    with pytest.raises(SlipwayError, match="S3 is away"):
        Routes(catalog, "m").choose()


def test_while_one_thread_reads_the_others_continue(
    catalog: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "REFRESH_S", 0.0)
    router = Routes(catalog, "m")
    router.choose()
    catalog.held.clear()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(router.choose)
        while catalog.reads["alias"] < 2:
            pass
        assert router.choose() == Route(ONE, None)  # would wait for ever if it read, too
        catalog.held.set()
        assert reading.result() == Route(ONE, None)


def test_threads_that_start_together_read_once(catalog: Watched) -> None:
    router = Routes(catalog, "m")
    with ThreadPoolExecutor(8) as threads:
        chosen = list(threads.map(lambda _: router.choose(), range(64)))
    assert chosen == [Route(ONE, None)] * 64
    assert catalog.reads["alias"] == 1


def test_an_exact_target_needs_no_alias(catalog: Watched) -> None:
    router = Routes(catalog, "m", TWO)
    assert router.choose("anyone") == Route(TWO, None)
    assert catalog.reads["alias"] == 0


def test_variants_are_chosen_at_random_or_by_key(catalog: Watched, store: DirectoryStore) -> None:
    releases.alias(store, ONE, TWO)
    router = Routes(catalog, "m")
    assert {router.choose().target for _ in range(200)} == {ONE, TWO}
    assert len({router.choose("user-17").target for _ in range(20)}) == 1
    assert {router.choose(f"user-{number}").target for number in range(50)} == {ONE, TWO}


def test_an_interface_is_read_once_for_each_release(catalog: Watched) -> None:
    router = Routes(catalog, "m")
    assert router.interface(ONE) == router.interface(ONE) == releases.FEATURES
    assert catalog.reads[ONE] == 1


def test_a_name_without_an_alias_is_refused_with_a_similar_name(catalog: Watched) -> None:
    with pytest.raises(SlipwayError, match="did you mean m?"):
        Routes(catalog, "mm").choose()
