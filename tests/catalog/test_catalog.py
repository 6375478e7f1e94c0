"""The catalog of a stage, read alike from a folder and from S3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.catalog import alias, keys
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.model.interface import Tensor
from slipway.release.metadata import ReleaseMetadata
from slipway.release.publish import publish
from slipway.store.directory import DirectoryStore
from slipway.store.interface import Reader
from slipway.store.stage import StageReader, StageStore
from tests.artifact.samples import packed, write_environment, write_model
from tests.store.readable_stores import ReadableStore

OLD, NEW = "tiny_1.2.0.tar.gz", "tiny_1.3.0.tar.gz"


@pytest.fixture
def published(tmp_path: Path) -> DirectoryStore:
    """Two releases in production, the first one's record as it was before interfaces."""
    store = DirectoryStore(tmp_path / "published")
    made = packed(write_model(tmp_path / "checkout"), write_environment(tmp_path / "environment"))
    publish(made, StageStore(store, "production"), metadata=ReleaseMetadata(Origin("c0ffee")))
    key = keys.record("production", "tiny", OLD)
    record = json.loads(store.read(key) or b"")
    del record["interface"]
    record["published"] = "2026-01-01T00:00:00+00:00"
    assert store.swap(key, store.read(key), keys.dump_json(record))
    (tmp_path / "checkout/models/tiny/model_version.txt").write_text("1.3.0\n")
    newer = packed(tmp_path / "checkout/models/tiny", write_environment(tmp_path / "another"))
    publish(newer, StageStore(store, "production"))
    return store


@pytest.fixture
def reader(published: DirectoryStore, readable_store: ReadableStore) -> Reader:
    """The same, as each kind of store gives it."""
    for key in published.keys(""):
        readable_store.put(key, published.read(key) or b"")
    return readable_store.reader


def test_names_releases_and_aliases_are_read(reader: Reader) -> None:
    catalog = Catalog(StageReader(reader, "production"))
    assert catalog.names() == ["tiny"]
    assert catalog.alias("tiny") == alias.single_target(NEW)
    newest, oldest = catalog.releases("tiny")
    assert (newest.target, oldest.target) == (NEW, OLD)
    assert (newest.version, oldest.version) == ("1.3.0", "1.2.0")
    assert (newest.commit, oldest.commit) == (None, "c0ffee")
    assert catalog.record("tiny", OLD) == oldest
    assert Catalog(StageReader(reader, "staging")).names() == []


def test_the_interface_is_in_the_record_and_else_in_the_artifact(reader: Reader) -> None:
    catalog = Catalog(StageReader(reader, "production"))
    found = catalog.interface("tiny", NEW)
    assert (found.max_batch_size, found.inputs) == (8, {"IN": Tensor("FP32", (1,))})
    assert catalog.record("tiny", NEW).interface == found
    assert catalog.record("tiny", OLD).interface is None
    assert catalog.interface("tiny", OLD) == found


@pytest.mark.parametrize(
    "word", [NEW, "1.3.0", "tiny_1.3", "3.0"], ids=["target", "version", "beginning", "part"]
)
def test_a_target_may_be_said_by_a_part_that_only_one_has(reader: Reader, word: str) -> None:
    assert Catalog(StageReader(reader, "production")).resolve("tiny", word) == NEW


def test_a_version_means_that_version_and_not_one_that_contains_it() -> None:
    class Known(Catalog):
        def targets(self, name: str) -> list[str]:
            return ["tiny_1.2.0.tar.gz", "tiny_11.2.0.tar.gz", "tiny_1.2.0-rc.h0.tar.gz"]

    catalog = Known(StageReader(DirectoryStore(Path()), "staging"))
    assert catalog.resolve("tiny", "11.2.0") == "tiny_11.2.0.tar.gz"
    with pytest.raises(SlipwayError, match="matches 2 releases") as caught:
        catalog.resolve("tiny", "1.2.0")
    assert caught.value.fix == "say which: tiny_1.2.0.tar.gz, tiny_1.2.0-rc.h0.tar.gz"


def test_a_missing_name_is_an_error_with_similar_names(reader: Reader) -> None:
    catalog = Catalog(StageReader(reader, "production"))
    for asked in (catalog.releases, catalog.alias, lambda name: catalog.interface(name, NEW)):
        with pytest.raises(SlipwayError, match="no release of 'tniy' in production") as caught:
            asked("tniy")
        assert caught.value.fix == "did you mean tiny?"
    with pytest.raises(SlipwayError, match="no release of 'other'") as caught:
        catalog.alias("other")
    assert caught.value.fix == "slipway publish models/other --stage production"
    with pytest.raises(SlipwayError, match="is not a release of tiny") as caught:
        catalog.record("tiny", "tiny_1.3.1.tar.gz")
    assert caught.value.fix == f"did you mean {NEW} or {OLD}?"
    with pytest.raises(SlipwayError, match="leads out"):
        catalog.record("../..", "tiny")


def test_releases_without_an_alias_say_how_to_set_it(published: DirectoryStore) -> None:
    (published.root / keys.alias("production", "tiny")).unlink()
    catalog = Catalog(StageReader(published, "production"))
    assert catalog.find_alias("tiny") is None
    with pytest.raises(SlipwayError, match="but no alias") as caught:
        catalog.alias("tiny")
    assert caught.value.fix == f"slipway alias tiny {NEW} --stage production"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"manifest": 3, "target": "t"}'])
def test_a_damaged_record_is_named(published: DirectoryStore, data: bytes) -> None:
    key = keys.record("production", "tiny", NEW)
    assert published.swap(key, published.read(key), data)
    with pytest.raises(SlipwayError, match="record of a release is damaged") as caught:
        Catalog(StageReader(published, "production")).releases("tiny")
    assert caught.value.where == key and caught.value.fix
