"""Run a model's tests against an artifact, for ``slipway test``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import slipway
from slipway.files import atomic_write
from slipway.settings.release import SIGNING_KEY

PASSED, FAILED, INTERRUPTED = 0, 1, 2  # of pytest's exit codes


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

    Without ``artifact`` it is built first. With ``update_golden`` a first run rewrites the golden
    cases, and a second one, on a new server, compares with them. ``report`` is written as JUnit XML
    by the run that compares. A run that is interrupted leaves an earlier report as it was; one that
    ends in any other way without a report removes it, and its status is not 0. ``arguments`` are
    passed to pytest. It runs in its own process, because it changes its process permanently; the
    process gets no signing key, as models' code runs in it.
    """
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:hydra_pytest"]  # comes with DVC's packages; a second of needless imports
    if artifact:
        command.append(f"--slipway-artifact={artifact.resolve()}")
    # without a tests folder, only the contract test runs
    tests = model / "tests"
    command += [*arguments, str((tests if tests.is_dir() else model).resolve())]
    if update_golden:
        status = _pytest([*command, "--update-golden"], root)
        if status not in (PASSED, FAILED):
            return status
        print("comparing with the golden cases, as they are now", flush=True)
    if report is None:
        return _pytest(command, root)
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        written = Path(folder) / report.name
        status = _pytest([*command, f"--junitxml={written}"], root)
        if written.is_file():
            report.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(report) as temporary:
                shutil.copyfile(written, temporary)
        elif status != INTERRUPTED and status >= 0:  # below 0: a signal ended it
            report.unlink(missing_ok=True)
            return status or FAILED
    return status


def _pytest(command: Sequence[str], root: Path) -> int:
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop(SIGNING_KEY, None)
    # an exception here, such as that of Ctrl-C, ends the process
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
