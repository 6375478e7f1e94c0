"""An artifact becomes a release once, under a key that says what it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from slipway.artifact.artifact import Artifact
from slipway.catalog.alias import Alias, Variant, write_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.metadata import ReleaseMetadata
from slipway.release.publish import publish
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.artifact.samples import packed, write_environment, write_model


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return packed(write_model(tmp_path / "checkout"), write_environment(tmp_path / "environment"))


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def changed(tmp_path: Path) -> Artifact:
    folder = write_model(tmp_path / "changed", weights=b"other")
    return packed(folder, write_environment(tmp_path / "environment2"))


def test_a_branch_goes_to_staging_under_its_digest(
    artifact: Artifact, store: DirectoryStore
) -> None:
    made = publish(
        artifact, StageStore(store, "staging"), metadata=ReleaseMetadata(Origin("c0ffee"))
    )
    assert made.target == f"tiny_1.2.0-rc.h{artifact.sha256[:12]}.tar.gz"
    stored = (store.root / "staging/models" / made.target).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == artifact.sha256
    alias = json.loads(store.read("staging/catalog/tiny/alias.json") or b"")
    assert alias == {"target": made.target}
    record = json.loads(store.read(f"staging/catalog/tiny/releases/{made.target}.json") or b"")
    assert (record["sha256"], record["commit"]) == (artifact.sha256, "c0ffee")
    assert record["manifest"]["weights"]
    assert record["interface"] == {
        "max_batch_size": 8,
        "inputs": [{"name": "IN", "datatype": "FP32", "dims": [1]}],
        "outputs": [{"name": "OUT", "datatype": "FP32", "dims": [1]}],
    }


def test_publishing_the_same_bytes_again_changes_nothing(
    artifact: Artifact, store: DirectoryStore
) -> None:
    assert publish(artifact, StageStore(store, "staging")).created
    before = {key: store.read(key) for key in store.keys("")}
    assert not publish(artifact, StageStore(store, "staging")).created
    assert {key: store.read(key) for key in store.keys("")} == before


def test_two_pushes_of_one_version_lie_side_by_side_in_staging(
    artifact: Artifact, store: DirectoryStore, tmp_path: Path
) -> None:
    publish(artifact, StageStore(store, "staging"))
    publish(changed(tmp_path), StageStore(store, "staging"))
    assert len(store.keys("staging/models/")) == 2


def test_what_is_measured_of_bytes_that_are_published_already_is_added_to_their_record(
    artifact: Artifact, store: DirectoryStore
) -> None:
    first = publish(
        artifact, StageStore(store, "staging"), metadata=ReleaseMetadata(Origin("c0ffee"))
    )
    publish(
        artifact,
        StageStore(store, "staging"),
        metadata=ReleaseMetadata(Origin("decaf"), metrics={"auc": 0.9}, rules={}),
    )
    publish(artifact, StageStore(store, "staging"), metadata=ReleaseMetadata(Origin("decaf")))
    record = Catalog(StageStore(store, "staging")).record("tiny", first.target)
    assert (record.metrics, record.commit) == ({"auc": 0.9}, "c0ffee")


def test_production_refuses_other_bytes_and_names_the_next_free_version(
    artifact: Artifact, store: DirectoryStore, tmp_path: Path
) -> None:
    first = publish(artifact, StageStore(store, "production"))
    assert first.target == "tiny_1.2.0.tar.gz"
    assert not publish(artifact, StageStore(store, "production")).created
    with pytest.raises(SlipwayError, match="other bytes") as caught:
        publish(changed(tmp_path), StageStore(store, "production"))
    assert caught.value.fix == "write 1.2.1 into it: slipway bump tiny"
    assert store.digest("production/models/tiny_1.2.0.tar.gz") == artifact.sha256


def test_an_artifact_that_changed_after_packing_is_not_published(
    artifact: Artifact, store: DirectoryStore
) -> None:
    with artifact.path.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\0")
    with pytest.raises(SlipwayError, match="packing recorded"):
        publish(artifact, StageStore(store, "staging"))
    assert store.keys("") == []


def test_publishing_ends_a_weighted_alias(
    artifact: Artifact, store: DirectoryStore, tmp_path: Path
) -> None:
    first = publish(changed(tmp_path), StageStore(store, "staging")).target
    second = publish(artifact, StageStore(store, "staging")).target
    write_alias(
        StageStore(store, "staging"), "tiny", Alias((Variant(first, 90), Variant(second, 10)))
    )
    publish(artifact, StageStore(store, "staging"))
    assert json.loads(store.read("staging/catalog/tiny/alias.json") or b"") == {"target": second}


def test_a_publishing_that_was_cut_off_is_completed_by_the_next(
    artifact: Artifact, store: DirectoryStore
) -> None:
    target = f"tiny_1.2.0-rc.h{artifact.sha256[:12]}.tar.gz"
    store.create_file(f"staging/models/{target}", artifact.path, artifact.sha256)
    assert not publish(artifact, StageStore(store, "staging")).created
    assert len(store.keys("staging/catalog/tiny/releases/")) == 1
    assert store.read("staging/catalog/tiny/alias.json")
