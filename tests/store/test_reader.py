"""What both kinds of release store promise to those who read."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.store.open_reader import open_reader
from tests.store.readable_stores import BucketStore, ReadableStore


def test_an_existing_key_is_read_and_a_missing_one_is_none(readable_store: ReadableStore) -> None:
    readable_store.put("a/key", b"bytes")
    assert readable_store.reader.read("a/key") == b"bytes"
    for absent in ("a/other", "a", "a/key/below", "b", "long/" + "x" * 1100):
        assert readable_store.reader.read(absent) is None
        assert readable_store.reader.stat(absent) is None


def test_a_replaced_object_has_another_version_though_it_is_as_large(
    readable_store: ReadableStore,
) -> None:
    readable_store.put("key", b"one")
    before = readable_store.reader.stat("key")
    assert before == readable_store.reader.stat("key")
    readable_store.put("key", b"two")
    after = readable_store.reader.stat("key")
    assert before and after and before.size == after.size == 3
    assert before.version != after.version


def test_bytes_come_as_a_stream_which_may_be_left_early(readable_store: ReadableStore) -> None:
    data = bytes(range(256)) * 4096
    readable_store.put("key", data)
    with readable_store.reader.open("key") as stream:
        assert stream.read(1000) == data[:1000]
        assert b"".join(iter(lambda: stream.read(1 << 16), b"")) == data[1000:]
    with readable_store.reader.open("key") as stream:
        assert stream.read(1) == data[:1]
    assert readable_store.reader.read("key") == data


@pytest.mark.parametrize("key", ["a/other", "a", "a/key/below"])
def test_opening_a_missing_key_is_an_error(readable_store: ReadableStore, key: str) -> None:
    readable_store.put("a/key", b"")
    with (
        pytest.raises(SlipwayError, match="no such key") as caught,
        readable_store.reader.open(key),
    ):
        pass
    assert caught.value.fix and key in str(caught.value.where)


def test_keys_are_listed_by_what_they_begin_with(readable_store: ReadableStore) -> None:
    for key in ("staging/b", "staging/a/é", "staging/a/2", "stagings", "production/c"):
        readable_store.put(key, b"")
    assert readable_store.reader.keys("staging/") == ["staging/a/2", "staging/a/é", "staging/b"]
    assert readable_store.reader.keys("staging/a/") == ["staging/a/2", "staging/a/é"]
    assert readable_store.reader.keys("stag") == [
        "staging/a/2",
        "staging/a/é",
        "staging/b",
        "stagings",
    ]
    assert readable_store.reader.keys("nothing/") == []
    assert len(readable_store.reader.keys("")) == 5


@pytest.mark.parametrize("key", ["../outside", "/outside", "a/../../outside", "a\0b", "a\ud800"])
def test_a_key_that_leads_out_is_not_read(readable_store: ReadableStore, key: str) -> None:
    readable_store.put("a/key", b"")
    for read in (
        readable_store.reader.read,
        readable_store.reader.stat,
        readable_store.reader.keys,
    ):
        with pytest.raises(SlipwayError, match="leads out"):
            read(key)
    with pytest.raises(SlipwayError, match="leads out"), readable_store.reader.open(key):
        pass


def test_a_store_of_another_kind_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError) as caught:
        open_reader("gs://bucket", tmp_path)
    assert caught.value.fix and ".slipway/releases" in caught.value.fix


def test_a_listing_has_size_and_version_as_a_look_at_each_key_has(
    readable_store: ReadableStore,
) -> None:
    for key in ("s/a", "s/b/c", "s/b/d", "s/é/f", "st"):
        readable_store.put(key, key.encode())
    reader = readable_store.reader
    for prefix in ("s/", "s", "s/b", "nothing/", ""):
        listed = reader.stats(prefix)
        assert list(listed) == reader.keys(prefix)
        assert listed == {key: reader.stat(key) for key in listed}


def test_a_level_has_its_keys_and_the_folders_that_have_keys(
    readable_store: ReadableStore,
) -> None:
    for key in ("s/a", "s/b/c", "s/b/d/e", "s/é/f", "s/a b/g", "s/a.b", "st/a"):
        readable_store.put(key, key.encode())
    level = readable_store.reader.level("s/")
    assert level.keys == {key: readable_store.reader.stat(key) for key in ("s/a", "s/a.b")}
    assert level.folders == ["a b", "b", "é"]
    assert readable_store.reader.level("nothing/") == ({}, [])
    with pytest.raises(SlipwayError, match="leads out"):
        readable_store.reader.level("../")


def test_a_level_of_many_pages_is_read_to_its_end(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for number in range(25):
        release_bucket.put(f"s/{number:04}/key", b"")
    release_bucket.put("s/key", b"")
    level = release_bucket.reader.level("s/")
    assert (len(level.folders), list(level.keys)) == (25, ["s/key"])


def test_a_folder_without_a_key_is_none(tmp_path: Path) -> None:
    (tmp_path / "s/empty/deeper").mkdir(parents=True)
    (tmp_path / "s/.hidden").write_bytes(b"")
    (tmp_path / "s/full/deeper").mkdir(parents=True)
    (tmp_path / "s/full/deeper/key").write_bytes(b"")
    level = open_reader(str(tmp_path), tmp_path).level("s/")
    assert level == ({}, ["full"])
