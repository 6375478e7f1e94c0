"""Measure Pants after an edit, without changes, and for affected models; 1 and 101 models."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, commit, copy_model, edit
from benchmarks.context import NAME, ROOT, BenchmarkContext
from benchmarks.result import Report, Row, interleaved

MODELS = 100
PAIRS = 15  # of `package ::` and `list ::`: one run differs from the next by a fifth
BOOTSTRAP = Path("build-support", "bootstrap")


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure a clone with a warm daemon, with the sample model and then with 100 more."""
    folder = context.work / "pants"
    folder.mkdir()
    with _repository(folder) as repository:
        repository.run("package", "::")
        single = _rows(repository, context, "1 model")
        for number in range(MODELS):
            copy_model(repository.root, f"generated_{number:03}")
        repository.commit()
        repository.run("package", "::")
        many = _rows(repository, context, f"{MODELS + 1} models")
        changed = interleaved(
            context.repeats(5),
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
    return [Report("Pants, its daemon warm", "./pants list ::", [*single, *many, affected])]


def _rows(repository: PantsRepository, context: BenchmarkContext, who: str) -> list[Row]:
    edited = interleaved(
        context.repeats(5),
        {"ours": lambda: repository.edited("package", f"models/{NAME}:")},
    )
    repository.run("package", "::")
    unchanged = interleaved(
        context.repeats(PAIRS),
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
def _repository(folder: Path) -> Iterator[PantsRepository]:
    repository = PantsRepository(folder)
    try:
        yield repository
    finally:
        repository.stop()


class PantsRepository:
    """A clone with its own Pants: daemon, store and working folder are in its parent folder.

    ``root`` is the clone, made here unless it is given; ``variables`` are those of the commands.
    """

    def __init__(
        self,
        folder: Path,
        root: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root or clone(folder / "clone")
        self._env = os.environ | {
            "PANTS_LOCAL_STORE_DIR": str(folder / "store"),
            "PANTS_LOCAL_EXECUTION_ROOT_DIR": str(folder),
            "PANTS_DYNAMIC_UI": "False",
            **(variables or {}),
        }
        if (ROOT / BOOTSTRAP).is_dir():  # created once per clone, and identical in all of them
            shutil.copytree(ROOT / BOOTSTRAP, self.root / BOOTSTRAP, dirs_exist_ok=True)

    def run(self, *arguments: str) -> float:
        """Return the seconds that a ``./pants`` command takes.

        Raises:
            subprocess.CalledProcessError: it failed; its output is on standard error.
        """
        start = time.perf_counter()
        subprocess.run(
            ["./pants", "--level=error", *arguments],
            cwd=self.root,
            env=self._env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - start

    def edited(self, *arguments: str) -> float:
        """Return the seconds of a command after a change of one line in the sample model's code."""
        edit(self.root)
        return self.run(*arguments)

    def commit(self) -> None:
        """Commit everything."""
        commit(self.root)

    def processors(self, *, with_steps: bool = False) -> float:
        """Return the processor seconds that the daemon has used, and the steps that it ran."""
        for pid_file in self.root.glob(".pids/*/pantsd/pid"):
            return processor_seconds(int(pid_file.read_text()), with_children=with_steps)
        return 0.0

    def memory(self) -> float:
        """Return the megabytes that the daemon has in memory."""
        for pid_file in self.root.glob(".pids/*/pantsd/pid"):
            status = Path("/proc", pid_file.read_text().strip(), "status").read_text()
            return int(status.split("VmRSS:")[1].split()[0]) / 1000
        return 0.0

    def stop(self) -> None:
        """End the daemon."""
        for pid_file in self.root.glob(".pids/*/pantsd/pid"):
            try:
                os.kill(int(pid_file.read_text()), signal.SIGTERM)
            except (ProcessLookupError, ValueError):
                continue


def processor_seconds(process: int, *, with_children: bool) -> float:
    """Return the processor seconds of a process, and of the children that it waited for."""
    stat = Path("/proc", str(process), "stat").read_text()
    ticks = stat.rpartition(")")[2].split()[11 : 15 if with_children else 13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
