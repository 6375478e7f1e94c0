"""An interrupted upload leaves nothing under its key, and the next one sends everything."""

from __future__ import annotations

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
from tests.store.conftest import PART, PREFIX, BucketStorage, File
from tests.store.faulty import PATIENCE, FaultyS3

PARTS = 24
PUBLISHER = """
import sys
from pathlib import Path
import boto3
from slipway.settings import StageSettings
from slipway.store.s3.store import S3Store
bucket, prefix, part, source, sha256 = sys.argv[1:]
settings = StageSettings("staging", f"s3://{bucket}/{prefix}")
store = S3Store(boto3.client("s3"), bucket, prefix, settings, part=int(part))
print(store.create_file("key", Path(source), sha256))
"""


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path / "file", (PARTS - 1) * PART + 5)


def start_publisher(bucket: BucketStorage, file: File) -> subprocess.Popen[str]:
    """Start a process that publishes ``file``."""
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
    """Hold a request of ``operation``, do ``meanwhile`` when it is reached, then release it."""
    fault = s3.fail("hold", operation, skip=after)
    with ThreadPoolExecutor(1) as pool:
        try:

            def wait_for_request() -> None:
                assert fault.reached.wait(PATIENCE)
                meanwhile()

            waiting = pool.submit(wait_for_request)
            yield
            waiting.result()
        finally:
            fault.go.set()


def sent_parts(s3: FaultyS3) -> list[int]:
    """The numbers of the parts that were sent since the last reset."""
    return sorted(request.part for request in s3.requests if request.operation == "UploadPart")


def kill_while_it_uploads(
    bucket: BucketStorage, s3: FaultyS3, file: File, operation: str = "UploadPart", after: int = 9
) -> None:
    """Kill a publisher that has sent ``after`` requests of ``operation``: its upload stays open."""
    process = start_publisher(bucket, file)

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    with held(s3, operation, after, kill):
        pass
    s3.settle()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("after", [0, 1, 11, 23])
def test_a_killed_upload_leaves_no_key_and_the_next_one_sends_every_part(
    bucket: BucketStorage, s3: FaultyS3, file: File, after: int
) -> None:
    kill_while_it_uploads(bucket, s3, file, after=after)
    assert bucket.store.keys("") == [] and bucket.store.stat("key") is None
    s3.reset()
    progress: list[int] = []
    assert bucket.store.create_file("key", file.path, file.sha256, progress.append) is True
    assert sum(progress) == len(file.data)
    assert sent_parts(s3) == list(range(1, PARTS + 1))
    assert bucket.store.read("key") == file.data
    assert bucket.store.digest("key") == file.sha256


def test_a_process_killed_before_its_last_request_does_not_stop_the_next_one(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    kill_while_it_uploads(bucket, s3, file, "CompleteMultipartUpload", 0)
    s3.reset()
    created = bucket.store.create_file("key", file.path, file.sha256)
    # the server may have received the last request, although its sender was killed
    assert created is not (s3.count("CompleteMultipartUpload") == 0)
    assert bucket.store.read("key") == file.data


@pytest.mark.parametrize("after", [0, 3, 20])
def test_an_upload_whose_connection_breaks_leaves_no_parts_and_is_sent_again(
    bucket: BucketStorage, s3: FaultyS3, file: File, after: int
) -> None:
    s3.fail("cut request", "UploadPart", skip=after, times=1000)
    with pytest.raises(SlipwayError, match="not reached, or the connection broke") as caught:
        bucket.store.create_file("key", file.path, file.sha256)
    assert "try again" in str(caught.value.fix)
    assert bucket.store.keys("") == [] and bucket.leftovers() == []
    s3.reset()
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert bucket.store.read("key") == file.data
    assert bucket.leftovers() == []


def test_a_server_without_checksums_takes_the_file_all_the_same(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    s3.checksums = False
    assert bucket.store.create_file("key", file.path, file.sha256) is True
    assert bucket.store.read("key") == file.data


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_an_upload_in_progress_is_not_touched_by_another_one(
    bucket: BucketStorage, s3: FaultyS3, file: File, operation: str
) -> None:
    results: list[bool] = []

    def second() -> None:
        results.append(bucket.store.create_file("key", file.path, file.sha256))

    process = start_publisher(bucket, file)
    with held(s3, operation, 0, second):
        pass
    assert process.communicate()[0] == "False\n"  # the first one came too late, and reports so
    assert results == [True]
    assert s3.count("CreateMultipartUpload") == 2
    assert bucket.leftovers() == []


def test_an_upload_whose_process_was_killed_is_cleaned_after_a_day(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    kill_while_it_uploads(bucket, s3, file)
    assert bucket.store.clean("") == 0
    s3.age(timedelta(hours=25))
    assert bucket.store.clean("other") == 0
    assert bucket.store.clean("k") == 1
    assert bucket.leftovers() == []


def test_an_old_upload_to_which_parts_are_still_added_is_not_cleaned(
    bucket: BucketStorage, s3: FaultyS3, file: File
) -> None:
    kill_while_it_uploads(bucket, s3, file)
    s3.started = {upload: when - timedelta(days=3) for upload, when in s3.started.items()}
    assert bucket.store.clean("") == 0
    assert len(bucket.leftovers()) == 1


def test_a_clean_that_is_not_allowed_names_the_permission(
    bucket: BucketStorage, s3: FaultyS3
) -> None:
    s3.fail("status", "ListMultipartUploads", status=403, code="AccessDenied")
    with pytest.raises(SlipwayError) as caught:
        bucket.store.clean("")
    assert "s3:ListBucketMultipartUploads" in str(caught.value.fix)
