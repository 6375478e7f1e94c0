"""What is valid passes: no error in any model of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from check import corpus
from slipway.check import check
from slipway.settings import load


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One repository that holds the whole corpus."""
    root = tmp_path_factory.mktemp("corpus")
    for name in corpus.names():
        corpus.make(name, root)
    return root


@pytest.mark.parametrize("name", corpus.names())
def test_a_valid_model_has_no_error(name: str, repository: Path) -> None:
    found = check([repository / "models" / name], load(repository))
    assert [
        f"{each.place}: {each.rule} {each.what}" for each in found if each.severity == "error"
    ] == []


def test_the_corpus_covers_the_schema(repository: Path) -> None:
    assert len(corpus.names()) >= 40
