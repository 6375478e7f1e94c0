"""What Pants adds: an edit to an artifact, nothing changed, what is affected; 1 and 101 models."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, copy_model, edit
from benchmarks.result import Report, Row, interleaved
from benchmarks.subject import NAME, ROOT, Subject

MODELS = 100
BOOTSTRAP = Path("build-support", "bootstrap")
NOBODY = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]


def measure(subject: Subject) -> list[Report]:
    """A clone, its daemon warm; measured with the sample model, then with 100 more."""
    folder = subject.work / "pants"
    folder.mkdir()
    with _repository(folder) as repository:
        repository.run("package", "::")
        one = _rows(repository, subject, "1 model")
        for number in range(MODELS):
            copy_model(repository.root, f"generated_{number:03}")
        repository.commit()
        repository.run("package", "::")
        many = _rows(repository, subject, f"{MODELS + 1} models")
        changed = interleaved(
            subject.repeats(5),
            {
                "ours": lambda: repository.edited("--changed-since=HEAD", "list"),
                "list": lambda: repository.run("list", "::"),
            },
        )
    affected = result.compared(
        f"{MODELS + 1} models: --changed-since=HEAD list, one edited",
        changed["ours"],
        changed["list"],
        result.seconds,
    )
    return [Report("Pants, its daemon warm", "./pants list ::", [*one, *many, affected])]


def _rows(repository: _Repository, subject: Subject, who: str) -> list[Row]:
    edited = interleaved(
        subject.repeats(5),
        {"ours": lambda: repository.edited("package", f"models/{NAME}:")},
    )
    repository.run("package", "::")
    unchanged = interleaved(
        subject.repeats(7),
        {
            "package": lambda: repository.run("package", "::"),
            "list": lambda: repository.run("list", "::"),
        },
    )
    return [
        result.alone(
            f"{who}: package models/{NAME}: after a one-line edit",
            edited["ours"],
            result.seconds,
            at_most=3.0,
        ),
        result.compared(
            f"{who}: package ::, nothing changed",
            unchanged["package"],
            unchanged["list"],
            result.seconds,
            at_most=1.2,
        ),
    ]


@contextmanager
def _repository(folder: Path) -> Iterator[_Repository]:
    repository = _Repository(folder)
    try:
        yield repository
    finally:
        repository.stop()


class _Repository:
    """A clone with a Pants of its own: daemon, store and working folder lie beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = clone(folder / "clone")
        self._env = os.environ | {
            "PANTS_LOCAL_STORE_DIR": str(folder / "store"),
            "PANTS_LOCAL_EXECUTION_ROOT_DIR": str(folder),
            "PANTS_DYNAMIC_UI": "False",
        }
        if (ROOT / BOOTSTRAP).is_dir():  # made once per clone, and equal in each
            shutil.copytree(ROOT / BOOTSTRAP, self.root / BOOTSTRAP, dirs_exist_ok=True)

    def run(self, *words: str) -> float:
        """Seconds of one ``./pants`` command.

        Raises:
            subprocess.CalledProcessError: it failed; what it said is on standard error.
        """
        start = time.perf_counter()
        subprocess.run(
            ["./pants", "--level=error", *words],
            cwd=self.root,
            env=self._env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start

    def edited(self, *words: str) -> float:
        """The same, after a change of one line of the sample model's code."""
        edit(self.root)
        return self.run(*words)

    def commit(self) -> None:
        """Commit everything."""
        for words in (["add", "--all"], [*NOBODY, "commit", "--quiet", "--message=generated"]):
            subprocess.run(["git", *words], cwd=self.root, check=True)

    def stop(self) -> None:
        """End the daemon."""
        for note in self.root.glob(".pids/*/pantsd/pid"):
            try:
                os.kill(int(note.read_text()), signal.SIGTERM)
            except (ProcessLookupError, ValueError):
                continue
