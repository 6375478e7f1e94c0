"""S3 that fails, throttles, breaks off or loses its answer: a key is absent or whole, nothing is
overwritten, and and each call returns rightly whether it created the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from slipway.errors import SlipwayError
from slipway.store.interface import Store
from tests.store.conftest import PART, BucketStorage, File
from tests.store.faulty import Fault, FaultyS3

Do = Callable[[Store, File], bool]


def small(store: Store, file: File) -> bool:
    return store.create("key", file.data[:PART])


def large(store: Store, file: File) -> bool:
    return store.create_file("key", file.path, file.sha256)


def copy(store: Store, file: File) -> bool:
    return store.copy(store, "from", "key", file.sha256)


def swap(store: Store, file: File) -> bool:
    return store.swap("other", b"before", file.data)


def delete(store: Store, file: File) -> bool:
    return store.delete("other")


WAYS: dict[str, tuple[Do, tuple[str, ...]]] = {
    "small": (small, ("PutObject",)),
    "large": (
        large,
        ("HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"),
    ),
    "copy": (
        copy,
        ("HeadObject", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"),
    ),
    "swap": (swap, ("GetObject", "PutObject")),
    "delete": (delete, ("HeadObject",)),
}
FAULTS: dict[str, dict[str, Any]] = {
    "an error": {"kind": "status"},
    "throttling": {"kind": "status", "status": 503, "code": "SlowDown"},
    "an error after it was done": {"kind": "status", "done": True},
    "a cut request": {"kind": "cut request"},
    "a lost answer": {"kind": "cut answer"},
    "half an answer": {"kind": "half answer"},
    "a slow answer": {"kind": "slow"},
}
CASES = [
    pytest.param(way, operation, fault, id=f"{way}, {operation}, {fault}")
    for way, (_, operations) in WAYS.items()
    for operation in operations
    for fault in FAULTS
]


@pytest.fixture
def file(bucket: BucketStorage, tmp_path: Path) -> File:
    """What is written; ``from`` and ``other`` are there."""
    made = File(tmp_path / "file", 5 * PART + 3)
    bucket.store.create_file("from", made.path, made.sha256)
    bucket.store.create("other", b"before")
    return made


def state(bucket: BucketStorage) -> dict[str, bytes | None]:
    return {key: bucket.store.read(key) for key in bucket.store.keys("")}


def nothing_left(bucket: BucketStorage, s3: FaultyS3, operation: str) -> bool:
    """An upload whose beginning was not answered is nobody's: it has no part, and is cleaned."""
    if operation == "CreateMultipartUpload":
        s3.age(timedelta(days=2))
        bucket.store.clean("")
    return bucket.leftovers() == []


def wanted(way: str, before: dict[str, bytes | None], file: File) -> dict[str, bytes | None]:
    """What is there when all went well."""
    after: dict[str, dict[str, bytes | None]] = {
        "small": {**before, "key": file.data[:PART]},
        "large": {**before, "key": file.data},
        "copy": {**before, "key": file.data},
        "swap": {**before, "other": file.data},
        "delete": {key: data for key, data in before.items() if key != "other"},
    }
    return after[way]


@pytest.mark.parametrize(("way", "operation", "fault"), CASES)
def test_a_passing_fault_is_not_noticed(
    bucket: BucketStorage, s3: FaultyS3, file: File, way: str, operation: str, fault: str
) -> None:
    before, how = state(bucket), dict(FAULTS[fault])
    put = s3.fail(how.pop("kind"), operation, times=2, **how)
    assert WAYS[way][0](bucket.store, file) is True
    assert put.times < 2  # it did happen
    s3.reset()
    assert state(bucket) == wanted(way, before, file)
    assert nothing_left(bucket, s3, operation)


@pytest.mark.parametrize(("way", "operation", "fault"), CASES)
def test_a_lasting_fault_is_an_error_and_a_repeated_call_completes_it(
    bucket: BucketStorage, s3: FaultyS3, file: File, way: str, operation: str, fault: str
) -> None:
    before, how = state(bucket), dict(FAULTS[fault])
    after = wanted(way, before, file)
    s3.fail(how.pop("kind"), operation, times=1000, **how)
    try:
        WAYS[way][0](bucket.store, file)
        raised = False
    except SlipwayError as error:
        assert error.fix and error.where
        raised = True
    s3.reset()
    now = state(bucket)
    assert now in (before, after)  # absent or whole, as before or as wanted
    assert raised or now == after
    WAYS[way][0](bucket.store, file)
    assert state(bucket) == after
    assert nothing_left(bucket, s3, operation)


