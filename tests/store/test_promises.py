"""What a release store promises to those who publish, whichever kind it is."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from tests.store.conftest import File, Storage


@pytest.fixture(params=["small", "large"])
def file(request: pytest.FixtureRequest) -> File:
    found: File = request.getfixturevalue(request.param)
    return found


def test_a_key_is_created_once(storage: Storage) -> None:
    assert storage.store.create("a/key", b"first")
    assert not storage.another().create("a/key", b"second")
    assert not storage.store.swap("a/key", None, b"third")
    assert storage.store.read("a/key") == b"first"
    assert storage.store.read("a/other") is None


@pytest.mark.parametrize(
    ("parts", "more"), [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (2, 0), (3, 5)]
)
def test_a_file_of_any_size_arrives_completely_and_reports_its_progress(
    storage: Storage, tmp_path: Path, parts: int, more: int
) -> None:
    size = parts * storage.part + more
    file, told, lock = File(tmp_path / "file", size), [0], threading.Lock()

    def progress(count: int) -> None:
        with lock:
            told.append(count)

    assert storage.store.create_file("a/key", file.path, file.sha256, progress)
    assert sum(told) == size
    assert storage.store.read("a/key") == file.data
    assert storage.store.digest("a/key") == file.sha256
    assert storage.leftovers() == []


def test_a_file_under_a_key_that_is_taken_changes_nothing(storage: Storage, file: File) -> None:
    storage.store.create("key", b"first")
    assert not storage.store.create_file("key", file.path, file.sha256)
    assert storage.store.read("key") == b"first"
    assert storage.leftovers() == []


def test_a_file_that_changed_since_it_was_hashed_never_becomes_visible(
    storage: Storage, file: File
) -> None:
    with pytest.raises(SlipwayError, match="packing recorded") as caught:
        storage.store.create_file("key", file.path, hashlib.sha256(b"before").hexdigest())
    assert caught.value.where == str(file.path) and caught.value.fix
    assert storage.store.keys("") == [] and storage.store.stat("key") is None
    assert storage.leftovers() == []


def test_a_copy_has_the_same_bytes_and_digest_and_is_made_once(
    storage: Storage, file: File
) -> None:
    storage.store.create_file("from", file.path, file.sha256)
    there = storage.elsewhere()
    assert there.copy(storage.another(), "from", "a/to", file.sha256)
    assert there.read("a/to") == file.data
    assert there.digest("a/to") == file.sha256
    assert not there.copy(storage.store, "from", "a/to", file.sha256)
    assert storage.leftovers() == []


def test_a_copy_from_what_others_put_there_has_a_digest_too(storage: Storage, file: File) -> None:
    storage.put("from", file.data)
    there = storage.elsewhere()
    assert there.copy(storage.store, "from", "to", file.sha256)
    assert there.digest("to") == storage.store.digest("from") == file.sha256
    storage.put("other", b"other" + file.data)
    with pytest.raises(SlipwayError, match="packing recorded"):
        there.copy(storage.store, "other", "to2", file.sha256)
    assert there.keys("") == ["to"]


def test_nothing_is_copied_from_a_key_with_other_bytes_or_none(
    storage: Storage, file: File
) -> None:
    storage.store.create_file("from", file.path, file.sha256)
    there = storage.elsewhere()
    with pytest.raises(SlipwayError, match="packing recorded"):
        there.copy(storage.store, "from", "to", hashlib.sha256(b"other").hexdigest())
    with pytest.raises(SlipwayError, match="no such key") as caught:
        there.copy(storage.store, "absent", "to", file.sha256)
    assert "absent" in str(caught.value.where)
    assert there.keys("") == []


def test_a_copy_over_a_key_that_is_taken_changes_nothing(storage: Storage, file: File) -> None:
    storage.store.create_file("from", file.path, file.sha256)
    there = storage.elsewhere()
    there.create("to", b"first")
    assert not there.copy(storage.store, "from", "to", file.sha256)
    assert there.read("to") == b"first"


def test_a_swap_needs_the_value_that_was_read(storage: Storage) -> None:
    store = storage.store
    assert store.swap("alias", None, b"one")
    assert not store.swap("alias", None, b"two")
    assert not store.swap("alias", b"zero", b"two")
    assert not store.swap("absent", b"zero", b"two")
    assert storage.another().swap("alias", b"one", b"two")
    assert store.read("alias") == b"two"
    assert store.digest("alias") == hashlib.sha256(b"two").hexdigest()
    assert store.keys("") == ["alias"]


def test_a_key_that_was_removed_may_be_created_again(storage: Storage, file: File) -> None:
    store = storage.store
    assert not store.delete("key")
    store.create_file("key", file.path, file.sha256)
    assert storage.another().delete("key")
    assert not store.delete("key")
    assert store.read("key") is None and store.digest("key") is None and store.keys("") == []
    assert store.create("key", b"new")
    assert store.swap("key", b"new", b"newer")


def test_a_key_is_removed_only_with_the_value_that_was_read(storage: Storage) -> None:
    store = storage.store
    assert not store.delete_unchanged("alias", b"one")
    store.create("alias", b"one")
    assert not store.delete_unchanged("alias", b"two") and store.read("alias") == b"one"
    assert storage.another().swap("alias", b"one", b"two")
    assert not store.delete_unchanged("alias", b"one") and store.read("alias") == b"two"
    assert store.delete_unchanged("alias", b"two") and store.keys("") == []
    assert not store.delete_unchanged("alias", b"two")


@pytest.mark.parametrize("key", ["../outside", "/outside", "a/../../outside", "a\0b"])
def test_a_key_that_leads_out_is_not_written(storage: Storage, small: File, key: str) -> None:
    store = storage.store
    store.create("key", b"")
    for write in (
        lambda: store.create(key, b""),
        lambda: store.create_file(key, small.path, small.sha256),
        lambda: store.copy(store, "key", key, hashlib.sha256().hexdigest()),
        lambda: store.swap(key, None, b""),
        lambda: store.swap(key, b"", b""),
        lambda: store.delete(key),
        lambda: store.digest(key),
    ):
        with pytest.raises(SlipwayError, match="leads out"):
            write()
    assert store.keys("") == ["key"]


def test_nothing_is_cleaned_where_nobody_was_cut_off(storage: Storage, large: File) -> None:
    storage.store.create_file("key", large.path, large.sha256)
    assert storage.store.clean("", timedelta(0)) == 0
    assert storage.store.digest("key") == large.sha256
