"""What S3 refuses to those who write, each with what mends it; and a full disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.interface import Store
from slipway.store.s3.store import S3Store, open_s3
from tests.store.conftest import BucketStorage, File, FolderStorage
from tests.store.faulty import FaultyS3


def refusal(act: Callable[[], object]) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        act()
    assert caught.value.fix and caught.value.where
    return caught.value


def writes(store: Store, file: File) -> list[Callable[[], object]]:
    """Each way to write; ``there`` is there."""
    return [
        lambda: store.create("key", b"data"),
        lambda: store.create_file("key", file.path, file.sha256),
        lambda: store.copy(store, "there", "key", file.sha256),
        lambda: store.swap("there", file.data, b"data"),
        lambda: store.delete("there"),
    ]


@pytest.fixture
def ready(bucket: BucketStorage, s3: FaultyS3, large: File) -> BucketStorage:
    bucket.store.create_file("there", large.path, large.sha256)
    return bucket


CHANGING = ("PutObject", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "DeleteObject")


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("PutObject", "s3:PutObject"),
        ("CreateMultipartUpload", "s3:PutObject"),
        ("UploadPart", "kms:GenerateDataKey"),
        ("CompleteMultipartUpload", "kms:Decrypt"),
        ("UploadPartCopy", "s3:GetObject"),
        ("DeleteObject", "s3:DeleteObject"),
        ("HeadObject", "s3:ListBucket"),
        ("GetObject", "s3:GetObject"),
    ],
)
def test_a_bucket_without_permission_says_which_one_is_missing(
    ready: BucketStorage, s3: FaultyS3, large: File, operation: str, permission: str
) -> None:
    s3.fail(
        "status", operation, times=1000, status=403, code="AccessDenied", message="Access Denied"
    )
    refused = []
    for write in writes(ready.store, large):
        try:
            write()
        except SlipwayError as error:
            refused.append(error)
        if operation not in ("HeadObject", "DeleteObject"):
            ready.client.delete_object(Bucket=ready.bucket, Key="team/slipway/key")
    assert refused
    for each in refused:
        assert "access denied" in each.what and permission in str(each.fix)
        assert str(each.where).startswith("s3://")


def test_the_permission_that_aws_names_is_handed_on(
    ready: BucketStorage, s3: FaultyS3, large: File
) -> None:
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/ci/job is not authorized to perform:"
        " kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:111122223333:key/k because no"
        " identity-based policy allows the kms:GenerateDataKey action"
    )
    s3.fail("status", "PutObject", status=403, code="AccessDenied", message=message)
    error = refusal(lambda: ready.store.create("key", b""))
    assert error.fix == "allow kms:GenerateDataKey on arn:aws:kms:eu-west-1:111122223333:key/k"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (42, "is 42 minutes behind S3's"),
        (-75, "is 75 minutes ahead of S3's"),
        (-300, "is 5 hours ahead of S3's"),
        (2880, "is 2 days behind S3's"),
        (1800, "is 30 hours behind S3's"),
    ],
)
def test_a_wrong_clock_is_an_error_with_the_difference(
    ready: BucketStorage, s3: FaultyS3, large: File, minutes: int, said: str
) -> None:
    s3.clock = timedelta(minutes=minutes)
    s3.fail(
        "status",
        times=1000,
        status=403,
        code="RequestTimeTooSkewed",
        message="The difference between the request time and the current time is too large.",
    )
    for write in writes(ready.store, large):
        error = refusal(write)
        assert said in error.what and "set the clock" in str(error.fix)


@pytest.mark.parametrize(
    ("status", "code", "what", "fix"),
    [
        (503, "SlowDown", "asks for fewer requests", "AWS_RETRY_MODE=adaptive"),
        (507, "InsufficientStorage", "the store is full", "free space"),
        (507, "XMinioStorageFull", "the store is full", "free space"),
        (403, "QuotaExceeded", "the store is full", "raise the quota"),
        (400, "BadDigest", "changed in transit", "try again"),
        (400, "KMS.DisabledException", "KMS refuses the key", "kms_key"),
        (501, "NotImplemented", "the server does not support", "conditional writes"),
        (500, "InternalError", "S3 answers InternalError", "try again"),
        (404, "NoSuchBucket", "no bucket", "aws s3 ls"),
    ],
)
def test_what_s3_cannot_do_is_an_error_with_a_fix(
    ready: BucketStorage, s3: FaultyS3, large: File, status: int, code: str, what: str, fix: str
) -> None:
    for write in writes(ready.store, large)[:4]:
        s3.fail("status", *CHANGING, times=1000, status=status, code=code, message="said so")
        error = refusal(write)
        assert what in error.what and fix in str(error.fix)
        s3.reset()
    assert ready.store.keys("") == ["there"]
    assert ready.store.read("there") == large.data


def test_without_permission_to_abort_the_race_is_still_lost_in_peace(
    ready: BucketStorage, s3: FaultyS3, large: File, small: File
) -> None:
    s3.fail("status", "AbortMultipartUpload", times=1000, status=403, code="AccessDenied")
    s3.before["CompleteMultipartUpload"] = lambda: ready.put("key", b"theirs")
    assert ready.store.create_file("key", large.path, large.sha256) is False
    assert ready.store.read("key") == b"theirs"
    s3.reset()
    s3.age(timedelta(days=2))
    assert ready.store.clean("") == 1


def test_a_server_without_conditional_deletes_deletes(ready: BucketStorage, s3: FaultyS3) -> None:
    s3.fail("status", "DeleteObject", status=501, code="NotImplemented")
    assert ready.store.delete("there") is True
    assert ready.store.stat("there") is None


def test_a_store_opens_as_the_settings_say(
    bucket: BucketStorage, s3: FaultyS3, large: File
) -> None:
    store = open_s3(StageSettings("staging", bucket.location, tags={"a": "b"}))
    assert isinstance(store, S3Store) and store.create_file("key", large.path, large.sha256)
    head = bucket.client.head_object(Bucket=bucket.bucket, Key="team/slipway/key")
    assert head["ContentLength"] == len(large.data) and head["TagCount"] == 1


@pytest.fixture(params=[errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A disk that has no room for what is flushed to it."""

    def refuse(_: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(os, "fsync", refuse)
    yield request.param


def test_a_full_disk_is_an_error_and_nothing_is_left(
    tmp_path: Path, large: File, full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FolderStorage(tmp_path / "store")
    storage.put("there", large.data)
    for write in writes(storage.store, large)[:4]:
        error = refusal(write)
        assert os.strerror(full) in error.what
        if full in (errno.ENOSPC, errno.EDQUOT):
            assert "free space" in str(error.fix)
    assert storage.store.keys("") == ["there"] and storage.store.read("there") == large.data
    assert storage.leftovers() == []
    monkeypatch.undo()
    assert storage.store.create_file("key", large.path, large.sha256)


CRAMPED = """
import resource, signal, sys
from pathlib import Path
from slipway.errors import SlipwayError
from slipway.store.directory import DirectoryStore
room, root, source, sha256 = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
try:
    DirectoryStore(Path(root)).create_file("key", Path(source), sha256)
except SlipwayError as error:
    print(error.what)
"""


@pytest.mark.parametrize("room", [0, 1, 100_000, 600_000])
def test_a_disk_that_fills_while_it_is_written_leaves_nothing(
    tmp_path: Path, large: File, room: int
) -> None:
    """The system's own limit of a file's size, in a process of its own: a write is cut short."""
    storage = FolderStorage(tmp_path / "store")
    command = [
        sys.executable,
        "-c",
        CRAMPED,
        str(room),
        storage.location,
        str(large.path),
        large.sha256,
    ]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, env=env, capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == "not written: File too large\n"
    assert storage.store.keys("") == [] and storage.leftovers() == []
    assert storage.store.create_file("key", large.path, large.sha256)


@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EPERM])
def test_a_file_system_without_hard_links_is_an_error(
    tmp_path: Path, small: File, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    storage = FolderStorage(tmp_path / "store")
    assert "hard links" in str(refusal(lambda: storage.store.create("key", b"")).fix)
    assert storage.store.keys("") == [] and storage.leftovers() == []
