"""Production gets the bytes that staging tested, and its alias moves forward only."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.artifact.artifact import Artifact
from slipway.catalog import alias as aliases
from slipway.catalog import journal, keys
from slipway.catalog.alias import Alias, Variant
from slipway.catalog.alias_move import move_alias
from slipway.catalog.catalog import Catalog
from slipway.catalog.origin import Origin
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.release.evidence import evidence
from slipway.release.metadata import ReleaseMetadata
from slipway.release.promote import promote
from slipway.release.publish import publish
from slipway.release.rollback import rollback
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from tests.release import sample_releases
from tests.release.sample_releases import DEV, create_repository, promote_samples, publish_sample

CI = Origin("merge00", "https://gitlab.example.com/team/models/-/pipelines/7", "ci")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return create_repository(tmp_path / "repository")


def production(settings: Settings) -> StageStore:
    return open_stage(settings, "production")


def served(settings: Settings) -> str:
    return str(Catalog(production(settings)).alias("m"))


def everything(settings: Settings) -> dict[str, bytes | None]:
    store = production(settings)
    return {key: store.store.read(key) for key in store.store.keys("")}


def test_production_gets_exactly_the_bytes_that_staging_tested(settings: Settings) -> None:
    source = publish_sample(
        settings,
        metadata=ReleaseMetadata(Origin("c0ffee", "pipelines/1", "dev"), metrics={"f1": 0.9}),
    )
    promotion = promote(settings, "m", None, CI)
    assert (promotion.target, promotion.source) == ("m_1.0.0.tar.gz", source.target)
    assert (
        promotion.created and promotion.moved and promotion.before is None and promotion.why is None
    )
    store = production(settings)
    assert store.store.digest(keys.artifact("production", promotion.target)) == source.sha256
    record = Catalog(store).record("m", promotion.target)
    assert (record.source, record.metrics) == (source.target, {"f1": 0.9})
    # the commit that made it, and who promoted it
    assert record.origin == Origin("c0ffee", CI.pipeline, "ci")
    ran = evidence.load_test_result(store, "m", source.sha256)
    assert ran is not None and ran.passed
    [event] = journal.load_events(store, "m")
    assert (event.action, event.target, event.origin) == ("promote", promotion.target, CI)


@pytest.mark.parametrize("word", ["1.0.0", "rc.h", "m_1.0.0", "whole"])
def test_a_release_is_selected_by_version_target_or_part(settings: Settings, word: str) -> None:
    target = publish_sample(settings).target
    assert promote(settings, "m", target if word == "whole" else word, DEV).moved


def test_two_stages_may_be_two_stores(tmp_path: Path) -> None:
    settings = create_repository(tmp_path, '[release.production]\nstore = "another"\n')
    publish_sample(settings)
    promote(settings, "m", None, DEV)
    assert (tmp_path / "another/production/models/m_1.0.0.tar.gz").is_file()
    assert not (tmp_path / "store/production").exists()


def test_what_was_never_in_staging_is_refused_with_what_is(settings: Settings) -> None:
    with pytest.raises(SlipwayError, match="no release of 'm' in staging") as caught:
        promote(settings, "m", None, DEV)
    assert caught.value.fix == "slipway publish models/m --stage staging"
    source = publish_sample(settings)
    with pytest.raises(SlipwayError, match="1.0.1 is not a release of m in staging") as caught:
        promote(settings, "m", "1.0.1", DEV)
    assert caught.value.fix
    assert not any(key.startswith("production") for key in everything(settings)) and source


def test_two_pushes_of_one_version_are_ambiguous(settings: Settings) -> None:
    first = publish_sample(settings, code="A = 1\n")
    publish_sample(settings, code="A = 2\n")
    with pytest.raises(SlipwayError, match="matches 2 releases") as caught:
        promote(settings, "m", "1.0.0", DEV)
    assert caught.value.fix and first.target in caught.value.fix
    assert promote(settings, "m", first.sha256[:12], DEV).sha256 == first.sha256


@pytest.mark.parametrize(
    ("tested", "what"),
    [(None, "no test result is recorded for this artifact"), (False, "tests did not pass")],
)
def test_what_did_not_pass_its_tests_is_refused(
    settings: Settings, tested: bool | None, what: str
) -> None:
    promote_samples(settings, "0.9.0")
    publish_sample(settings, tested=tested)
    before = everything(settings)
    with pytest.raises(SlipwayError, match=what) as caught:
        promote(settings, "m", None, DEV)
    assert caught.value.fix and "slipway test models/m" in caught.value.fix
    assert everything(settings) == before


def test_tests_of_other_bytes_do_not_count(settings: Settings) -> None:
    publish_sample(settings, code="A = 1\n", tested=True)
    publish_sample(settings, code="A = 2\n", tested=None)
    with pytest.raises(SlipwayError, match="no test result is recorded for this artifact"):
        promote(settings, "m", None, DEV)


def test_a_later_run_of_the_tests_counts(settings: Settings) -> None:
    publish_sample(settings, tested=False)
    publish_sample(settings, tested=True)
    assert promote(settings, "m", None, DEV).moved


def test_what_production_requires_has_to_be_there(tmp_path: Path) -> None:
    settings = create_repository(tmp_path, '[release.production]\nrequire = ["provenance"]\n')
    publish_sample(settings)
    with pytest.raises(SlipwayError, match="production requires provenance: no provenance"):
        promote(settings, "m", None, DEV)
    path = sample_releases.write_artifact(tmp_path / "dist")
    documents = evidence.collect_evidence(Artifact(path), settings, DEV, [])
    publish(
        Artifact(path), open_stage(settings, "staging"), metadata=ReleaseMetadata(DEV, documents)
    )
    assert promote(settings, "m", None, DEV).moved


def test_a_metric_that_is_worse_than_allowed_is_refused_with_both_values(
    settings: Settings,
) -> None:
    rules = {"f1": {"better": "higher", "margin": 0.01}}
    publish_sample(
        settings, "1.0.0", metadata=ReleaseMetadata(DEV, metrics={"f1": 0.95}, rules=rules)
    )
    promote(settings, "m", None, DEV)
    publish_sample(
        settings, "1.1.0", metadata=ReleaseMetadata(DEV, metrics={"f1": 0.90}, rules=rules)
    )
    with pytest.raises(SlipwayError, match=r"0\.9.*0\.95"):
        promote(settings, "m", None, DEV)
    assert served(settings) == "m_1.0.0.tar.gz"


def test_other_bytes_under_a_version_that_production_has_are_refused(settings: Settings) -> None:
    promote_samples(settings, "1.0.0")
    publish_sample(settings, code="A = 2\n")
    with pytest.raises(SlipwayError, match="production has other bytes") as caught:
        promote(settings, "m", None, DEV)
    assert caught.value.fix == "write 1.0.1 into it: slipway bump m"
    assert "by dev" in caught.value.what


def test_done_again_it_changes_nothing(settings: Settings) -> None:
    promote_samples(settings, "1.0.0")
    before = everything(settings)
    again = promote(settings, "m", None, CI)
    assert not again.created and not again.moved and again.why
    assert everything(settings) == before


def test_a_promotion_that_is_run_again_does_not_undo_a_rollback(settings: Settings) -> None:
    promote_samples(settings, "1.0.0", "1.1.0")
    rollback(settings, "production", "m", None, DEV, "worse")
    before = everything(settings)
    late = promote(settings, "m", "1.1.0", CI)
    assert not late.moved and late.why and "rollback m 1.1.0" in late.why
    assert everything(settings) == before


def test_a_late_promotion_does_not_undo_a_newer_release(settings: Settings) -> None:
    for version in ("1.0.0", "1.1.0"):
        publish_sample(settings, version)
    promote(settings, "m", "1.1.0", DEV)
    late = promote(settings, "m", "1.0.0", DEV)
    assert late.created and not late.moved
    assert late.why and "m_1.1.0.tar.gz is served, which is newer" in late.why
    assert served(settings) == "m_1.1.0.tar.gz"


def test_a_promotion_that_is_run_again_leaves_a_split_alone(settings: Settings) -> None:
    one, two = promote_samples(settings, "1.0.0", "1.1.0")
    split = Alias((Variant(one, 90), Variant(two, 10)))
    move_alias(production(settings), "m", split, "alias", DEV)
    late = promote(settings, "m", "1.1.0", CI)
    assert not late.moved and late.why and "slipway alias m 1.1.0" in late.why
    assert served(settings) == str(split)


def test_a_release_above_what_was_rolled_back_from_is_served(settings: Settings) -> None:
    promote_samples(settings, "1.0.0", "1.1.0")
    rollback(settings, "production", "m", None, DEV)
    promote_samples(settings, "1.1.1")
    assert served(settings) == "m_1.1.1.tar.gz"


class CutOff(DirectoryStore):
    """A folder whose writer dies at the write that is counted down to."""

    left = 0

    def _count(self) -> None:
        type(self).left -= 1
        if type(self).left < 0:
            raise KeyboardInterrupt

    def create(self, key: str, data: bytes) -> bool:
        self._count()
        return super().create(key, data)

    def copy(self, *words: object, **more: object) -> bool:
        self._count()
        return super().copy(*words, **more)  # type: ignore[arg-type]

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        self._count()
        return super().swap(key, expected, data)


@pytest.mark.parametrize("writes", range(6))
def test_cut_off_anywhere_it_is_completed_by_the_next(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    promote_samples(settings, "1.0.0")
    source = publish_sample(settings, "1.1.0")
    with monkeypatch.context() as cut:
        cut.setattr("slipway.store.open.DirectoryStore", CutOff)
        CutOff.left = writes
        try:
            promote(settings, "m", None, DEV)
        except KeyboardInterrupt:
            pass
        else:
            assert CutOff.left >= 0
    promote(settings, "m", None, DEV)
    store = production(settings)
    assert served(settings) == "m_1.1.0.tar.gz"
    assert store.store.digest("production/models/m_1.1.0.tar.gz") == source.sha256
    moves = [event.target for event in journal.load_events(store, "m")]
    assert moves == ["m_1.1.0.tar.gz", "m_1.0.0.tar.gz"]


def test_of_two_promotions_at_once_the_higher_version_is_served(settings: Settings) -> None:
    versions = [f"1.{number}.0" for number in range(6)]
    for version in versions:
        publish_sample(settings, version)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda version: promote(settings, "m", version, DEV), versions))
    assert served(settings) == "m_1.5.0.tar.gz"
    assert len(Catalog(production(settings)).targets("m")) == 6


def test_of_two_promotions_of_one_version_at_once_one_wins(settings: Settings) -> None:
    promotion = [publish_sample(settings, code=f"A = {number}\n") for number in range(4)]

    def attempt(source: str) -> str | None:
        try:
            return promote(settings, "m", source, DEV).sha256
        except SlipwayError as error:
            assert "other bytes" in error.what
            return None

    with ThreadPoolExecutor(4) as pool:
        won = {
            sha for sha in pool.map(attempt, [one.target for one in promotion]) if sha is not None
        }
    assert len(won) == 1
    assert production(settings).store.digest("production/models/m_1.0.0.tar.gz") in won


def test_an_object_of_production_that_was_lost_is_copied_again(settings: Settings) -> None:
    promote_samples(settings, "1.0.0")
    production(settings).store.delete("production/models/m_1.0.0.tar.gz")
    again = promote(settings, "m", None, DEV)
    assert again.created and not again.moved
    assert production(settings).store.stat("production/models/m_1.0.0.tar.gz")


@pytest.mark.parametrize("data", [b"x" * 1000, b""])
def test_bytes_that_replaced_a_release_are_not_called_the_release(
    settings: Settings, data: bytes
) -> None:
    source = publish_sample(settings)
    promote(settings, "m", None, DEV)
    key = "production/models/m_1.0.0.tar.gz"
    (settings.root / "store" / key).write_bytes(data)
    with pytest.raises(SlipwayError, match="in production already, and replaced since") as caught:
        promote(settings, "m", None, DEV)
    assert f"its artifact has {len(data):,} bytes" in caught.value.what
    assert caught.value.where == key and "slipway bump m" in str(caught.value.fix)
    digest = hashlib.sha256(data).hexdigest()
    with pytest.raises(SlipwayError) as caught:
        publish_sample(settings, stage="production")
    expected = f"production has other bytes (sha256 {digest}; {len(data):,} bytes), which replaced"
    assert expected in caught.value.what and source.sha256 in caught.value.what
    assert caught.value.fix == "write 1.0.1 into it: slipway bump m"


def test_bytes_of_the_same_size_that_replaced_a_release_are_seen(settings: Settings) -> None:
    source = publish_sample(settings)
    promote(settings, "m", None, DEV)
    key = "production/models/m_1.0.0.tar.gz"
    (settings.root / "store" / key).write_bytes(bytes(source.size))
    with pytest.raises(SlipwayError, match="its artifact has the SHA-256"):
        promote(settings, "m", None, DEV)


def test_publishing_to_production_moves_its_alias_forward_only(settings: Settings) -> None:
    publish_sample(settings, "1.1.0", stage="production")
    late = publish_sample(settings, "1.0.0", stage="production")
    assert late.created and late.stays and served(settings) == "m_1.1.0.tar.gz"
    rollback(settings, "production", "m", "1.0.0", DEV)
    assert publish_sample(settings, "1.1.0", stage="production").stays
    assert served(settings) == "m_1.0.0.tar.gz"


@pytest.mark.parametrize("name", ["a b", "a$(id)", "a;b", "é", ".m"])
def test_a_name_that_an_endpoint_refuses_is_not_published(settings: Settings, name: str) -> None:
    with pytest.raises(SlipwayError, match="its target model") as caught:
        publish_sample(settings, name=name, tested=None)
    assert caught.value.fix and open_stage(settings, "staging").store.keys("") == []


def test_records_from_before_there_was_more_in_them_are_promoted(settings: Settings) -> None:
    source = publish_sample(settings)
    store = open_stage(settings, "staging")
    key = keys.record("staging", "m", source.target)
    old = json.loads(store.store.read(key) or b"")
    for field in ("size", "source", "metrics", "rules", "changes", "pipeline", "by"):
        del old[field]
    assert store.store.swap(key, store.store.read(key), keys.dump_json(old))
    promotion = promote(settings, "m", None, DEV)
    record: Record = Catalog(production(settings)).record("m", promotion.target)
    assert record.size is None and record.origin == replace(DEV)
    assert served(settings) == str(aliases.single_target(promotion.target))
