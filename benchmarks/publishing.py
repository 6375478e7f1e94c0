"""Measure uploads to S3: parts in parallel, one stream, and resumed after an interruption."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from boto3.s3.transfer import TransferConfig

from benchmarks import bucket, result
from benchmarks.context import BenchmarkContext
from benchmarks.result import Report, interleaved
from slipway.settings import StageSettings
from slipway.store.s3.store import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SIZE, RATE = 160, 50  # MB, and MB a second of each connection
BUCKET = "releases"


class _Interrupted(Exception):
    """A simulated loss of the network."""


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure uploads of incompressible bytes over connections with a fixed speed."""
    file = context.work / "artifact"
    file.write_bytes(os.urandom(SIZE * 1_000_000))
    sha256 = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    with bucket.serving(RATE) as url, tempfile.TemporaryDirectory() as cache:
        os.environ["SLIPWAY_CACHE"] = cache  # where the state of uploads is stored
        client = _client(url)
        store = S3Store(client, BUCKET, "", StageSettings("staging", f"s3://{BUCKET}"))
        uploads: dict[str, Callable[[], float]] = {
            "ours": partial(_timed, lambda key: store.create_file(key, file, sha256)),
            "one stream": partial(_timed, lambda key: _one_stream(client, key, file)),
            "boto3": partial(
                _timed,
                lambda key: client.upload_file(str(file), BUCKET, key, Config=TransferConfig()),
            ),
            "resumed": partial(_resumed, store, file, sha256),
        }
        times = interleaved(context.repeats(5), uploads)
    show = result.seconds
    return [
        Report(
            f"{SIZE} MB into an S3 whose connections take {RATE} MB/s",
            "one stream",
            [
                result.faster(
                    "parts in parallel, hashed during the upload",
                    times["ours"],
                    times["one stream"],
                    show,
                    at_least=2,
                ),
                result.compared(
                    "resumed, interrupted at three quarters",
                    times["resumed"],
                    times["one stream"],
                    show,
                ),
            ],
        ),
        Report(
            f"{SIZE} MB into the same",
            "boto3's upload_file, which checks no digest and overwrites",
            [result.compared("parts in parallel", times["ours"], times["boto3"], show)],
        ),
    ]


def _client(url: str) -> S3Client:
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="benchmark",
        aws_secret_access_key="benchmark",
    )
    return client


def _timed(publish: Callable[[str], object]) -> float:
    start = time.perf_counter()
    publish(uuid4().hex)
    return time.perf_counter() - start


def _one_stream(client: S3Client, key: str, file: Path) -> None:
    with file.open("rb") as stream:
        client.put_object(Bucket=BUCKET, Key=key, Body=stream, IfNoneMatch="*")


def _resumed(store: S3Store, file: Path, sha256: str) -> float:
    """Return the time of a second attempt; the first one is interrupted after three quarters."""
    key, sent = uuid4().hex, 0

    def interrupt(count: int) -> None:
        nonlocal sent
        sent += count
        if sent > SIZE * 750_000:
            raise _Interrupted

    with contextlib.suppress(_Interrupted):
        store.create_file(key, file, sha256, interrupt)
    return _timed(lambda _: store.create_file(key, file, sha256))
