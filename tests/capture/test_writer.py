"""What is offered is written once, or counted as dropped, and never blocks its caller."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from slipway.capture.counts import Counts
from slipway.capture.keeper import FileLimits, Keeper
from slipway.capture.location import CaptureLocation
from slipway.capture.sampling import is_sampled
from slipway.capture.storage.names import parse_key
from slipway.capture.storage.retention import forget_expired
from slipway.capture.writer import CaptureWriter, QueueLimits
from slipway.errors import SlipwayError
from slipway.model.capture_rules import CaptureRules
from tests.capture.exchanges import KEEP_ALL, TARGET, exchange, read_all, rules


def files_of(location: CaptureLocation) -> list[Path]:
    assert location.folder is not None
    return sorted(location.folder.rglob("*.jsonl"))


def only(counts: Mapping[str, Mapping[str, int]], target: str = TARGET) -> dict[str, int]:
    return dict(counts[target])


def test_what_was_offered_is_read_back(location: CaptureLocation) -> None:
    sent = [exchange() for _ in range(50)]
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
        assert all(writer.offer(one) for one in sent)
    assert [r.event_id for r in read_all(location)] == [one.event_id for one in sent]
    assert only(writer.counts()) == {"offered": 50, "written": 50}


def test_what_is_not_in_a_complete_file_yet_is_read_too(location: CaptureLocation) -> None:
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
        writer.offer(exchange())
        assert writer.flush()
        assert files_of(location) == []
        assert len(read_all(location)) == 1
    assert len(files_of(location)) == 1
    assert len(read_all(location)) == 1


def test_a_file_is_of_one_target_model_and_hour_and_its_name_says_so(
    location: CaptureLocation,
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    times = [hour + timedelta(minutes=m) for m in (1, 7, 61)]
    with closing(CaptureWriter(location, lambda target: rules(retention_days=9))) as writer:
        for when in times:
            for target in ("a_1.0.0.tar.gz", "a_b_2.0.0-rc.h123.tar.gz"):
                writer.offer(exchange(target=target, when=when.timestamp()))
    assert location.folder is not None
    found = [parse_key(f.relative_to(location.folder).as_posix()) for f in files_of(location)]
    said = {(f.target, f.hour, f.requests, f.first, f.last, f.days) for f in found if f}
    assert said == {
        (target, *rest)
        for target in ("a_1.0.0.tar.gz", "a_b_2.0.0-rc.h123.tar.gz")
        for rest in (
            (hour, 2, "0100", "0700", 9),
            (hour + timedelta(hours=1), 1, "0100", "0100", 9),
        )
    }


def test_only_its_owner_can_read_what_is_captured(location: CaptureLocation) -> None:
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
        writer.offer(exchange())
        writer.flush()
        assert location.folder is not None
        for path in (location.folder, *location.folder.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
    for path in (location.folder, *location.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_answer_and_its_shadow_are_sampled_together() -> None:
    ids = [f"{number}" for number in range(4000)]
    some = {one for one in ids if is_sampled(one, 0.25)}
    assert some < {one for one in ids if is_sampled(one, 0.5)}
    assert len(some) == pytest.approx(1000, rel=0.15)
    assert not any(is_sampled(one, 0) for one in ids)
    assert all(is_sampled(one, 1) for one in ids)


def test_the_shares_of_an_endpoint_and_of_a_model_are_multiplied(
    location: CaptureLocation,
) -> None:
    sent = [exchange() for _ in range(300)]
    with closing(CaptureWriter(location, lambda target: rules(sample=0.5), sampling=0.5)) as writer:
        for one in sent:
            writer.offer(one)
    wanted = [one.event_id for one in sent if is_sampled(one.event_id, 0.25)]
    assert [request.event_id for request in read_all(location)] == wanted
    counts = only(writer.counts())
    assert counts == {"offered": 300, "written": len(wanted), "unsampled": 300 - len(wanted)}


def test_a_release_whose_rules_are_not_known_is_not_captured(
    location: CaptureLocation, caplog: pytest.LogCaptureFixture
) -> None:
    def find(target: str) -> CaptureRules | None:
        if target == "b_1.0.0.tar.gz":
            raise SlipwayError("the store was not reached")
        return None

    with closing(CaptureWriter(location, find)) as writer:
        for target in (TARGET, "b_1.0.0.tar.gz"):
            for _ in range(3):
                writer.offer(exchange(target=target))
    assert read_all(location) == []
    for target in (TARGET, "b_1.0.0.tar.gz"):
        assert only(writer.counts(), target) == {"offered": 3, "dropped.unknown_rules": 3}
        assert f"{target} is not captured" in caplog.text
    assert "the store was not reached" in caplog.text


def test_what_cannot_be_redacted_is_dropped_and_counted(location: CaptureLocation) -> None:
    with closing(
        CaptureWriter(location, lambda target: rules({"X": {"keep": "nothing"}}))
    ) as writer:
        writer.offer(exchange(request=b"4929", request_type="text/csv"))
        writer.offer(exchange())
    assert len(read_all(location)) == 1
    assert only(writer.counts())["dropped.undecodable"] == 1


@pytest.fixture
def slow() -> Iterator[threading.Event]:
    """An event for which a search for rules waits, so that the queue fills."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("limits", "taken"), [(QueueLimits(requests=5), 5), (QueueLimits(bytes=2500), 2)]
)
def test_a_full_queue_drops_and_counts(
    location: CaptureLocation, slow: threading.Event, limits: QueueLimits, taken: int
) -> None:
    entered = threading.Event()

    def find(target: str) -> CaptureRules:
        entered.set()
        slow.wait()
        return KEEP_ALL

    big = {"X": np.zeros((1, 200), np.float32)}
    with closing(CaptureWriter(location, find, limits=limits)) as writer:
        writer.offer(exchange(big))
        assert entered.wait(60)
        results = [writer.offer(exchange(big)) for _ in range(20)]
        slow.set()
    written = 1 + results.count(True)
    assert results.count(True) in (taken - 1, taken)  # the first one's bytes count until written
    assert len(read_all(location)) == written
    counts = only(writer.counts())
    assert counts == {"offered": 21, "written": written, "dropped.queue_full": 21 - written}


