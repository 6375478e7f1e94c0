"""Captures in a bucket: complete objects, found by model, and nothing lost while S3 is away.

Against moto's server and SeaweedFS, which nobody here wrote.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from slipway.capture.counts import Counts
from slipway.capture.keeper import FileLimits, Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.storage import sink
from slipway.capture.storage.files import S3Files
from slipway.capture.summary import forget, summarize
from slipway.capture.writer import CaptureWriter
from tests.capture.exchanges import CSV_LINE, KEEP_ALL, TARGET, exchange, read_all, rules
from tests.store.readable_stores import BucketStore


@pytest.fixture(params=["release_bucket", "seaweed_release_bucket"])
def bucket(request: pytest.FixtureRequest) -> BucketStore:
    made: BucketStore = request.getfixturevalue(request.param)
    return made


def location_in(bucket: BucketStore) -> CaptureLocation:
    return CaptureLocation(bucket=bucket.bucket, prefix="team/slipway/captured/")


def test_captures_are_written_to_a_bucket_read_summed_up_and_forgotten(
    bucket: BucketStore,
) -> None:
    location = location_in(bucket)
    old = datetime.now(UTC) - timedelta(days=2)
    with closing(CaptureWriter(location, lambda target: rules(retention_days=1))) as writer:
        for number in range(6):
            writer.offer(exchange(target=f"m{number % 2}_1.0.0.tar.gz"))
        writer.offer(exchange(when=old.timestamp()))
    assert len(read_all(location)) == 6
    assert {request.name for request in read_all(location, names=["m1"])} == {"m1"}
    assert len(read_all(location, endpoint="local", targets=["m0_1.0.0.tar.gz"])) == 3
    assert read_all(location, endpoint="another") == []
    summary = summarize(location)
    assert {release.target: release.requests for release in summary.releases} == {
        TARGET: 1,
        "m0_1.0.0.tar.gz": 3,
        "m1_1.0.0.tar.gz": 3,
    }
    assert [release.offered for release in summary.releases] == [3, 3, 1]
    removed, size = forget(location, datetime.now(UTC))
    assert removed == 1 and size > 0
    assert len(read_all(location, since=old - timedelta(hours=1))) == 6


def test_one_model_of_many_is_read_without_the_others(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = location_in(release_bucket)
    now = datetime.now(UTC).replace(minute=30)
    folder = f"{location.prefix}local/AllTraffic/{now:%Y/%m/%d/%H}"
    for number in range(100):
        key = f"{folder}/m{number}_1.0.0--0000-5959-1-30d-ab-1.jsonl"
        release_bucket.client.put_object(Bucket=release_bucket.bucket, Key=key, Body=b"{}\n")
    keeper = Keeper(location, Counts())
    keeper.keep(exchange(target="m7_1.0.1.tar.gz"), KEEP_ALL)
    keeper.close(30)
    asked: list[str] = []
    opened: list[str] = []
    pages, opener = S3Files._pages, S3Files._opener

    def pages_(self: S3Files, prefix: str, **options: object) -> object:
        asked.append(prefix)
        return pages(self, prefix, **options)

    monkeypatch.setattr(S3Files, "_pages", pages_)

    def open_(self: S3Files, key: str) -> object:
        opened.append(key)
        return opener(self, key)

    monkeypatch.setattr(S3Files, "_opener", open_)
    assert [request.target for request in read_all(location, names=["m7"])] == ["m7_1.0.1.tar.gz"]
    assert len(opened) <= 2 * 4  # objects of m7 and of names that begin so
    assert len(asked) <= 6  # endpoints, variants, and the hours that were asked for


def test_while_s3_is_away_captures_wait_on_the_disk_and_are_sent_by_the_next_writer(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    location = location_in(release_bucket)
    monkeypatch.setattr(sink, "CONNECT_S", 1)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
            for _ in range(5):
                writer.offer(exchange())
    assert "captures wait on this machine" in caplog.text
    assert "the next start sends them" in caplog.text
    assert read_all(location) == []
    Keeper(location, Counts()).close(30)
    assert len(read_all(location)) == 5
    Keeper(location, Counts()).close(30)
    assert len(read_all(location)) == 5


def test_a_disk_limit_drops_and_counts_while_s3_is_away(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    counts = Counts()
    keeper = Keeper(
        location_in(release_bucket), counts, FileLimits(bytes=2000, seconds=300, waiting=6000)
    )
    for _ in range(20):
        keeper.keep(exchange(), KEEP_ALL)
    kept = counts.snapshot()[TARGET]
    assert kept["written"] + kept["dropped.disk_limit"] == 20
    assert 2 <= kept["written"] <= 12
    keeper.close(0.1)


def test_a_bucket_that_refuses_is_said_once_and_nothing_blocks(
    release_bucket: BucketStore, caplog: pytest.LogCaptureFixture
) -> None:
    location = CaptureLocation(bucket="of-somebody-else", prefix="captured/")
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
        writer.offer(exchange())
    assert "no bucket 'of-somebody-else'" in caplog.text


def test_what_another_program_put_there_is_read_as_sagemaker_captured_it(
    release_bucket: BucketStore, tmp_path: Path
) -> None:
    key = "capture/e/AllTraffic/2020/07/30/13/36-30-000-uuid.jsonl"
    torn = CSV_LINE + b"a line of another program\n" + CSV_LINE[:50]
    release_bucket.client.put_object(Bucket=release_bucket.bucket, Key=key, Body=torn)
    from slipway.capture.read import ReadCounts, read_captured

    counts = ReadCounts()
    location = CaptureLocation(bucket=release_bucket.bucket, prefix="capture/", foreign=True)
    [request] = read_captured(
        location,
        names=["boston"],
        since=datetime(2020, 7, 30, tzinfo=UTC),
        until=datetime(2020, 7, 31, tzinfo=UTC),
        target="boston_1.0.0.tar.gz",
        counts=counts,
    )
    assert request.outputs["body"].tolist() == [[30.4133586884]]
    assert (request.endpoint, request.variant) == ("e", "AllTraffic")
    assert (counts.foreign, counts.torn, counts.lines) == (1, 1, 1)
    assert key.removeprefix("capture/") in counts.examples[0]
