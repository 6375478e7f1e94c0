"""Run a model's tests against an artifact, for ``slipway test``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import slipway
from slipway.files import temp_sibling
from slipway.settings.release import SIGNING_KEY

PASSED, FAILED, INTERRUPTED = 0, 1, 2  # of pytest's exit codes
# pytest itself ends tests at their limit; this long after it, it is killed
GRACE_S = 60.0


def run(
    model: Path,
    root: Path,
    *,
    artifact: Path | None = None,
    update_golden: bool = False,
    report: Path | None = None,
    limit_s: float | None = None,
    arguments: Sequence[str] = (),
) -> int:
    """Run the tests in ``model``, its golden cases and the contract test; return pytest's status.

    Without ``artifact`` it is built first. With ``update_golden`` a first run rewrites the golden
    cases, and a second one, on a new server, compares with them. ``report`` is written as JUnit XML
    by the run that compares. A run that is interrupted leaves an earlier report as it was; one that
    ends in any other way without a report removes it, and its status is not 0. A run of more than
    ``limit_s``, which pytest did not end, is killed. ``arguments`` are passed to pytest. It runs in
    its own process, because it changes its process permanently; the process gets no signing key, as
    models' code runs in it.
    """
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:hydra_pytest"]  # comes with DVC's packages; a second of needless imports
    if artifact:
        command.append(f"--slipway-artifact={artifact.resolve()}")
    # without a tests folder, only the contract test runs
    tests = model / "tests"
    command += [*arguments, str((tests if tests.is_dir() else model).resolve())]
    if update_golden:
        status = _pytest([*command, "--update-golden"], root, limit_s)
        if status not in (PASSED, FAILED):
            return status
        print("comparing with the golden cases, as they are now", flush=True)
    if report is None:
        return _pytest(command, root, limit_s)
    report = report.resolve()
    with temp_sibling(report) as earlier:
        if report.exists():
            report.rename(earlier)
        status = -signal.SIGINT
        try:
            status = _pytest([*command, f"--junitxml={report}"], root, limit_s)
        finally:
            # below 0: a signal ended it, perhaps while it wrote
            if status == INTERRUPTED and not report.exists() or status < 0:
                report.unlink(missing_ok=True)
                if earlier.exists():
                    earlier.rename(report)
    return status if report.exists() or status == INTERRUPTED else status or FAILED


def _pytest(command: Sequence[str], root: Path, limit_s: float | None) -> int:
    library = str(Path(slipway.__file__).parent.parent)
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop(SIGNING_KEY, None)
    wait_s = None if limit_s is None else limit_s + GRACE_S
    # an exception here, such as that of Ctrl-C, ends the process
    try:
        done = subprocess.run(command, cwd=root, env=environment, check=False, timeout=wait_s)
    except subprocess.TimeoutExpired:
        print(
            f"the tests were not finished in {limit_s:g} s and did not end; they were killed\n"
            "fix: look for a test that blocks in a library; if they only need more time here:"
            " [test] model_timeout in slipway.toml",
            file=sys.stderr,
        )
        return FAILED
    return done.returncode
