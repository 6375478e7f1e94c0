"""A repository with releases, and an endpoint with a behaviour that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from tests.client import releases
from tests.client.releases import ONE, THREE, TWO
from tests.loadtest import fake_endpoint

PLAIN = Interface(8, {"X": Tensor("FP32", (2,))}, {"Y": Tensor("FP32", (1,))})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with three releases of ``m``; the first is served."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    store = DirectoryStore(tmp_path / "store")
    for target in (ONE, TWO, THREE):
        releases.release(store, target, PLAIN)
    releases.alias(store, ONE)
    return store


@pytest.fixture
def endpoint() -> Iterator[fake_endpoint.FakeEndpoint]:
    """An endpoint that answers at once."""
    with fake_endpoint.serving(fake_endpoint.FakeEndpoint()) as running:
        yield running
