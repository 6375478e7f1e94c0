"""Run a model's tests against an artifact, for ``slipway test``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import slipway
from slipway.settings.release import SIGNING_KEY


def run(
    model: Path,
    root: Path,
    *,
    artifact: Path | None = None,
    update_golden: bool = False,
    report: Path | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Run the tests in ``model``, its golden cases and the contract test; return pytest's status.

    Without ``artifact`` it is built first. ``report`` is written as JUnit XML, and is missing if
    pytest was interrupted. ``arguments`` are passed to pytest. It runs in its own process, because
    it changes its process permanently; the process gets no signing key, as models' code runs in it.
    """
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:hydra_pytest"]  # comes with DVC's packages; a second of needless imports
    if artifact:
        command.append(f"--slipway-artifact={artifact.resolve()}")
    if update_golden:
        command.append("--update-golden")
    if report:
        report = report.resolve()
        # an earlier run's report must not remain
        report.unlink(missing_ok=True)
        command.append(f"--junitxml={report}")
    # without a tests folder, only the contract test runs
    tests = model / "tests"
    command += [*arguments, str((tests if tests.is_dir() else model).resolve())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop(SIGNING_KEY, None)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
