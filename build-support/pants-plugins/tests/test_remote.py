"""Checkouts that share what they built, by a remote cache and by workers that others wrote."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import repository as made
from pants.init.logging import initialize_stdio_raw
from pants.util.logging import LogLevel
from repository import Repository, model

from ci.buildgrid.loopback import RemoteCache, Worker, database, postgres, serving, working

LIBRARY = str(uuid4())
STEPS = ["environment", "pack", "weights"]
SHARED = ("shared", "changed", "forged", "hung")
SLOW = ("slow_a", "slow_b", "slow_c")
PROGRAMS = postgres()


def without_weights(files: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if not path.endswith(".dvc")}


MODELS = (
    *(model(name, lock=name) for name in (*SHARED, "early", "branch", "late")),
    *(without_weights(model(name, lock=name)) for name in SLOW),
)


@dataclass(frozen=True)
class Checkout:
    """A checkout of the same repository, and the home of a user who has built nothing elsewhere.

    An engine takes many seconds of processor time to start: each has models that no test before
    asked it for, in the place of engines of their own.
    """

    home: Path
    repository: Repository

    @classmethod
    def new(cls, home: Path, remote: tuple[str, ...]) -> Checkout:
        return cls(home, made.of(home, *MODELS, library=LIBRARY, remote=remote))

    def build(self, *names: str, until_written: bool = True) -> dict[str, str]:
        """Return the artifacts by name, by default once nothing is being written any more."""
        repository = self.repository
        # a session whose writing was waited for writes no more: each build has its own
        repository.engine.set_options(repository.options, env=repository.environment)
        built = repository.built_all(names)
        assert [each.problem for each in built.values() if each.problem] == []
        if until_written:
            repository.engine.scheduler.wait_for_tail_tasks(60)
        return {name: each.text for name, each in built.items()}

    def ran(self) -> list[str]:
        """Return the steps that ran for this user since this was asked for."""
        log = self.home / "ran"
        steps = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted(steps)


@dataclass(frozen=True)
class Main:
    """Who may write: Pants started while the cache was down, and said so in `log`."""

    cache: RemoteCache
    artifacts: Mapping[str, str]
    early: str
    log: str


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Main]:
    home, folder = tmp_path_factory.mktemp("main"), tmp_path_factory.mktemp("buildgrid")
    with serving(folder) as server:
        options = server.options("writer", writes=True)
    with initialize_stdio_raw(LogLevel.WARN, False, False, {}, True, [], str(folder)):
        checkout = Checkout.new(home, options)
        early = checkout.build("early")["early"]
    assert checkout.ran() == STEPS
    with serving(folder, "--port", server.address.rpartition(":")[2]) as cache:
        artifacts = checkout.build(*SHARED, *(SLOW if PROGRAMS else ()))
        assert len(checkout.ran()) >= len(STEPS) * len(SHARED)
        yield Main(cache, artifacts, early, (folder / "pants.log").read_text())


@pytest.fixture(scope="module")
def reader(main: Main, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A new checkout of who may only read, and tries to write."""
    options = main.cache.options("reader", writes=True)
    return Checkout.new(tmp_path_factory.mktemp("reader"), options)


def stored(cache: RemoteCache) -> dict[Path, int]:
    """Return the files of the cache's storage, which holds results as well."""
    return {
        file: file.stat().st_size
        for file in (cache.folder / "storage").rglob("*")
        if file.is_file()
    }


def test_a_cache_that_is_down_when_pants_starts_costs_time_alone(main: Main) -> None:
    assert "packages of early" in main.early
    assert "Failed to read from remote cache (1 occurrences so far)" in main.log


def test_who_may_only_read_takes_every_step_and_writes_none_even_if_it_tries(
    main: Main, reader: Checkout
) -> None:
    # it is also the proof that main, whose Pants started without the cache, wrote them later
    assert reader.build("shared") == {"shared": main.artifacts["shared"]}
    assert reader.ran() == []
    before = stored(main.cache)
    assert "packages of branch" in reader.build("branch")["branch"]
    assert reader.ran() == STEPS
    metrics = reader.repository.engine.scheduler.get_metrics()
    assert metrics["remote_cache_write_errors"] >= len(STEPS)
    assert stored(main.cache) == before


def test_bytes_that_changed_in_the_cache_are_never_taken(main: Main, reader: Checkout) -> None:
    artifact = main.artifacts["changed"].rpartition("\n")[0] + "\n"  # without its checksum
    files = [file for file in stored(main.cache) if file.read_bytes() == artifact.encode()]
    assert files
    for file in files:
        file.write_text(artifact.replace("packages", "PACKAGES"))
    assert reader.build("changed") == {"changed": main.artifacts["changed"]}
    assert reader.ran() == ["pack"]


def test_a_result_of_who_may_write_is_believed(main: Main, reader: Checkout) -> None:
    # hence no branch may write; docs/remote-cache.md says what publish then finds
    assert main.cache.poison("models/forged", "forged") >= 1
    assert reader.build("forged")["forged"].startswith("forged")
    assert reader.ran() == []


def kill_in_the_middle(worker: Worker) -> None:
    """Kill a worker as soon as it packs, which takes a second."""
    while worker.process.poll() is None and "pack" not in worker.ran():
        time.sleep(0.05)
    worker.kill()


@pytest.mark.skipif(
    PROGRAMS is None,
    reason="no PostgreSQL, which BuildGrid's queue needs: apt-get install postgresql",
)
def test_models_are_built_on_two_workers_of_which_one_is_killed(main: Main, tmp_path: Path) -> None:
    assert PROGRAMS is not None
    with contextlib.ExitStack() as stack:
        sql = stack.enter_context(database(PROGRAMS))
        server = stack.enter_context(serving(tmp_path / "server", "--open", "--sql", sql))
        one, other = (
            stack.enter_context(working(server.url, name, tmp_path / name))
            for name in ("one", "other")
        )
        killer = threading.Thread(target=kill_in_the_middle, args=(one,), daemon=True)
        killer.start()
        here = Checkout.new(tmp_path / "here", server.execution_options())
        assert here.build(*SLOW) == {name: main.artifacts[name] for name in SLOW}
        killer.join(10)
        assert not killer.is_alive(), "the worker had nothing to do"
        assert other.process.poll() is None
    assert all({"environment", "pack"} <= set(worker.ran()) for worker in (one, other))
    steps = len(SLOW) * 2
    # what the killed worker had begun ran again, and nothing else
    assert steps < len(one.ran() + other.ran()) <= steps + 2
    assert here.ran() == []


def test_a_cache_that_hangs_and_then_dies_costs_time_alone(main: Main, reader: Checkout) -> None:
    # the last test of the file: no other has this server after it
    main.cache.process.send_signal(signal.SIGSTOP)
    assert reader.build("hung", until_written=False) == {"hung": main.artifacts["hung"]}
    assert reader.ran() == STEPS
    main.cache.process.kill()
    assert "packages of late" in reader.build("late", until_written=False)["late"]
    assert reader.ran() == STEPS
