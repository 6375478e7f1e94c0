"""An endpoint with replies that tests set, and the releases on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.client import Endpoint, runtime
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from tests.client import fake_runtime, releases
from tests.client.fake_runtime import FakeRuntime


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRuntime]:
    """SageMaker's runtime API on loopback; the waits between attempts are short."""
    monkeypatch.setattr(runtime, "SHORTEST_WAIT_S", 0.001)
    monkeypatch.setattr(runtime, "FIRST_WAIT_S", 0.002)
    monkeypatch.setattr(runtime, "LONGEST_WAIT_S", 0.01)
    with fake_runtime.running() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """Three releases of ``m``, of which the first is served."""
    store = DirectoryStore(tmp_path / "store")
    for target in (releases.ONE, releases.TWO, releases.THREE):
        releases.release(store, target)
    releases.alias(store, releases.ONE)
    return store


@pytest.fixture
def endpoint(fake: FakeRuntime, store: DirectoryStore) -> Iterator[Endpoint]:
    """The client of the fake endpoint."""
    settings = Settings(root=store.root.parent, store=store.root.name)
    with Endpoint("local", settings=settings, url=fake.url) as endpoint:
        yield endpoint
