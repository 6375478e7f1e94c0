"""Checkouts that share what they built, by a remote cache that somebody else wrote."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import repository as made
from remote_cache import RemoteCache, serving
from repository import Repository, model

LIBRARY = str(uuid4())
STEPS = ["environment", "pack", "weights"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteCache]:
    with serving(tmp_path_factory.mktemp("buildgrid")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a user who has built nothing."""
    return tmp_path


def checkout(cache: RemoteCache, home: Path, token: str, *, writes: bool = False) -> Repository:
    """A new checkout of the same repository, with an empty local store: `x` is in the cache."""
    models = (model("x", lock="shared"), model("y", lock="branch"))
    return made.of(home, *models, library=LIBRARY, remote=cache.options(token, writes=writes))


def ran(home: Path) -> list[str]:
    """The steps that ran for this user."""
    log = home / "ran"
    return log.read_text().split() if log.exists() else []


@pytest.fixture(scope="module")
def built(cache: RemoteCache, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The artifact that the holder of the write token built first."""
    home = tmp_path_factory.mktemp("main")
    repository = checkout(cache, home, "writer", writes=True)
    text = repository.built("x").text
    repository.engine.scheduler.wait_for_tail_tasks(60)  # it is written while others continue
    assert sorted(ran(home)) == STEPS
    return text


# an engine takes many seconds of processor time to start: few of them


def test_who_may_only_read_takes_every_step_and_writes_none_even_if_it_tries(
    cache: RemoteCache, built: str, tmp_path: Path
) -> None:
    for user in ("one", "two"):
        repository = checkout(cache, tmp_path / user, "reader", writes=True)
        assert repository.built("x").text == built
        assert ran(tmp_path / user) == []
        assert "packages of branch" in repository.built("y").text
        assert sorted(ran(tmp_path / user)) == STEPS


def test_bytes_that_changed_in_the_cache_are_never_taken(
    cache: RemoteCache, built: str, home: Path
) -> None:
    artifact = built.rpartition("\n")[0] + "\n"  # without its checksum
    changed = []
    for file in (cache.folder / "storage").rglob("*"):
        if file.is_file() and file.read_bytes() == artifact.encode():
            file.write_text(artifact.replace("packages", "PACKAGES"))
            changed.append(file)
    assert changed
    try:
        assert checkout(cache, home, "reader").built("x").text == built
    finally:
        for file in changed:
            file.write_text(artifact)
    assert ran(home) == ["pack"]


def test_a_result_of_who_may_write_is_believed(cache: RemoteCache, built: str, home: Path) -> None:
    # hence no branch may write; docs/remote-cache.md says what publish then finds
    assert cache.poison("pack", "forged") >= 1
    assert checkout(cache, home, "reader").built("x").text.startswith("forged")
    assert ran(home) == []


def test_a_cache_that_hangs_and_then_dies_costs_time_alone(
    cache: RemoteCache, built: str, home: Path
) -> None:
    # the last test of the file: no other has this server after it
    cache.process.send_signal(signal.SIGSTOP)
    repository = checkout(cache, home, "writer", writes=True)
    assert repository.built("x").text == built
    assert sorted(ran(home)) == STEPS
    cache.process.kill()
    assert "packages of branch" in repository.built("y").text
    assert sorted(ran(home)) == sorted(2 * STEPS)
