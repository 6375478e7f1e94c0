"""Run a model's tests against an artifact: what ``slipway test`` does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import slipway


def run(
    model: Path,
    root: Path,
    *,
    artifact: Path | None = None,
    update_golden: bool = False,
    arguments: Sequence[str] = (),
) -> int:
    """Run the tests in ``model``, its golden cases and the contract test; the exit status of pytest.

    Without ``artifact`` it is built first. ``arguments`` go to pytest as they are. A process of its
    own, because pytest changes the one it runs in for good.
    """
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    if artifact:
        command.append(f"--slipway-artifact={artifact.resolve()}")
    if update_golden:
        command.append("--update-golden")
    # the tests folder need not exist; then the golden cases and the contract test are all there is
    tests = model / "tests"
    command += [*arguments, str((tests if tests.is_dir() else model).resolve())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
