"""Run a model's tests against an artifact: what ``slipway test`` does."""

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
    """Run the tests in ``model``, its golden cases and the contract test; the exit status of pytest.

    Without ``artifact`` it is built first. ``report`` is written as JUnit's XML, or is gone if pytest
    broke off. ``arguments`` go to pytest as they are. A process of its own, because pytest changes
    the one it runs in for good; it gets no signing key, as the models' code runs in it.
    """
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:hydra_pytest"]  # of DVC's packages: a second of imports for nothing
    if artifact:
        command.append(f"--slipway-artifact={artifact.resolve()}")
    if update_golden:
        command.append("--update-golden")
    if report:
        report = report.resolve()
        # an earlier run's is no report of this one
        report.unlink(missing_ok=True)
        command.append(f"--junitxml={report}")
    # the tests folder need not exist; then the golden cases and the contract test are all there is
    tests = model / "tests"
    command += [*arguments, str((tests if tests.is_dir() else model).resolve())]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop(SIGNING_KEY, None)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
