"""Steps on two workers of a remote execution, one of which is killed in the middle of a step."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
import repository as made
from remote_cache import Worker, database, postgres, serving, working
from repository import Repository, model

PROGRAMS = postgres()
pytestmark = pytest.mark.skipif(
    PROGRAMS is None,
    reason="no PostgreSQL, which BuildGrid's queue needs: apt-get install postgresql",
)
NAMES = [f"m{number}" for number in range(4)]
STEPS = ["environment", "pack", "weights"]


def build(repository: Repository) -> dict[str, str]:
    built = repository.built_all(NAMES)
    assert [each.problem for each in built.values() if each.problem] == []
    return {name: each.text for name, each in built.items()}


def kill_in_the_middle(worker: Worker) -> None:
    """Kill a worker as soon as it packs, which takes a second."""
    while worker.process.poll() is None and "pack" not in worker.ran():
        time.sleep(0.05)
    worker.kill()


def test_models_are_built_on_two_workers_of_which_one_is_killed(tmp_path: Path) -> None:
    assert PROGRAMS is not None
    models = [model(name, lock=f"slow {name}") for name in NAMES]
    library = str(uuid4())
    with contextlib.ExitStack() as stack:
        sql = stack.enter_context(database(PROGRAMS))
        server = stack.enter_context(serving(tmp_path / "server", "--open", "--sql", sql))
        one, other = (
            stack.enter_context(working(server.url, name, tmp_path / name))
            for name in ("one", "other")
        )
        remote = (
            f"--remote-store-address={server.url}",
            f"--remote-execution-address={server.url}",
            "--remote-execution",
            "--remote-store-rpc-concurrency=32",
            "--remote-execution-rpc-concurrency=32",
        )
        killer = threading.Thread(target=kill_in_the_middle, args=(one,), daemon=True)
        killer.start()
        built = build(made.of(tmp_path / "here", *models, library=library, remote=remote))
        killer.join(10)
        assert not killer.is_alive(), "the worker had nothing to do"
        assert other.process.poll() is None
    assert all({"environment", "pack"} <= set(worker.ran()) for worker in (one, other))
    ran = one.ran() + other.ran()
    # what the killed worker had begun ran again, and nothing else
    assert len(STEPS) * len(NAMES) < len(ran) <= len(STEPS) * len(NAMES) + 2
    assert not (tmp_path / "here" / "ran").exists()
    assert built == build(made.of(tmp_path / "local", *models, library=library))