def test_an_exchange_that_is_larger_than_the_queue_is_taken_alone(
    location: CaptureLocation,
) -> None:
    with closing(
        CaptureWriter(location, lambda target: KEEP_ALL, limits=QueueLimits(bytes=10))
    ) as writer:
        assert writer.offer(exchange())


def test_after_its_end_a_writer_drops_and_counts(location: CaptureLocation) -> None:
    writer = CaptureWriter(location, lambda target: KEEP_ALL)
    writer.close()
    assert not writer.offer(exchange())
    assert only(writer.counts()) == {"offered": 1, "dropped.closed": 1}


def test_many_threads_lose_nothing(location: CaptureLocation) -> None:
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:

        def offer() -> None:
            for _ in range(100):
                writer.offer(exchange())

        threads = [threading.Thread(target=offer) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    requests = read_all(location)
    assert len({request.event_id for request in requests}) == len(requests) == 800


def keeper(location: CaptureLocation, **limits: float) -> tuple[Keeper, Counts]:
    counts = Counts()
    return Keeper(location, counts, FileLimits(**limits)), counts  # type: ignore[arg-type]


def test_a_file_is_closed_when_it_is_large(location: CaptureLocation) -> None:
    kept, _ = keeper(location, bytes=2000)
    for _ in range(10):
        kept.keep(exchange(), KEEP_ALL)
    assert len(files_of(location)) > 2
    kept.close(1)
    assert len(read_all(location)) == 10


def test_a_file_is_closed_when_it_is_old(location: CaptureLocation) -> None:
    kept, _ = keeper(location, seconds=0.05)
    kept.keep(exchange(), KEEP_ALL)
    kept.tick()
    assert files_of(location) == []
    time.sleep(0.06)
    kept.tick()
    assert len(files_of(location)) == 1
    kept.close(1)


def test_a_full_disk_drops_and_counts_and_leaves_no_half_line(
    location: CaptureLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, counts = keeper(location)
    kept.keep(exchange(), KEEP_ALL)
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 60:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[: len(data) - 50])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        kept.keep(exchange(), KEEP_ALL)
    kept.keep(exchange(), KEEP_ALL)
    kept.close(1)
    assert len(read_all(location)) == 2
    assert only(counts.snapshot()) == {"written": 2, "dropped.not_writable": 1}


def test_one_that_cannot_be_encoded_does_not_take_others_with_it(
    location: CaptureLocation, caplog: pytest.LogCaptureFixture
) -> None:
    kept, counts = keeper(location)
    broken = exchange(when=float("nan"))  # as no clock says
    kept.keep_all([exchange(), broken, exchange()], {broken.target: KEEP_ALL})
    kept.close(1)
    assert len(read_all(location)) == 2
    assert only(counts.snapshot()) == {"written": 2, "dropped.failed": 1}
    assert "was not captured" in caplog.text


def test_one_without_rules_is_not_captured(location: CaptureLocation) -> None:
    kept, counts = keeper(location)
    kept.keep_all([exchange()], {"another_1.0.0.tar.gz": KEEP_ALL})
    kept.close(1)
    assert read_all(location) == []
    assert only(counts.snapshot()) == {"dropped.failed": 1}


def test_a_hash_without_a_key_is_not_replaced_by_clear_text(
    location: CaptureLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_CAPTURE_KEY", "short")
    kept, counts = keeper(location)
    kept.keep(exchange(), rules({"X": {"keep": "hash"}}))
    kept.close(1)
    assert read_all(location) == []
    assert only(counts.snapshot()) == {"dropped.no_hash_key": 1}


def test_the_key_of_hashes_is_made_once_and_is_its_owners(
    location: CaptureLocation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hashing = rules({"X": {"keep": "hash"}})
    for _ in range(2):
        with closing(CaptureWriter(location, lambda target: hashing)) as writer:
            writer.offer(exchange())
    first, again = (request.inputs["X"].tolist() for request in read_all(location))
    assert first == again
    key = tmp_path / "config" / "slipway" / "capture-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_bytes()
    assert location.folder is not None
    for path in (p for p in location.folder.rglob("*") if p.is_file()):
        assert secret not in path.read_bytes() and secret.hex().encode() not in path.read_bytes()
    assert secret.hex() not in caplog.text


def test_what_was_dropped_is_recorded_with_the_captures(location: CaptureLocation) -> None:
    with closing(CaptureWriter(location, lambda target: rules(sample=0.0))) as writer:
        for endpoint in ("one", "two", "two"):
            writer.offer(exchange(endpoint=endpoint))
    assert location.folder is not None
    recorded = {
        path.relative_to(location.folder).parts[1]: json.loads(path.read_bytes())["targets"]
        for path in location.folder.glob("_counts/**/*.json")
    }
    assert recorded == {
        "one": {TARGET: {"offered": 1, "unsampled": 1}},
        "two": {TARGET: {"offered": 2, "unsampled": 2}},
    }


def test_captures_are_forgotten_after_the_days_of_their_model(location: CaptureLocation) -> None:
    days = {"a_1.0.0.tar.gz": 1, "b_1.0.0.tar.gz": 5}
    old = datetime.now(UTC) - timedelta(days=2)
    with closing(
        CaptureWriter(location, lambda target: rules(retention_days=days[target]))
    ) as writer:
        for target in days:
            writer.offer(exchange(target=target, when=old.timestamp()))
            writer.offer(exchange(target=target))
    assert location.folder is not None
    foreign = location.folder / "local" / "AllTraffic" / "2020" / "01" / "01" / "00"
    foreign.mkdir(parents=True)
    (foreign / "00-01-002-uuid.jsonl").write_text("{}\n")
    assert forget_expired(location.folder, datetime.now(UTC)) == 1
    kept = read_all(location, since=old - timedelta(hours=1))
    assert sorted((request.name, request.when.date() == old.date()) for request in kept) == [
        ("a", False),
        ("b", False),
        ("b", True),
    ]
    assert (foreign / "00-01-002-uuid.jsonl").exists()


def test_a_folder_that_cannot_be_written_is_an_error_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SlipwayError) as error:
        CaptureWriter(CaptureLocation(folder=tmp_path / "file" / "captured"), lambda t: KEEP_ALL)
    assert "choose another folder" in str(error.value.fix)
