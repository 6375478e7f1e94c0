"""The foreign repositories: twelve kinds, as their authors leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.settings import FILE_NAME
from tests.adopt import foreign_repositories


def test_there_are_twelve() -> None:
    assert len(foreign_repositories.names()) == 12
    assert set(foreign_repositories.EXTRAS) <= set(foreign_repositories.names())


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_a_repository_is_foreign_and_has_a_model(name: str, tmp_path: Path) -> None:
    folder = foreign_repositories.make(name, tmp_path)
    assert folder.is_relative_to(tmp_path)
    assert not list(folder.rglob(FILE_NAME))
    assert list(folder.rglob("config.pbtxt"))
    assert not list(folder.rglob(f"*{foreign_repositories.GRAPH}"))
