"""Tests that never end: they are ended, say what was asked, and leave no server behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import slipway
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.release.evidence import junit
from slipway.settings import load
from tests import fixture_models

LINE = "        return [self._answer(request) for request in requests]\n"
ASKS = """
def test_it_answers(model):
    model({"TEXT": "hello", "NUMBERS": 1.0})
"""
WAITS = """
import time

def test_it_waits_for_nothing(model):
    while True:
        time.sleep(0.01)
"""


def repository(tmp_path: Path, line: str, test: str, toml: str) -> tuple[Path, Path]:
    """A repository with the identity model, whose code ends with ``line``, and its artifact."""
    root = tmp_path / "repository"
    model = root / "models" / "identity"
    shutil.copytree(fixture_models.MODELS / "identity", model)
    (root / "slipway.toml").write_text(toml, encoding="utf-8")
    (model / "tests").mkdir()
    (model / "tests" / "test_identity.py").write_text(test, encoding="utf-8")
    built = fixture_models.copy("identity", tmp_path / "built")
    code = built / "identity_step" / "1" / "model.py"
    code.write_text(code.read_text(encoding="utf-8").replace(LINE, line), encoding="utf-8")
    return root, fixture_models.pack(built, tmp_path / "identity.tar.gz")


def run(root: Path, artifact: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:cacheprovider", f"--slipway-artifact={artifact}"]
    environment = os.environ | {
        "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [*command, f"--junitxml={root}/report.xml", "models/identity"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def servers_of(artifact: Path) -> list[int]:
    """The processes that have the test's own folder on their command line."""
    lines = ((process.pid, process.info["cmdline"]) for process in psutil.process_iter(["cmdline"]))
    return [pid for pid, line in lines if any(str(artifact.parent) in word for word in line or ())]


def test_a_request_without_an_answer_fails_each_test_with_the_line_of_execute(
    tmp_path: Path,
) -> None:
    toml = "[test]\nrequest_timeout = 1\n"
    root, artifact = repository(tmp_path, "        return None\n", ASKS, toml)
    done = run(root, artifact)
    assert done.returncode == 1, done.stdout
    place = "models/identity/identity_step/1/model.py:"
    assert place in done.stdout and "no answer in 1 s to a request with TEXT BYTES" in done.stdout
    # the contract test asks nobody: the model would not answer
    assert "not sent, because the model has not answered an earlier request" in done.stdout
    assert "2 failed" in done.stdout
    result = junit.read_reports([root / "report.xml"], "identity", sha256_of(artifact))
    assert result is not None and not result.passed and result.failures == 2
    assert servers_of(artifact) == []


def test_tests_that_take_longer_than_the_models_time_are_ended_and_fail(tmp_path: Path) -> None:
    # the server starts in less than the limit, or the fixture that starts it is what fails
    toml = "[test]\nmodel_timeout = 5\n"
    root, artifact = repository(tmp_path, LINE, WAITS, toml)
    done = run(root, artifact)
    assert done.returncode == 1, done.stdout
    assert "the tests of identity were not finished in 5 s" in done.stdout
    assert "test_it_waits_for_nothing was running, for " in done.stdout
    assert "[test] model_timeout in slipway.toml" in done.stdout
    assert "contract PASSED" not in done.stdout  # no further test is run
    result = junit.read_reports([root / "report.xml"], "identity", sha256_of(artifact))
    assert result is None or not result.passed
    assert servers_of(artifact) == []


@pytest.mark.parametrize("value", ["0", "-1", "true", '"long"', "nan", "inf"])
def test_a_limit_that_is_no_number_of_seconds_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / "slipway.toml").write_text(f"[test]\nmodel_timeout = {value}\n", encoding="utf-8")
    with pytest.raises(SlipwayError, match="test.model_timeout is ") as raised:
        load(tmp_path)
    assert raised.value.fix == "a number of seconds above 0, such as model_timeout = 120"


def test_an_unknown_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text("[test]\ntimeout = 5\n", encoding="utf-8")
    with pytest.raises(SlipwayError, match="unknown test.timeout"):
        load(tmp_path)
