"""Whatever is done to a store, in whichever order: it is as a table of keys would be."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from tests.store.conftest import PART, BucketStorage, FolderStorage, Storage
from tests.store.faulty import FaultyS3
from tests.thorough import examples

SOME = settings(
    max_examples=examples(40, 20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NAMES = ("a", "b/c", "b/d e", "é")
KEYS = st.sampled_from(NAMES)
DATA = st.sampled_from([b"", b"one", b"two", b"x" * (PART + 1)])
DO = st.one_of(
    st.tuples(st.just("create"), KEYS, DATA),
    st.tuples(st.just("create_file"), KEYS, DATA),
    st.tuples(st.just("swap"), KEYS, DATA, st.none() | DATA),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("copy"), KEYS, KEYS),
    st.tuples(st.just("wrong"), KEYS, DATA),
)


@pytest.fixture
def empty(storage: Storage, tmp_path: Path) -> Callable[[], Storage]:
    """Makes one empty store after another."""

    def made() -> Storage:
        if isinstance(storage, BucketStorage):
            name = f"laws-{uuid.uuid4().hex[:16]}"
            storage.client.create_bucket(Bucket=name)
            settings = StageSettings("staging", f"s3://{name}/x")
            return BucketStorage(name, storage.client, settings, storage.part)
        return FolderStorage(Path(tempfile.mkdtemp(dir=tmp_path)))

    return made


def apply(storage: Storage, table: dict[str, bytes], step: tuple[object, ...], file: Path) -> None:
    """Do ``step`` to the store and to the table, and compare what they say."""
    store, (what, key, *rest) = storage.store, step
    assert isinstance(key, str)
    match what, rest:
        case "create", [bytes(data)]:
            assert store.create(key, data) == (key not in table)
            table.setdefault(key, data)
        case "create_file", [bytes(data)]:
            file.write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
            assert store.create_file(key, file, sha256) == (key not in table)
            table.setdefault(key, data)
        case "wrong", [bytes(data)]:
            file.write_bytes(data)
            if key in table:
                assert store.create_file(key, file, "0" * 64) is False
            else:
                with pytest.raises(SlipwayError):
                    store.create_file(key, file, "0" * 64)
        case "swap", [bytes(data), expected]:
            assert expected is None or isinstance(expected, bytes)
            holds = table.get(key) == expected
            assert store.swap(key, expected, data) == holds
            if holds:
                table[key] = data
        case "delete", []:
            assert store.delete(key) == (table.pop(key, None) is not None)
        case "copy", [str(to)]:
            if key in table:
                sha256 = hashlib.sha256(table[key]).hexdigest()
                assert store.copy(storage.another(), key, to, sha256) == (to not in table)
                table.setdefault(to, table[key])
            else:
                with pytest.raises(SlipwayError):
                    store.copy(store, key, to, "0" * 64)


def agrees(storage: Storage, table: dict[str, bytes], keys: Iterable[str] = NAMES) -> None:
    """Compare the names of all keys, and what lies under ``keys``."""
    store = storage.another()
    assert store.keys("") == sorted(table)
    for key in keys:
        data = table.get(key)
        assert store.read(key) == data
        assert store.digest(key) == (None if data is None else hashlib.sha256(data).hexdigest())
        found = store.stat(key)
        assert (found.size if found else None) == (None if data is None else len(data))


@SOME
@given(steps=st.lists(DO, max_size=8))
def test_a_store_is_as_a_table_of_keys(
    empty: Callable[[], Storage], tmp_path: Path, steps: list[tuple[object, ...]]
) -> None:
    storage, table = empty(), dict[str, bytes]()
    for step in steps:
        apply(storage, table, step, tmp_path / "file")
        # those of the step: what it does to others is seen at the end
        agrees(storage, table, [key for key in NAMES if key in step[1:]])
    agrees(storage, table)
    assert storage.leftovers() == []
    if isinstance(storage, FolderStorage):
        shutil.rmtree(storage.root)


FAULT = st.tuples(
    st.sampled_from(["status", "cut request", "cut answer", "half answer", "done"]),
    st.integers(0, 12),
    st.integers(1, 6),
)


@SOME
@given(steps=st.lists(DO, min_size=1, max_size=5), faults=st.lists(FAULT, max_size=4))
def test_faults_leave_each_key_absent_or_whole_and_as_it_was_or_should_be(
    bucket: BucketStorage,
    s3: FaultyS3,
    tmp_path: Path,
    steps: list[tuple[object, ...]],
    faults: list[tuple[str, int, int]],
) -> None:
    """A step that raised is done or not done; one that answered did what it says."""
    name = f"laws-{uuid.uuid4().hex[:16]}"
    bucket.client.create_bucket(Bucket=name)
    storage = BucketStorage(name, bucket.client, StageSettings("staging", f"s3://{name}/x"))
    table: dict[str, bytes] = {}
    for kind, skip, times in faults:
        how = "status" if kind == "done" else kind
        s3.fail(how, skip=skip, times=times, done=kind == "done")  # type: ignore[arg-type]
    for step in steps:
        after = dict(table)
        try:
            apply(storage, after, step, tmp_path / "file")
            table = after
        except SlipwayError:
            left, s3.faults[:] = list(s3.faults), []
            possible = [table, done(table, step)]
            now = {key: storage.store.read(key) for key in storage.store.keys("")}
            assert now in possible
            table = {key: data for key, data in now.items() if data is not None}
            s3.faults[:] = left
    s3.reset()
    agrees(storage, table)


def done(table: dict[str, bytes], step: tuple[object, ...]) -> dict[str, bytes]:
    """The table after ``step``, if its condition held."""
    after, (what, key, *rest) = dict(table), step
    assert isinstance(key, str)
    match what, rest:
        case ("create" | "create_file"), [bytes(data)]:
            after.setdefault(key, data)
        case "swap", [bytes(data), expected] if table.get(key) == expected:
            after[key] = data
        case "delete", []:
            after.pop(key, None)
        case "copy", [str(to)] if key in table:
            after.setdefault(to, table[key])
    return after
