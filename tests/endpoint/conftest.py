"""Endpoints in front of the real server: one that the tests share, and others with limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up

type Opener = Callable[..., AbstractContextManager[Up]]


@pytest.fixture(scope="session")
def shared_shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Releases of the shared endpoint."""
    return Shelf(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def shared(shared_shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """An endpoint without limits, shared by the session."""
    with shelves.up(tmp_path_factory.mktemp("root"), shared_shelf) as running:
        yield running


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Releases of one test."""
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def up(tmp_path: Path, shelf: Shelf) -> Opener:
    """Opens an endpoint with limits on this test's shelf."""

    def opened(**limits: Any) -> AbstractContextManager[Up]:
        return shelves.up(tmp_path / "root", shelf, **limits)

    return opened
