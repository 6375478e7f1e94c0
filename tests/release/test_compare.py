"""What one release would change in the place of another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from slipway.artifact.diff import Change
from slipway.errors import SlipwayError
from slipway.release.compare import compare
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return create_repository(tmp_path / "repository")


def parts(changes: tuple[Change, ...]) -> list[str]:
    return sorted({change.part for change in changes})


def test_a_promotion_lists_everything_that_it_would_change(settings: Settings) -> None:
    publish_sample(settings, "1.0.0", metadata=ReleaseMetadata(DEV, metrics={"f1": 0.9}))
    promote(settings, "m", None, DEV)
    publish_sample(
        settings,
        "1.1.0",
        metadata=ReleaseMetadata(
            DEV, metrics={"f1": 0.95, "size": 3.0}, changes=("abc1234 Larger batches",)
        ),
        tested=None,
        code="LIMIT = 2\n",
        weights=b"trained further",
        packages={"numpy": "1.26.5", "pillow": "10.0.0"},
        batch=16,
    )
    comparison = compare(settings, "m", "staging", "production")
    assert (comparison.before.stage, comparison.after.stage) == ("production", "staging")
    assert comparison.commits == ("abc1234 Larger batches",)
    changed = {
        (change.part, change.name): (change.before, change.after) for change in comparison.changes
    }
    assert changed["release", "version"] == ("1.0.0", "1.1.0")
    assert changed["packages", "numpy"] == ("1.26.4 (pip)", "1.26.5 (pip)")
    assert changed["packages", "pillow"] == (None, "10.0.0 (pip)")
    assert changed["metrics", "f1"] == ("0.9", "0.95")
    assert changed["metrics", "size"] == (None, "3")
    assert changed["interface", "largest batch"] == ("8", "16")
    assert changed["evidence", "tests"] == ("4 of 4 passed", None)
    assert ("code", "m/1/model.py") in changed and ("weights", "m/1/model.onnx") in changed
    [config] = [change for change in comparison.changes if change.part == "config"]
    assert config.detail and "+max_batch_size: 16" in config.detail


def test_the_order_of_the_stages_does_not_matter(settings: Settings) -> None:
    promote_samples(settings, "1.0.0")
    publish_sample(settings, "1.1.0")
    assert (
        compare(settings, "m", "staging", "production").changes
        == compare(settings, "m", "production", "staging").changes
    )


def test_a_metric_that_stops_the_promotion_is_marked(settings: Settings) -> None:
    rules = {"f1": {"better": "higher", "margin": 0.0}}
    publish_sample(
        settings, "1.0.0", metadata=ReleaseMetadata(DEV, metrics={"f1": 0.9}, rules=rules)
    )
    promote(settings, "m", None, DEV)
    publish_sample(
        settings, "1.1.0", metadata=ReleaseMetadata(DEV, metrics={"f1": 0.8}, rules=rules)
    )
    comparison = compare(settings, "m", "staging", "production")
    assert Change("metrics", "f1", "0.9", "0.8 (not allowed)") in comparison.changes


def test_two_versions_are_compared_in_the_order_of_the_arguments(settings: Settings) -> None:
    promote_samples(settings, "1.0.0", "1.1.0")
    comparison = compare(settings, "m", "1.1.0", "1.0.0")
    assert Change("release", "version", "1.1.0", "1.0.0") in comparison.changes
    assert (comparison.before.stage, comparison.commits) == ("production", ())
    pushed = publish_sample(settings, "1.2.0").target
    assert compare(settings, "m", "production", pushed).after.record.target == pushed


def test_the_same_bytes_have_no_difference(settings: Settings) -> None:
    promote_samples(settings, "1.0.0")
    assert compare(settings, "m", "staging", "production").changes == ()


def test_no_artifact_is_opened_where_the_configs_are_equal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote_samples(settings, "1.0.0")
    publish_sample(settings, "1.1.0", code="LIMIT = 2\n", weights=b"other")

    class Closed(DirectoryStore):
        @contextlib.contextmanager
        def open(self, key: str) -> Iterator[BinaryIO]:
            raise AssertionError(key)
            yield

    monkeypatch.setattr("slipway.store.open.DirectoryStore", Closed)
    comparison = compare(settings, "m", "staging", "production")
    assert parts(comparison.changes) == ["code", "release", "weights"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("n", "staging", "production"), "no release of 'n' in staging"),
        (("n", "1.0.0", "1.1.0"), "no release of 'n' in staging or production"),
        (("m", "1.0.0", "3.0.0"), "3.0.0 is not a release of m"),
    ],
)
def test_a_missing_release_is_an_error_with_a_fix(
    settings: Settings, words: tuple[str, str, str], what: str
) -> None:
    promote_samples(settings, "1.0.0")
    with pytest.raises(SlipwayError, match=what) as caught:
        compare(settings, *words)
    assert caught.value.fix
