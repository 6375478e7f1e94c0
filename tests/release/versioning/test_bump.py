"""Whether a model's version is free for what was built, judged by a store of real artifacts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from slipway.artifact.artifact import Artifact
from slipway.catalog import keys
from slipway.catalog.alias import single_target
from slipway.catalog.alias_move import move_alias
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder
from slipway.release.publish import publish
from slipway.release.versioning import bump
from slipway.release.versioning.bump import ProductionVersions, VersionVerdict
from slipway.release.versioning.compatibility import PARTS, VersionPart
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.artifact.samples import packed, write_environment, write_model

PIPELINE, CODE = "tiny_pipeline/config.pbtxt", "tiny_preprocessing/1/model.py"


class Team:
    """A model folder, and the store that its releases go to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = write_model(root / "checkout")
        self.environment = write_environment(root / "environment")
        self.store = DirectoryStore(root / "store")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def version(self, version: str) -> None:
        (self.folder / "model_version.txt").write_text(f"{version}\n")

    def build(self) -> Artifact:
        return packed(self.folder, self.environment)

    def release(self) -> Artifact:
        artifact = self.build()
        publish(artifact, StageStore(self.store, "production"))
        return artifact

    def judge(self, least: VersionPart | None = None) -> VersionVerdict:
        artifact = self.build()
        model = read_model_folder(self.folder)
        return bump.judge_version(
            ProductionVersions(StageStore(self.store, "production"), "tiny"), model, artifact, least
        )

    def bump(self, least: VersionPart | None = None) -> VersionVerdict:
        verdict = self.judge(least)
        if verdict.proposed is not None:
            bump.write_version(self.folder, verdict.proposed)
        return verdict


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def test_a_model_that_production_never_had_is_new(team: Team) -> None:
    verdict = team.judge()
    assert (verdict.state, verdict.proposed, verdict.stopped) == ("new", None, False)


def test_bytes_that_production_has_are_unchanged(team: Team) -> None:
    team.release()
    verdict = team.judge()
    assert (verdict.state, verdict.proposed, verdict.stopped) == ("unchanged", None, False)


def test_a_changed_model_under_a_version_that_is_taken_is_stopped(team: Team) -> None:
    team.release()
    team.edit(CODE, "pass", "x = 1")
    verdict = team.judge()
    assert (verdict.state, verdict.part, verdict.proposed) == ("taken", "patch", "1.2.1")
    refusal = bump.version_error(verdict, team.folder)
    assert refusal.what.splitlines() == [
        "production has 1.2.0 already, with other bytes; what changed since 1.2.0 calls for patch:",
        f"  patch: code {CODE} changed",
    ]
    assert refusal.where == str(team.folder / "model_version.txt")
    assert refusal.fix == "write 1.2.1 into it: slipway bump tiny"


CHANGES: dict[VersionPart, Callable[[Team], object]] = {
    "patch": lambda team: team.edit(CODE, "pass", "x = 1"),
    "minor": lambda team: (team.folder / "tiny_postprocessing/1/labels.txt").write_text("x")
    and None,
    "major": lambda team: team.edit(PIPELINE, "batch_size: 8", "batch_size: 4"),
}


@pytest.mark.parametrize(
    ("part", "version"), [("patch", "1.2.1"), ("minor", "1.3.0"), ("major", "2.0.0")]
)
@pytest.mark.parametrize("written", ["1.2.0", "1.1.0", "0.9.0-rc.1"])
def test_after_a_bump_the_check_passes_and_a_second_one_changes_nothing(
    team: Team, part: VersionPart, version: str, written: str
) -> None:
    team.release()
    CHANGES[part](team)
    team.version(written)
    assert team.bump().proposed == version
    assert (team.folder / "model_version.txt").read_text() == f"{version}\n"
    again = team.judge()
    assert (again.state, again.proposed, again.stopped) == ("free", None, False)
    team.release()
    assert team.judge().state == "unchanged"


def test_a_step_that_is_too_small_for_what_changed_is_stopped(team: Team) -> None:
    team.release()
    CHANGES["major"](team)
    team.version("1.2.1")
    verdict = team.judge()
    assert (verdict.state, verdict.part, verdict.proposed, verdict.stopped) == (
        "small",
        "major",
        "2.0.0",
        True,
    )
    assert (
        "1.2.1 is too small a step from production's 1.2.0"
        in bump.version_error(verdict, team.folder).what
    )


@pytest.mark.parametrize("version", ["2.0.0", "2.0.0-rc.1", "7.1.3"])
def test_a_version_that_is_far_enough_ahead_is_free(team: Team, version: str) -> None:
    team.release()
    CHANGES["major"](team)
    team.version(version)
    assert team.judge().state == "free"


def test_a_version_that_was_raised_with_nothing_else_changed_is_free(team: Team) -> None:
    team.release()
    team.version("1.2.1")
    verdict = team.judge()
    assert (verdict.state, verdict.part, verdict.reasons) == ("free", None, ())


def test_a_version_below_what_production_had_is_stopped_and_never_lowered(team: Team) -> None:
    team.version("3.0.0")
    team.release()
    team.version("2.5.0")
    team.edit(CODE, "pass", "x = 1")
    verdict = team.judge()
    assert (verdict.state, verdict.released, verdict.proposed) == ("behind", "3.0.0", "3.0.1")
    assert "production has 3.0.0 already" in bump.version_error(verdict, team.folder).what


def test_a_stale_branch_goes_above_the_highest_release(team: Team) -> None:
    team.release()
    team.version("1.3.0")
    (team.folder / "tiny_inferencer/1/labels.txt").write_text("x")
    team.release()
    team.version("1.2.0")
    verdict = team.judge()
    assert (verdict.state, verdict.released) == ("taken", "1.3.0")
    assert semver.Version.parse(str(verdict.proposed)) > semver.Version.parse("1.3.0")


