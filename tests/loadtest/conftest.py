"""A repository with releases, and an endpoint that serves them as told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from tests.client import releases
from tests.client.releases import ONE, THREE, TWO
from tests.loadtest import stand_in

PLAIN = Interface(8, {"X": Tensor("FP32", (2,))}, {"Y": Tensor("FP32", (1,))})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with three releases of ``m``; the first is served."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = DirectoryStore(tmp_path / "store")
    for target in (ONE, TWO, THREE):
        releases.release(made, target, PLAIN)
    releases.alias(made, ONE)
    return made


@pytest.fixture
def endpoint() -> Iterator[stand_in.Endpoint]:
    """An endpoint that answers at once."""
    with stand_in.serving(stand_in.Endpoint()) as served:
        yield served