@pytest.mark.parametrize("repeated", ["the same", "NoSuchUpload", "PreconditionFailed"])
@pytest.mark.parametrize("way", [large, copy])
def test_the_call_that_completed_an_upload_gets_true_although_its_response_was_lost(
    bucket: BucketStorage, s3: FaultyS3, file: File, way: Do, repeated: Any
) -> None:
    s3.repeated = repeated
    s3.fail("cut answer", "CompleteMultipartUpload")
    assert way(bucket.store, file) is True
    assert way(bucket.another(), file) is False
    assert bucket.store.digest("key") == file.sha256


def test_the_call_that_wrote_an_object_gets_true_although_its_response_was_lost(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    s3.fail("cut answer", "PutObject")
    assert bucket.store.create("key", b"first") is True
    s3.fail("cut answer", "PutObject")
    assert bucket.store.create("key", b"first") is False
    s3.fail("cut answer", "PutObject")
    assert bucket.store.swap("key", b"first", b"second") is True
    assert bucket.store.swap("key", b"first", b"second") is False


def test_a_swap_whose_answer_was_lost_is_known_after_others_swapped_on_top(
    bucket: BucketStorage, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.store.create("key", b"0")
    others = bucket.another()

    def on_top(*_: object, **__: object) -> float:
        for number in range(1, 6):  # between the lost answer and the repetition
            assert others.swap("key", str(number).encode(), str(number + 1).encode())
        return 0.0

    monkeypatch.setattr("botocore.retryhandler.delay_exponential", on_top)
    # boto3 takes the function when a client is made
    bucket.store = bucket.another(boto3.client("s3"))
    s3.fail("cut answer", "PutObject")
    assert bucket.store.swap("key", b"0", b"1") is True
    assert others.read("key") == b"6"


@pytest.mark.parametrize("way", [small, large, copy, swap])
def test_a_conflict_is_retried(bucket: BucketStorage, s3: FaultyS3, file: File, way: Do) -> None:
    s3.fail(
        "status",
        "PutObject",
        "CompleteMultipartUpload",
        times=2,
        status=409,
        code="ConditionalRequestConflict",
    )
    assert way(bucket.store, file) is True
    assert bucket.leftovers() == []


@pytest.mark.parametrize("way", [small, large, copy])
def test_the_loser_of_a_conflict_gets_false(
    bucket: BucketStorage, s3: FaultyS3, file: File, way: Do
) -> None:
    bucket.put("key", b"theirs")
    s3.faults += [
        # it is not there when it is looked for first
        Fault("status", frozenset({"HeadObject"}), skip=int(way is copy), status=404),
        Fault(
            "status",
            frozenset({"PutObject", "CompleteMultipartUpload"}),
            status=409,
            code="ConditionalRequestConflict",
        ),
    ]
    assert way(bucket.store, file) is False
    assert bucket.store.read("key") == b"theirs"
    assert bucket.leftovers() == []


def test_endless_conflicts_are_reported(
    bucket: BucketStorage, s3: FaultyS3, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.store.s3.conditional.time.sleep", lambda _: None)
    s3.fail("status", "PutObject", times=1000, status=409, code="ConditionalRequestConflict")
    with pytest.raises(SlipwayError, match="the key kept changing") as caught:
        small(bucket.store, file)
    assert caught.value.fix == "try again"


def test_an_upload_that_somebody_aborted_is_started_again(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    s3.fail("status", "UploadPart", skip=3, status=404, code="NoSuchUpload")
    assert large(bucket.store, file) is True
    assert s3.count("CreateMultipartUpload") == 3  # one of them by the fixture
    assert bucket.store.digest("key") == file.sha256


def test_bytes_that_change_on_their_way_are_refused_by_s3(
    bucket: BucketStorage, s3: FaultyS3, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of what is sent is made before it is sent: a part that changes has another."""
    monkeypatch.setattr("slipway.store.s3.multipart.checksum", lambda _: "A" * 43 + "=")
    with pytest.raises(SlipwayError, match="changed in transit"):
        large(bucket.store, file)
    assert bucket.store.stat("key") is None


def test_a_small_object_whose_bytes_break_off_is_read_again(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    s3.fail("half answer", "GetObject", times=2)
    assert bucket.store.read("from") == file.data
    s3.fail("half answer", "GetObject", times=3)
    with pytest.raises(SlipwayError, match="connection broke"):
        bucket.store.read("from")