def test_a_pruned_version_stays_taken(team: Team) -> None:
    team.release()
    target = "tiny_1.2.0.tar.gz"
    record = team.store.read(keys.record("production", "tiny", target))
    assert record is not None
    team.store.create(keys.tombstone("production", "tiny", target), record)
    team.store.delete(keys.record("production", "tiny", target))
    team.store.delete(keys.artifact("production", target))
    assert team.judge().state == "unchanged"
    team.edit(CODE, "pass", "x = 1")
    assert team.judge().state == "taken"
    CHANGES["major"](team)
    verdict = team.judge()
    assert (verdict.state, verdict.part, verdict.proposed) == ("taken", "major", "2.0.0")


def test_an_artifact_whose_publishing_was_cut_off_takes_its_version(team: Team) -> None:
    artifact = team.build()
    team.store.create_file("production/models/tiny_1.2.0.tar.gz", artifact.path, artifact.sha256)
    assert team.judge().state == "unchanged"
    CHANGES["major"](team)
    verdict = team.judge()
    assert (verdict.state, verdict.part, verdict.proposed) == ("taken", "major", "2.0.0")


def test_after_a_rollback_the_next_version_is_above_what_was_rolled_back(team: Team) -> None:
    team.release()
    team.version("1.3.0")
    CHANGES["minor"](team)
    team.release()
    move_alias(
        StageStore(team.store, "production"),
        "tiny",
        single_target("tiny_1.2.0.tar.gz"),
        "rollback",
        Origin(),
    )
    team.edit(CODE, "pass", "x = 1")
    verdict = team.judge()
    assert (verdict.state, verdict.released, verdict.part, verdict.proposed) == (
        "taken",
        "1.3.0",
        "patch",
        "1.3.1",
    )


def test_another_model_whose_name_begins_alike_takes_no_version(team: Team) -> None:
    artifact = team.release()
    for target in ("tiny_v2_9.0.0.tar.gz", "tiny_words.tar.gz", "tiny_9.0.0-rc.h0123.zip"):
        team.store.create_file(f"production/models/{target}", artifact.path, artifact.sha256)
    assert ProductionVersions(StageStore(team.store, "production"), "tiny").targets == {
        semver.Version(1, 2, 0): "tiny_1.2.0.tar.gz"
    }
    assert ProductionVersions(StageStore(team.store, "production"), "nothing").highest is None


def test_a_requested_part_is_raised_whatever_changed(team: Team) -> None:
    team.release()
    verdict = team.bump("minor")
    assert (verdict.proposed, verdict.part) == ("1.3.0", "minor")
    # asked again, it is high enough
    assert team.bump("minor").proposed is None
    assert team.bump("major").proposed == "2.0.0"


def test_a_part_that_is_less_than_called_for_is_refused(team: Team) -> None:
    team.release()
    CHANGES["major"](team)
    with pytest.raises(SlipwayError, match="patch is less than major") as caught:
        team.judge("patch")
    assert "--part major" in str(caught.value.fix)
    assert team.judge("major").proposed == "2.0.0"


def test_other_bytes_of_equal_sources_need_another_version_all_the_same(team: Team) -> None:
    artifact = team.release()
    other = team.root / "tiny_1.2.0.tar.gz"
    other.write_bytes(artifact.path.read_bytes() + b"\0" * 10)
    model = read_model_folder(team.folder)
    verdict = bump.judge_version(
        ProductionVersions(StageStore(team.store, "production"), "tiny"), model, Artifact(other)
    )
    assert (verdict.state, verdict.part, verdict.proposed) == ("taken", "patch", "1.2.1")
    assert verdict.reasons[0].what == "equal sources, other bytes"


def test_an_artifact_of_another_version_is_not_judged(team: Team) -> None:
    artifact = team.release()
    team.version("1.3.0")
    model = read_model_folder(team.folder)
    with pytest.raises(SlipwayError, match="an artifact of tiny 1.2.0, not of tiny 1.3.0"):
        bump.judge_version(
            ProductionVersions(StageStore(team.store, "production"), "tiny"), model, artifact
        )


def test_nothing_lowers_a_version(team: Team) -> None:
    with pytest.raises(SlipwayError, match="1.1.9 is lower than 1.2.0"):
        bump.write_version(team.folder, "1.1.9")
    assert (team.folder / "model_version.txt").read_text() == "1.2.0\n"


NUMBERS = st.integers(0, 3)
VERSIONS = st.builds(
    semver.Version, NUMBERS, NUMBERS, NUMBERS, st.sampled_from([None, "rc.1", "a"])
)


@given(VERSIONS, st.lists(VERSIONS, min_size=1, max_size=4), st.sampled_from([None, *PARTS]))
def test_what_is_to_be_written_is_above_all_that_production_had_and_then_free(
    version: semver.Version, taken: list[semver.Version], part: VersionPart | None
) -> None:
    state, proposed = bump.decide_state(version, taken, False, part)
    if proposed is None:
        assert state == "free" and version > max(taken)
        return
    assert state in bump.STOPPED
    assert proposed > max(taken) and proposed > version
    assert bump.decide_state(proposed, taken, False, part) == ("free", None)


@given(VERSIONS, st.lists(VERSIONS, min_size=1, max_size=4), st.sampled_from(PARTS))
def test_a_larger_change_never_frees_a_version(
    version: semver.Version, taken: list[semver.Version], part: VersionPart
) -> None:
    larger = PARTS[PARTS.index(part) :]
    states = [bump.decide_state(version, taken, False, each)[0] == "free" for each in larger]
    assert states == sorted(states, reverse=True)
