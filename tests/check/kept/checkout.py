"""A checkout of which checks are kept, and what a check of it says with and without them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from slipway.check.kept import folder
from slipway.check.kept.entry import _finding_to_json
from slipway.cli.develop import check_run, check_targets
from tests.check import fixture_repositories as repositories

# a step of the clock here; the library waits for those of all file systems
STEP_NS = 20_000_000
SHARED = {
    "libs/words/pyproject.toml": '[project]\nname = "words"\nversion = "1.0"\n',
    "libs/words/src/words/__init__.py": "def count(text):\n    return len(text.split())\n",
}


def make_checkout(root: Path, models: int = 1) -> Path:
    """Write a git checkout with copies of the good model under names of their own."""
    repositories.make("good", root)
    good = root / "models" / "sound"
    for number in range(1, models):
        copy = root / "models" / f"sound_{number}"
        shutil.copytree(good, copy)
        for path in sorted(copy.rglob("*"), reverse=True):
            if path.suffix in (".pbtxt", ".py"):
                path.write_text(path.read_text().replace("sound_", f"{copy.name}_"))
            if path.name.startswith("sound_"):
                path.rename(path.with_name(path.name.replace("sound", copy.name, 1)))
    for name, text in SHARED.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


def say(*, fresh: bool) -> tuple[dict[str, Any], list[str]]:
    """Return what a check of the current directory says of each model, and which were checked."""
    examined: list[str] = []
    examine = check_targets.CheckTargets.examine

    def counted(self: check_targets.CheckTargets, path: Path) -> Any:
        examined.append(path.name)
        return examine(self, path)

    with (
        patch.object(folder, "STEP_NS", STEP_NS),
        patch.object(check_targets.CheckTargets, "examine", counted),
    ):
        run = check_run.run_checks(check_targets.find_targets(()), fresh=fresh)
    said: dict[str, Any] = {path.name: repr(error) for path, error in run.bugs.items()}
    for path, outcome in run.outcomes.items():
        findings = [_finding_to_json(finding) for finding in outcome.findings]
        said[path.name] = (findings, dict(outcome.backends), list(map(str, outcome.given_up)))
    return said, examined


def wait() -> None:
    """Wait until no later change can leave a file's times as they are."""
    time.sleep(3 * STEP_NS / 1e9)


_recorders: list[set[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _recorders and event == "open" and isinstance(arguments[0], str | os.PathLike):
        _recorders[-1].add(os.path.abspath(arguments[0]))


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Yield the paths that this process asks the file system for until the block ends."""
    asked: set[str] = set()
    if not _recorders:
        sys.addaudithook(_audit)
    _recorders.append(asked)

    def recording(function: Any) -> Any:
        def call(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                asked.add(os.path.abspath(path))
            return function(path, *arguments, **options)

        return call

    with ExitStack() as stack:
        for name in ("stat", "lstat", "scandir", "listdir", "readlink"):
            stack.enter_context(patch.object(os, name, recording(getattr(os, name))))
        yield asked
    _recorders[-1] = set()
