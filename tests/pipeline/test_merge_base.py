"""The commit to compare with, in real histories and in shallow clones as runners make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.pipeline.merge_base import NO_COMMIT, find_base
from tests.pipeline import history
from tests.pipeline.history import History

ON_MAIN = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
ON_BRANCH = {"CI_COMMIT_BRANCH": "topic", "CI_DEFAULT_BRANCH": "main"}


@pytest.fixture
def repository(tmp_path: Path) -> History:
    return history.begin(tmp_path / "here")


def _branch(repository: History, commits: int = 3) -> tuple[str, str]:
    """A branch ``topic`` of so many commits, while main goes on: where it left, and its tip."""
    left = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "topic")
    for number in range(commits):
        repository.write("models/one/one/1/model.py", f"# {number}\n")
        tip = repository.commit()
    repository.push()
    repository.git("checkout", "--quiet", "main")
    for number in range(4):
        repository.write("models/two/two/1/model.py", f"# {number}\n")
        repository.commit("main goes on")
    repository.push()
    return left, tip


@pytest.mark.parametrize("depth", [1, 2, 100])
def test_a_branch_is_compared_with_where_it_left_main(
    repository: History, tmp_path: Path, depth: int
) -> None:
    left, tip = _branch(repository)
    job = repository.job(tmp_path / "job", tip, depth)
    # a new branch has no commit before; a push to an old one has: neither matters
    for before in (NO_COMMIT, f"{tip[:-1]}0"):
        assert find_base(job.root, ON_BRANCH | {"CI_COMMIT_BEFORE_SHA": before}).commit == left


def test_a_branch_longer_than_the_first_steps_of_deepening_is_compared_as_well(
    repository: History, tmp_path: Path
) -> None:
    left, tip = _branch(repository, 70)
    job = repository.job(tmp_path / "job", tip)
    found = find_base(job.root, ON_BRANCH)
    assert found.commit == left and "deeper" in found.why


def test_a_branch_that_was_forced_is_compared_with_where_it_leaves_main_now(
    repository: History, tmp_path: Path
) -> None:
    _, before = _branch(repository)
    repository.git("checkout", "--quiet", "topic")
    repository.git("reset", "--quiet", "--hard", "main")
    repository.write("models/one/one/1/model.py", "# rewritten\n")
    tip = repository.commit()
    repository.push()
    job = repository.job(tmp_path / "job", tip)
    found = find_base(job.root, ON_BRANCH | {"CI_COMMIT_BEFORE_SHA": before})
    assert found.commit == repository.git("rev-parse", "main")


def test_main_is_compared_with_what_it_was_before_the_push(
    repository: History, tmp_path: Path
) -> None:
    before = repository.git("rev-parse", "HEAD")
    for number in range(5):
        repository.write("models/one/one/1/model.py", f"# {number}\n")
        tip = repository.commit()
    repository.push()
    job = repository.job(tmp_path / "job", tip)
    assert find_base(job.root, ON_MAIN | {"CI_COMMIT_BEFORE_SHA": before}).commit == before


def test_a_main_that_was_rewritten_or_is_new_has_no_base(
    repository: History, tmp_path: Path
) -> None:
    repository.write("models/one/one/1/model.py", "# lost\n")
    lost = repository.commit()
    repository.push()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    repository.write("models/two/two/1/model.py", "# instead\n")
    tip = repository.commit()
    repository.push()
    job = repository.job(tmp_path / "job", tip)
    rewritten = find_base(job.root, ON_MAIN | {"CI_COMMIT_BEFORE_SHA": lost})
    assert rewritten.commit is None and "rewritten" in rewritten.why
    assert find_base(job.root, ON_MAIN | {"CI_COMMIT_BEFORE_SHA": NO_COMMIT}).commit is None
    assert find_base(job.root, ON_MAIN).commit is None


def test_a_merge_request_is_compared_with_its_diff_base(
    repository: History, tmp_path: Path
) -> None:
    left, tip = _branch(repository)
    job = repository.job(tmp_path / "job", tip)
    asked = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_EVENT_TYPE": "detached"}
    found = find_base(job.root, asked | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": left})
    assert found.commit == left


@pytest.mark.parametrize("gone", ["f" * 40, ""])
def test_a_merge_request_whose_diff_base_is_gone_is_compared_with_where_it_left_its_target(
    repository: History, tmp_path: Path, gone: str
) -> None:
    left, tip = _branch(repository)
    job = repository.job(tmp_path / "job", tip)
    asked = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    assert find_base(job.root, asked | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": gone}).commit == left


@pytest.mark.parametrize("event", ["merged_result", "merge_train"])
@pytest.mark.parametrize("depth", [1, 50])
def test_a_merge_train_is_compared_with_the_merge_before_it(
    repository: History, tmp_path: Path, event: str, depth: int
) -> None:
    left, tip = _branch(repository)
    repository.git("checkout", "--quiet", "--detach", "main")
    repository.write("models/three/model_version.txt", "1.0.0\n")
    car_before = repository.commit("the car before")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", tip)
    merge = repository.git("rev-parse", "HEAD")
    repository.push("HEAD:refs/merge-requests/7/train")
    job = repository.job(tmp_path / "job", merge, depth)
    asked = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_EVENT_TYPE": event}
    found = find_base(job.root, asked | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": left})
    assert found.commit == car_before


def test_a_merge_train_that_fast_forwards_is_compared_with_the_diff_base(
    repository: History, tmp_path: Path
) -> None:
    left, tip = _branch(repository)
    job = repository.job(tmp_path / "job", tip)
    asked = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train"}
    found = find_base(job.root, asked | {"CI_MERGE_REQUEST_DIFF_BASE_SHA": left})
    assert found.commit == left


def test_an_origin_that_is_not_reached_affects_everything(
    repository: History, tmp_path: Path
) -> None:
    _, tip = _branch(repository)
    job = repository.job(tmp_path / "job", tip)
    job.git("remote", "set-url", "origin", f"file://{tmp_path}/gone.git")
    assert find_base(job.root, ON_BRANCH).commit is None


def test_histories_that_have_nothing_in_common_affect_everything(repository: History) -> None:
    repository.git("checkout", "--quiet", "--orphan", "topic")
    repository.commit("another first one")
    assert find_base(repository.root, ON_BRANCH).commit is None


def test_a_laptop_compares_with_where_it_left_main(repository: History) -> None:
    left, tip = _branch(repository)
    repository.git("checkout", "--quiet", "topic")
    assert find_base(repository.root, {}).commit == left
    repository.git("remote", "remove", "origin")
    assert find_base(repository.root, {}).commit == left
    repository.git("checkout", "--quiet", "main")
    assert find_base(repository.root, {}).commit == repository.git("rev-parse", "HEAD")


def test_what_is_asked_for_goes_before_all(repository: History) -> None:
    left, tip = _branch(repository)
    repository.git("checkout", "--quiet", "topic")
    before = repository.git("rev-parse", "HEAD~1")
    assert find_base(repository.root, ON_BRANCH | {"SLIPWAY_BASE": before}).commit == before
    assert (
        find_base(repository.root, ON_BRANCH | {"SLIPWAY_BASE": before}, revision=left).commit
        == left
    )
    assert find_base(repository.root, {}, revision="main").commit == left
    with pytest.raises(SlipwayError, match="no-such-branch") as caught:
        find_base(repository.root, {}, revision="no-such-branch")
    assert caught.value.fix


def test_an_asked_for_commit_that_a_shallow_clone_lacks_is_fetched(
    repository: History, tmp_path: Path
) -> None:
    first = repository.git("rev-parse", "HEAD")
    for _ in range(3):
        tip = repository.commit()
    repository.push()
    job = repository.job(tmp_path / "job", tip)
    assert find_base(job.root, {}, revision=first).commit == first
