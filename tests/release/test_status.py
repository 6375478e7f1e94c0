"""ModelStatus says what is served where, and finds where catalog and bucket do not agree."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import boto3
import pytest

from slipway.catalog import alias as aliases
from slipway.catalog import keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.release.rollback import rollback
from slipway.release.status import ModelStatus, load_status
from slipway.release.versioning.distance import Distance
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.store.stage import StageReader
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample
from tests.store.readable_stores import BucketStore

SLEEP = "slipway.release.overview.inspection.time.sleep"


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is wrong here stays wrong: the looks come one right after the other."""
    made: list[float] = []
    monkeypatch.setattr(SLEEP, made.append)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return create_repository(tmp_path / "repository")


@pytest.fixture
def s3(release_bucket: BucketStore, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a store in S3."""
    (tmp_path / "slipway.toml").write_text(f'[release]\nstore = "{release_bucket.location}"\n')
    from slipway import settings as configuration

    yield configuration.load(tmp_path)


def one(settings: Settings) -> ModelStatus:
    [found] = load_status(settings, ["m"])
    return found


def discrepancies(settings: Settings) -> list[tuple[str, str]]:
    return [(one.what, one.key) for model in load_status(settings) for one in model.discrepancies]


def test_it_says_what_is_served_since_when_from_where_and_by_whom(settings: Settings) -> None:
    ci = Origin("merge", "https://gitlab.example.com/-/pipelines/7", "ci")
    source = publish_sample(
        settings, metadata=ReleaseMetadata(Origin("c0ffee", "https://x/1", "dev"))
    )
    promote(settings, "m", None, ci)
    found = one(settings)
    assert found.staging and found.production
    assert (found.staging.version, found.staging.commit) == ("1.0.0", "c0ffee")
    assert (found.staging.pipeline, found.staging.by) == ("https://x/1", "dev")
    assert (found.production.commit, found.production.pipeline) == ("c0ffee", ci.pipeline)
    assert found.staging.since and found.production.since
    assert found.staging.since < found.production.since
    assert found.distance == Distance("same", 0, 0) and not found.discrepancies
    said = found.dump()
    assert said["staging"]["target"] == source.target
    assert said["production"]["sha256"] == source.sha256 and said["releases"]["production"] == 1


def test_a_rollback_is_since_when_it_is_served(settings: Settings) -> None:
    promote_samples(settings, "1.0.0", "1.1.0")
    before = one(settings).production
    rollback(settings, "production", "m", None, DEV)
    after = one(settings).production
    assert before and after and before.since and after.since
    assert (after.version, after.action) == ("1.0.0", "rollback") and after.since > before.since
    assert one(settings).distance == Distance("ahead")


def test_a_name_of_one_stage_only_is_shown(settings: Settings) -> None:
    publish_sample(settings)
    assert (one(settings).production, one(settings).distance) == (None, None)


def test_without_releases_there_are_no_models_and_a_wrong_name_is_an_error(
    settings: Settings,
) -> None:
    assert load_status(settings) == []
    publish_sample(settings)
    with pytest.raises(SlipwayError, match="no release of 'n' in staging or production"):
        load_status(settings, ["n"])


def test_commits_that_touched_the_model_are_counted(tmp_path: Path) -> None:
    settings = create_repository(tmp_path)

    def commit(folder: str, number: int) -> str:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "file").write_text(str(number))
        git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run([*git, "add", folder], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "a change"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)
        return head.stdout.decode().strip()

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    publish_sample(settings, "1.0.0", metadata=ReleaseMetadata(Origin(commit("models/m", 1))))
    promote(settings, "m", None, DEV)
    for number in (2, 3):
        last = commit("models/m", number)
        commit("models/other", number)
    publish_sample(settings, "1.1.0", metadata=ReleaseMetadata(Origin(f"{last}-dirty")))
    assert one(settings).distance == Distance("ahead", 2, 0)


def test_each_kind_of_discrepancy_is_found(settings: Settings) -> None:
    one_, two, three = promote_samples(settings, "1.0.0", "1.1.0", "1.2.0")
    root = settings.root / "store/production"
    (root / "models" / one_).unlink()
    (root / f"catalog/m/releases/{two}.json").unlink()
    (root / "models" / three).write_bytes(b"more or less")
    (root / "models/stranger.tar.gz").write_bytes(b"?")
    (root / "models/m_extra_1.0.0.tar.gz").write_bytes(b"?")
    assert Counter(discrepancies(settings)) == Counter(
        [
            ("record without an object", f"production/catalog/m/releases/{one_}.json"),
            ("object without a record", f"production/models/{two}"),
            ("object of another size", f"production/models/{three}"),
            ("object without a record", "production/models/stranger.tar.gz"),
            ("object without a record", "production/models/m_extra_1.0.0.tar.gz"),
        ]
    )
    assert all(one.fix for model in load_status(settings) for one in model.discrepancies)


def test_an_alias_to_what_is_gone_is_a_discrepancy_for_each_variant(settings: Settings) -> None:
    one_, two, three = promote_samples(settings, "1.0.0", "1.1.0", "1.2.0")
    split = Alias((Variant(one_, 90), Variant(two, 10)), shadow=three)
    move_alias(open_stage(settings, "production"), "m", split, "alias", DEV)
    for gone in (two, three):
        (settings.root / "store/production/models" / gone).unlink()
    found = [what for what, _ in discrepancies(settings)]
    assert found.count("alias to a release that is not there") == 2
    served = one(settings).production
    assert served and served.version == "1.0.0"


def test_an_alias_that_was_moved_by_hand_is_a_discrepancy_that_its_fix_removes(
    settings: Settings,
) -> None:
    first, _ = promote_samples(settings, "1.0.0", "1.1.0")
    store = open_stage(settings, "production")
    aliases.write_alias(store, "m", aliases.single_target(first))
    assert discrepancies(settings) == [
        ("alias moved without an event", keys.alias("production", "m"))
    ]
    move_alias(store, "m", aliases.single_target(first), "alias", DEV)
    assert discrepancies(settings) == []


@pytest.mark.parametrize("key", ["alias.json", "releases/m_1.0.0.tar.gz.json"])
def test_damage_of_one_name_does_not_hide_the_others(settings: Settings, key: str) -> None:
    promote_samples(settings, "1.0.0")
    promote_samples(settings, "1.0.0", name="n")
    (settings.root / "store/production/catalog/m" / key).write_bytes(b"{")
    m, n = load_status(settings)
    assert m.production is None and [one.what for one in m.discrepancies] == ["damaged"]
    assert n.production is not None and not n.discrepancies
    [drift] = m.dump()["drift"]
    assert drift["key"] == ("m" if key == "alias.json" else m.discrepancies[0].key)
    assert m.discrepancies[0].key == f"production/catalog/m/{key}"


def test_overwritten_bytes_are_seen_in_s3_without_reading_them(
    s3: Settings, release_bucket: BucketStore
) -> None:
    publish_sample(s3)
    target = promote(s3, "m", None, DEV).target
    key = keys.artifact("production", target)
    assert discrepancies(s3) == []
    size = open_stage(s3, "production").store.stat(key)
    assert size is not None
    release_bucket.put(key, bytes(size.size))
    assert discrepancies(s3) == [("object of other bytes", key)]


def test_the_requests_do_not_grow_with_the_releases_that_nobody_names(
    s3: Settings, release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def requests() -> Counter[str]:
        counted: Counter[str] = Counter()
        original = boto3.session.Session.client

        def client(self: boto3.session.Session, *words: object, **more: object) -> object:
            made = original(self, *words, **more)  # type: ignore[call-overload]
            made.meta.events.register(
                "before-call.s3", lambda model, **_: counted.update([model.name])
            )
            return made

        with monkeypatch.context() as counting:
            counting.setattr(boto3.session.Session, "client", client)
            assert discrepancies(s3) == []
        return counted

    promote_samples(s3, "1.0.0")
    few = requests()
    promote_samples(s3, "1.1.0", "1.2.0", "1.3.0")
    assert requests() == few
    assert few["ListObjectsV2"] == 4  # of each stage its names and lines, and all of its keys


def test_a_promotion_between_the_listing_and_a_look_at_the_alias_is_no_difference(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote_samples(settings, "1.0.0")
    publish_sample(settings, "1.1.0")

    def list_then_promote(stage: StageReader, names: Sequence[str] = ()) -> Listing:
        listed = list_stage(stage, names)
        if stage.name == "production":
            promote(settings, "m", "1.1.0", DEV)
        return listed

    monkeypatch.setattr("slipway.release.overview.stage_view.list_stage", list_then_promote)
    found = one(settings)
    assert found.discrepancies == () and found.production and found.production.version == "1.1.0"


@pytest.mark.parametrize("function", ["merge.merge_evidence", "_write_record", "journal"])
def test_beside_a_running_promotion_nothing_is_advised_that_would_undo_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    promote_samples(settings, "1.0.0")
    publish_sample(settings, "1.1.0")
    place = (
        "slipway.catalog.journal.append_event"
        if function == "journal"
        else f"slipway.release.install.{function}"
    )
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(place, mock.Mock(side_effect=KeyboardInterrupt))
        promote(settings, "m", "1.1.0", DEV)
    for found in one(settings).discrepancies:
        assert "rollback" not in found.fix and "remove" not in found.fix
    # the promotion goes on between two looks
    monkeypatch.setattr(
        SLEEP,
        lambda _: promote(settings, "m", "1.1.0", DEV),
    )
    found_again = one(settings)
    assert found_again.discrepancies == ()
    assert found_again.production and found_again.production.version == "1.1.0"


def test_an_interrupted_promotion_is_a_difference_after_an_hour(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_sample(settings)
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(
            "slipway.release.install._write_record", mock.Mock(side_effect=KeyboardInterrupt)
        )
        promote(settings, "m", None, DEV)
    key = "production/models/m_1.0.0.tar.gz"
    assert discrepancies(settings) == [("publication is running, or was interrupted", key)]
    monkeypatch.chdir(settings.root)
    assert main(["status", "--check"]) == 0
    claim = settings.root / "store" / keys.claim("production", "m", "m_1.0.0.tar.gz")
    values = json.loads(claim.read_text()) | {"published": "2026-01-01T00:00:00.000000Z"}
    claim.write_text(json.dumps(values))
    assert discrepancies(settings) == [("object without a record", key)]
    assert (main(["status"]), main(["status", "--check"])) == (0, 1)
    assert main(["status", "--check", "--json"]) == 1


def test_the_first_publication_of_a_name_between_two_looks_is_no_stranger(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_sample(settings, name="n")
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(
            "slipway.release.install.merge.merge_evidence", mock.Mock(side_effect=KeyboardInterrupt)
        )
        publish_sample(settings)
    assert [what for what, _ in discrepancies(settings)] == ["object without a record"]
    monkeypatch.setattr(SLEEP, lambda _: publish_sample(settings))
    assert discrepancies(settings) == []
