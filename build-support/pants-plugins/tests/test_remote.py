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

FIRST = model("x", lock="shared")
LIBRARY = str(uuid4())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteCache]:
    with serving(tmp_path_factory.mktemp("buildgrid")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a user who has built nothing."""
    return tmp_path


def checkout(
    cache: RemoteCache, home: Path, token: str, *, writes: bool = False, lock: str = "shared"
) -> Repository:
    """A new checkout of the same repository, with an empty local store."""
    return made.of(
        home, model("x", lock=lock), library=LIBRARY, remote=cache.options(token, writes=writes)
    )


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
    assert sorted(ran(home)) == ["environment", "pack", "weights"]
    return text


def test_a_new_checkout_takes_every_step_from_the_cache(
    cache: RemoteCache, built: str, home: Path
) -> None:
    assert checkout(cache, home, "reader").built("x").text == built
    assert ran(home) == []


def test_who_may_only_read_changes_nothing_even_if_it_tries(
    cache: RemoteCache, built: str, tmp_path: Path
) -> None:
    for user in ("one", "two"):
        repository = checkout(cache, tmp_path / user, "reader", writes=True, lock="branch")
        assert "packages of branch" in repository.built("x").text
        assert sorted(ran(tmp_path / user)) == ["environment", "pack"]


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


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL])
def test_a_cache_that_hangs_or_dies_costs_time_alone(end: signal.Signals, tmp_path: Path) -> None:
    with serving(tmp_path / "cache") as cache:
        repository = checkout(cache, tmp_path / "home", "writer", writes=True, lock=end.name)
        assert "packages of" in repository.built("x").text
        repository.engine.scheduler.wait_for_tail_tasks(60)
        cache.process.send_signal(end)
        again = checkout(cache, tmp_path / "other", "writer", writes=True, lock=end.name)
        assert again.built("x").text == repository.built("x").text
        assert sorted(ran(tmp_path / "other")) == ["environment", "pack", "weights"]
