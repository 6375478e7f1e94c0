"""An upload that was cut off is gone on with: what S3 has is not sent again."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.settings import StageSettings
from slipway.store.s3.store import S3Store
from tests.store.conftest import PART, PREFIX, File, InBucket
from tests.store.faulty import PATIENCE, FaultyS3

PARTS = 24
PUBLISHER = """
import sys
from pathlib import Path
import boto3
from slipway.release.s3_store import S3Store
from slipway.settings import StageSettings
bucket, prefix, part, source, sha256 = sys.argv[1:]
settings = StageSettings("staging", f"s3://{bucket}/{prefix}")
store = S3Store(boto3.client("s3"), bucket, prefix, settings, part=int(part))
print(store.create_file("key", Path(source), sha256))
"""


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "file", (PARTS - 1) * PART + 5)


def publisher(bucket: InBucket, file: File) -> subprocess.Popen[str]:
    """A process that publishes ``file``."""
    arguments = (bucket.bucket, PREFIX, str(PART), str(file.path), file.sha256)
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def held(s3: FaultyS3, operation: str, after: int, meanwhile: Callable[[], None]) -> Iterator[None]:
    """Hold a request of ``operation`` and, when it is reached, do ``meanwhile``; let go at last."""
    fault = s3.fail("hold", operation, skip=after)
    with ThreadPoolExecutor(1) as pool:
        try:

            def reached() -> None:
                assert fault.reached.wait(PATIENCE)
                meanwhile()

            doing = pool.submit(reached)
            yield
            doing.result()
        finally:
            fault.go.set()


def stored(bucket: InBucket) -> dict[int, str]:
    """The parts of unfinished uploads that S3 has: their checksums by their numbers."""
    found = {}
    for upload in bucket.client.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads", ()):
        listed = bucket.client.list_parts(
            Bucket=bucket.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
        )
        for part in listed.get("Parts", ()):
            found[part["PartNumber"]] = part["ChecksumSHA256"]
    return found


def sent(s3: FaultyS3) -> list[int]:
    """The numbers of the parts that were sent since the last reset."""
    return sorted(asked.part for asked in s3.asked if asked.operation == "UploadPart")


@pytest.mark.parametrize("after", [0, 1, 2, 4, 7, 11, 15, 19, 22, 23])
def test_a_killed_process_is_gone_on_with_and_no_part_is_sent_twice(
    bucket: InBucket, s3: FaultyS3, file: File, after: int
) -> None:
    process = publisher(bucket, file)

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    with held(s3, "UploadPart", after, kill):
        pass
    s3.settle()
    assert process.returncode == -signal.SIGKILL
    assert bucket.store.keys("") == [] and bucket.store.stat("key") is None
    there = stored(bucket)
    assert len(there) >= max(0, after - 8)  # 8 at once, of which the held one blocks only itself
    s3.reset()
    told: list[int] = []
    assert bucket.store.create_file("key", file.path, file.sha256, told.append) is True
    assert sum(told) == len(file.data)
    assert sent(s3) == sorted(set(range(1, PARTS + 1)) - set(there))
    assert s3.count("CreateMultipartUpload") == 0
    assert bucket.store.read("key") == file.data
    assert bucket.store.digest("key") == file.sha256
    assert bucket.leftovers() == []


def test_a_process_killed_before_its_last_request_leaves_only_that_one_to_do(
    bucket: InBucket, s3: FaultyS3, file: File
) -> None:
    process = publisher(bucket, file)
    with held(s3, "CompleteMultipartUpload", 0, process.kill):
        process.wait()
    s3.settle()
    s3.reset()
    created = bucket.store.create_file("key", file.path, file.sha256)
    # the server may have got the last request, though its sender was gone
    assert created is not (s3.count("CompleteMultipartUpload") == 0)
    assert sent(s3) == []
    assert bucket.store.read("key") == file.data
    assert bucket.leftovers() == []


def test_a_second_process_does_the_rest_as_well(bucket: InBucket, s3: FaultyS3, file: File) -> None:
    process = publisher(bucket, file)
    with held(s3, "UploadPart", 12, process.kill):
        process.wait()
    s3.settle()
    there = stored(bucket)
    s3.reset()
    assert publisher(bucket, file).communicate()[0] == "True\n"
    assert len(sent(s3)) == PARTS - len(there)
    assert publisher(bucket, file).communicate()[0] == "False\n"
    assert bucket.store.digest("key") == file.sha256


@pytest.mark.parametrize("after", [0, 3, 9, 20])
def test_a_broken_connection_is_gone_on_with(
    bucket: InBucket, s3: FaultyS3, file: File, after: int
) -> None:
    s3.fail("cut request", "UploadPart", skip=after, times=1000)
    with pytest.raises(SlipwayError, match="not reached, or broke off") as caught:
        bucket.store.create_file("key", file.path, file.sha256)
    assert "try again" in str(caught.value.fix)
    there = stored(bucket)
    assert len(there) == after
    s3.reset()
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert sent(s3) == sorted(set(range(1, PARTS + 1)) - set(there))
    assert bucket.leftovers() == []


def cut_off(bucket: InBucket, s3: FaultyS3, file: File, after: int = 9) -> None:
    """Leave an unfinished upload."""
    s3.fail("cut request", "UploadPart", skip=after, times=1000)
    with pytest.raises(SlipwayError):
        bucket.store.create_file("key", file.path, file.sha256)
    s3.reset()


def test_parts_of_other_bytes_are_not_mixed_in(
    bucket: InBucket, s3: FaultyS3, file: File, tmp_path: Path
) -> None:
    cut_off(bucket, s3, file)
    other = File(tmp_path / "other", 0)
    other.data = file.data[: 12 * PART] + os.urandom(11 * PART)  # begins as the first one
    other.path.write_bytes(other.data)
    other.sha256 = hashlib.sha256(other.data).hexdigest()
    assert bucket.store.create_file("key", other.path, other.sha256) is True
    assert bucket.store.read("key") == other.data
    assert not bucket.store.create_file("key", file.path, file.sha256)


def test_a_part_that_is_not_what_it_should_be_is_sent_again(
    bucket: InBucket, s3: FaultyS3, file: File
) -> None:
    cut_off(bucket, s3, file)
    (upload,) = bucket.leftovers()
    there = sorted(stored(bucket))
    for number, data in ((there[0], os.urandom(PART)), (there[1], b"short")):
        bucket.client.upload_part(
            Bucket=bucket.bucket,
            Key=f"{PREFIX}/key",
            UploadId=upload,
            PartNumber=number,
            Body=data,
        )
    s3.asked.clear()
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert set(there[:2]) <= set(sent(s3)) and not set(there[2:]) & set(sent(s3))
    assert bucket.store.read("key") == file.data


def test_other_options_are_another_upload(bucket: InBucket, s3: FaultyS3, file: File) -> None:
    cut_off(bucket, s3, file)
    settings = StageSettings("staging", bucket.location, kms_key="alias/releases")
    store = S3Store(bucket.client, bucket.bucket, PREFIX, settings, part=PART)
    assert store.create_file("key", file.path, file.sha256) is True
    assert len(sent(s3)) == PARTS
    head = bucket.client.head_object(Bucket=bucket.bucket, Key=f"{PREFIX}/key")
    assert head["SSEKMSKeyId"] == "alias/releases"


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented"), (404, "NoSuchUpload")]
)
def test_without_a_list_of_parts_everything_is_sent(
    bucket: InBucket, s3: FaultyS3, file: File, status: int, code: str
) -> None:
    cut_off(bucket, s3, file)
    s3.fail("status", "ListParts", status=status, code=code)
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert len(sent(s3)) == PARTS
    assert bucket.store.read("key") == file.data


def test_a_server_that_keeps_no_checksums_is_sent_everything(
    bucket: InBucket, s3: FaultyS3, file: File
) -> None:
    cut_off(bucket, s3, file)
    s3.checksums = False
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert len(sent(s3)) == PARTS
    assert bucket.store.read("key") == file.data


def test_a_file_that_changed_since_the_cut_leaves_nothing(
    bucket: InBucket, s3: FaultyS3, file: File
) -> None:
    cut_off(bucket, s3, file)
    file.path.write_bytes(file.data[:-1] + b"?")
    with pytest.raises(SlipwayError, match="packing recorded"):
        bucket.store.create_file("key", file.path, file.sha256)
    assert bucket.leftovers() == [] and bucket.store.keys("") == []


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_an_upload_that_is_still_sent_is_not_taken_for_one_that_was_cut_off(
    bucket: InBucket, s3: FaultyS3, file: File, operation: str
) -> None:
    results: list[bool] = []

    def second() -> None:
        results.append(bucket.store.create_file("key", file.path, file.sha256))

    process = publisher(bucket, file)
    with held(s3, operation, 0, second):
        pass
    assert process.communicate()[0] == "False\n"  # the first one came too late, and hears so
    assert results == [True]
    assert s3.count("CreateMultipartUpload") == 2
    assert bucket.leftovers() == []


def test_a_damaged_note_is_no_note(
    bucket: InBucket, s3: FaultyS3, file: File, slipway_cache: Path
) -> None:
    for text in (b"", b"[]", b"{}", b"\xff"):
        cut_off(bucket, s3, file)
        (note,) = (slipway_cache / "uploads").glob("*.json")
        note.write_bytes(text)
        assert bucket.store.create_file("key", file.path, file.sha256) is True
        assert not note.exists()
        assert bucket.store.delete("key")


def test_without_a_cache_it_is_published_as_well(
    bucket: InBucket, s3: FaultyS3, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_bytes(b"")
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "occupied"))
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert bucket.store.digest("key") == file.sha256


def test_notes_and_uploads_that_nobody_went_on_with_are_cleaned(
    bucket: InBucket, s3: FaultyS3, file: File, slipway_cache: Path
) -> None:
    cut_off(bucket, s3, file)
    (note,) = (slipway_cache / "uploads").glob("*.json")
    assert bucket.store.clean("") == 0
    s3.age(timedelta(hours=25))
    assert bucket.store.clean("other") == 0
    assert bucket.store.clean("k") == 1
    assert bucket.leftovers() == []
    assert bucket.store.create_file("key", file.path, file.sha256) is True  # the note led nowhere
    bucket.store.delete("key")
    cut_off(bucket, s3, file)
    (note,) = (slipway_cache / "uploads").glob("*.json")
    os.utime(note, (0, 0))
    bucket.store.create_file("other", file.path, file.sha256)
    assert not note.exists()


def test_an_old_upload_to_which_parts_are_still_added_is_not_cleaned(
    bucket: InBucket, s3: FaultyS3, file: File
) -> None:
    cut_off(bucket, s3, file)
    s3.begun = {upload: when - timedelta(days=3) for upload, when in s3.begun.items()}
    assert bucket.store.clean("") == 0
    assert len(bucket.leftovers()) == 1


def test_a_clean_that_is_not_allowed_names_the_permission(bucket: InBucket, s3: FaultyS3) -> None:
    s3.fail("status", "ListMultipartUploads", status=403, code="AccessDenied")
    with pytest.raises(SlipwayError) as caught:
        bucket.store.clean("")
    assert "s3:ListBucketMultipartUploads" in str(caught.value.fix)
