"""The rules by which target models, and pipelines of them, are captured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.catalog import keys
from slipway.catalog.captured_models import pipeline_rules, rules_finder
from slipway.catalog.reader import CatalogReader
from slipway.errors import SlipwayError
from slipway.model.capture_rules import CaptureRules, TensorRule
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageReader
from tests.client import releases

HASHED = CaptureRules(sample=0.5, retention_days=7, tensors={"X": TensorRule("hash")})


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """The models ``a`` and ``b``, released and served."""
    store = DirectoryStore(tmp_path)
    for name in "ab":
        releases.release(store, f"{name}_1.0.0.tar.gz", name=name)
        releases.alias(store, f"{name}_1.0.0.tar.gz", name=name)
    return store


def catalog(store: DirectoryStore) -> CatalogReader:
    return CatalogReader(StageReader(store, "staging"))


def record(store: DirectoryStore, name: str) -> Path:
    return store.root / keys.record("staging", name, f"{name}_1.0.0.tar.gz")


def write_rules(store: DirectoryStore, name: str, rules: CaptureRules) -> None:
    values = json.loads(record(store, name).read_text())
    values["manifest"]["capture"] = rules.dump()
    record(store, name).write_text(json.dumps(values))


def test_a_release_has_the_rules_of_its_record(store: DirectoryStore) -> None:
    write_rules(store, "a", HASHED)
    find = rules_finder(catalog(store))
    assert find("a_1.0.0.tar.gz") == HASHED
    assert find("b_1.0.0.tar.gz") == CaptureRules()


@pytest.mark.parametrize("target", ["a_2.0.0.tar.gz", "c_1.0.0.tar.gz", "a", ""])
def test_a_target_model_without_a_record_has_none(store: DirectoryStore, target: str) -> None:
    assert rules_finder(catalog(store))(target) is None


def test_a_damaged_record_is_an_error(store: DirectoryStore) -> None:
    record(store, "a").write_text("{")
    with pytest.raises(SlipwayError, match="a_1.0.0.tar.gz"):
        rules_finder(catalog(store))("a_1.0.0.tar.gz")


def test_a_pipeline_has_the_strictest_rules_of_its_models(store: DirectoryStore) -> None:
    assert pipeline_rules(catalog(store), ["a", "b"]) == CaptureRules()
    write_rules(store, "b", HASHED)
    rules = pipeline_rules(catalog(store), ["a", "b"])
    assert rules is not None and (rules.sample, rules.retention_days) == (0.5, 7)
    # which of its tensors a body holds is not known
    assert rules.of("X").keep == rules.of("ANY").keep == "drop" and rules.redacts
    record(store, "a").unlink()
    assert pipeline_rules(catalog(store), ["a", "b"]) is None
