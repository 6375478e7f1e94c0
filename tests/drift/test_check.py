"""A check for drift: releases of an endpoint, their profiles, and what was captured."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from slipway.capture.location import capture_location
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.catalog import alias, keys
from slipway.catalog.alias import Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.drift.check import NONE, check_drift
from slipway.drift.recent import recent_drift
from slipway.drift.reference import read_profile
from slipway.drift.sample import RequestSample
from slipway.drift.verdict import DriftCheck
from slipway.errors import SlipwayError
from slipway.profile.build import build_profile
from slipway.store.directory_reader import DirectoryReader
from slipway.store.open import open_stage
from slipway.store.stage import StageReader
from tests.drift import traffic
from tests.drift.traffic import FILLER, NOW, Traffic, house_profile, houses

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def made(tmp_path: Path) -> Traffic:
    return traffic.make(tmp_path)


def check(
    made: Traffic, *names: str, since: timedelta = HOUR, against: timedelta = NONE
) -> DriftCheck:
    return check_drift(made.settings, "production", names, since=since, against=against, now=NOW)


def test_traffic_like_the_reference_has_not_drifted(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(800, 2))
    found = check(made, "prices")
    [release] = found.releases
    assert found.verdict == release.verdict == "no drift"
    assert release.requests == 800 and release.moved == []
    assert release.comparisons[0].report.rows == 800
    assert set(release.scores) == {"ROOMS", "PRICE"} and max(release.scores.values()) < 1


def test_a_column_that_moved_is_drift_of_its_tensor_and_of_the_answers(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(800, 2, shift=1.5))
    [release] = check(made, "prices").releases
    assert release.verdict == "drift" and release.moved == ["PRICE", "ROOMS"]
    assert release.scores["ROOMS"] > 1
    tensor = next(t for t in release.comparisons[0].report.tensors if t.name == "ROOMS")
    moved = {one.series for one in tensor.statistics.values() if one.moved}
    assert len(moved) == 1, "the other column did not move"
    assert tensor.rows and {row.series for row in tensor.rows} == moved


def test_only_the_window_counts(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(500, 2, shift=3), ago=timedelta(hours=3))
    made.capture(target, *houses(500, 3), ago=timedelta(minutes=10))
    assert check(made, "prices").verdict == "no drift"
    assert check(made, "prices", since=DAY).verdict == "drift"


def test_an_earlier_window_shows_what_changed_since_without_a_profile(made: Traffic) -> None:
    target = made.release("prices", None)
    made.capture(target, *houses(600, 2), ago=timedelta(hours=5))
    made.capture(target, *houses(600, 3, shift=1.5))
    [release] = check(made, "prices", against=DAY).releases
    assert release.verdict == "drift"
    assert [one.reference for one in release.comparisons] == ["the 1d before"]
    assert "no reference profile" in release.notes[0]


def test_a_profile_and_an_earlier_window_are_two_references(made: Traffic) -> None:
    # the drift began long ago: the profile tells, the window before does not
    target = made.release("prices", house_profile())
    made.capture(target, *houses(600, 2, shift=1.5), ago=timedelta(hours=5))
    made.capture(target, *houses(600, 3, shift=1.5))
    [release] = check(made, "prices", against=DAY).releases
    verdicts = {one.reference: one.verdict for one in release.comparisons}
    assert verdicts == {"profile": "drift", "the 1d before": "no drift"}


def test_a_few_rows_are_too_few_to_say(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(2, 2))
    assert check(made, "prices").verdict == "too few rows"
    assert check(made, "prices").releases[0].scores == {}


def test_a_release_without_requests_or_without_a_profile_says_so(made: Traffic) -> None:
    made.release("silent", house_profile())
    target = made.release("bare", None)
    made.capture(target, *houses(50, 2))
    found = check(made)
    assert {r.name: r.verdict for r in found.releases} == {
        "silent": "no requests",
        "bare": "no profile",
    }
    assert found.verdict == "no requests"


def test_every_variant_is_compared_with_its_own_profile_and_a_shadow_is_not(made: Traffic) -> None:
    first = made.release("prices", house_profile())
    moved = build_profile(*houses(3000, 1, shift=2), source="newer.csv")
    second = made.release("prices", moved, version="1.1.0")
    third = made.release("prices", house_profile(), version="1.2.0")
    variants = alias.Alias((Variant(first, 3), Variant(second, 1)), third)
    store = open_stage(made.settings, "production")
    move_alias(store, "prices", variants, "alias", Origin(), None)
    for target in (first, second):
        made.capture(target, *houses(600, 2, shift=2))
    made.capture(third, *houses(600, 2, shift=9), role="shadow")
    verdicts = {release.target: release.verdict for release in check(made, "prices").releases}
    assert verdicts == {first: "drift", second: "no drift"}


def test_requests_to_releases_that_no_alias_serves_are_counted(made: Traffic) -> None:
    old = made.release("prices", house_profile())
    new = made.release("prices", house_profile(), version="1.1.0")
    made.capture(old, *houses(30, 2))
    made.capture(new, *houses(600, 3))
    found = check(made, "prices")
    assert found.others == {old: 30} and [r.target for r in found.releases] == [new]


def test_all_models_are_read_in_one_pass(made: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        target = made.release(f"model_{number:02}", house_profile(500))
        made.capture(target, *houses(40, number))
    passes = []

    def counted(*words: object, **more: object) -> Iterator[CapturedRequest]:
        passes.append(more["names"])
        return read_captured(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("slipway.drift.check.read_captured", counted)
    found = check(made)
    assert passes == [None]
    assert [release.requests for release in found.releases] == [40] * 12


def test_what_does_not_fit_into_memory_is_sampled_fairly_and_said(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(3000, 2))
    found = check_drift(made.settings, "production", ["prices"], since=HOUR, now=NOW, memory=1)
    [release] = found.releases
    assert release.requests == 3000 and release.verdict == "no drift"
    assert release.comparisons[0].report.rows < 3000
    assert "of 3,000 requests were compared" in release.notes[0]


def test_a_sample_does_not_depend_on_the_order() -> None:
    requests = [
        CapturedRequest(str(n), NOW + timedelta(seconds=n % 7), "e", "t", "v") for n in range(500)
    ]
    samples = [RequestSample(100_000), RequestSample(100_000)]
    for request, other in zip(requests, reversed(requests), strict=True):
        samples[0].add(request)
        samples[1].add(other)
    kept = [[request.event_id for request in sample.requests()] for sample in samples]
    assert kept[0] == kept[1] and 20 < len(kept[0]) < 500
    assert samples[0].seen == 500


class Counting(DirectoryReader):
    """A store that counts the bytes that are read of an artifact."""

    taken = 0

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with super().open(key) as stream:
            outer = self

            class Stream(io.RawIOBase):
                def readable(self) -> bool:
                    return True

                def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
                    data = stream.read(len(buffer))
                    buffer[: len(data)] = data
                    outer.taken += len(data)
                    return len(data)

            yield cast(BinaryIO, io.BufferedReader(Stream(), 65536))


def test_of_an_artifact_the_beginning_is_read_alone(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    bare = made.release("bare", None)
    store = Counting(made.settings.root / "store")
    source = StageReader(store, "production")
    assert read_profile(source, target) == house_profile()
    assert read_profile(source, bare) is None
    assert 0 < store.taken < FILLER / 2, "of two artifacts, each larger than this"


def test_a_damaged_alias_or_profile_hides_no_other_model(made: Traffic) -> None:
    good = made.release("good", house_profile())
    made.capture(good, *houses(600, 2))
    lost = made.release("lost", house_profile())
    made.capture(lost, *houses(600, 2))
    made.release("torn", house_profile())
    root = made.settings.root / "store"
    (root / keys.artifact("production", lost)).write_bytes(b"not an artifact")
    (root / keys.alias("production", "torn")).write_bytes(b"{")
    found = check(made)
    assert {r.name: r.verdict for r in found.releases} == {"good": "no drift", "lost": "no profile"}
    assert "torn was not checked" in found.problems[0]
    assert "not a complete tar.gz" in found.releases[1].notes[0]


def test_lines_that_are_not_captured_requests_are_named(made: Traffic) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(600, 2))
    folder = capture_location(made.settings, "production").folder
    assert folder is not None
    file = next(folder.rglob("*.jsonl"))
    file.write_bytes(file.read_bytes() + b'{"other": 1}\n')
    found = check(made, "prices")
    assert found.verdict == "no drift" and "1 not captured requests" in found.problems[0]


def test_a_name_that_was_never_released_is_an_error(made: Traffic) -> None:
    made.release("prices", house_profile())
    with pytest.raises(SlipwayError, match="prices"):
        check(made, "price")


def test_a_page_reads_each_profile_once(made: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    target = made.release("prices", house_profile())
    made.capture(target, *houses(600, 2))
    for _ in range(2):
        found = recent_drift(made.settings, "production", "prices", now=NOW)
        assert found.verdict == "no drift"
        monkeypatch.setattr("slipway.drift.recent.read_profile", None)
