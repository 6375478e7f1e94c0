"""Test what a JUnit report records of a model's tests, and when a run counts as passed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import slipway
from slipway.files import sha256_of
from slipway.release.evidence import junit, test_result
from slipway.testing.run import run as run_tests
from tests import fixture_models

# reports do not depend on a served model: most runs here replace Triton with this
STAND_IN = """
import contextlib
from types import SimpleNamespace
from slipway.testing import contract, items, model_server, served_artifact

server = SimpleNamespace(
    describe=lambda target: "Triton of a stand-in",
    load=lambda target, artifact: (),
    visible_libraries=None,
)
served_artifact.triton.start = lambda settings: contextlib.nullcontext(server)
model_server.ServedModel = lambda served: SimpleNamespace(server=server, target=served.target)
contract.check = lambda server, target, artifact, request: []
items.check_two_rows = lambda model, request: []
items.choose_request = lambda model, folder: items.Request({}, {})
"""
NAMES = ("test_one.py", "test_two.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack the fixture model ``identity``."""
    folder = tmp_path_factory.mktemp("built")
    return fixture_models.pack(
        fixture_models.copy("identity", folder), folder / "identity_1.0.0.tar.gz"
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the environment's other plugins, whose import takes longer than a run."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def root(tmp_path: Path, built: Path) -> Path:
    """Create a repository with the model ``identity`` and two test files that need no server."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").touch()
    shutil.copytree(fixture_models.MODELS / "identity", root / "models" / "identity")
    (root / "models/identity/tests").mkdir()
    for name in NAMES:
        (root / "models/identity/tests" / name).write_text("def test_x(): pass\n", encoding="utf-8")
    (root / "conftest.py").write_text(STAND_IN, encoding="utf-8")
    return root


def run(root: Path, artifact: Path, *arguments: str) -> test_result.TestResult | None:
    """Run pytest with the plugin; return the artifact's result in the JUnit report."""
    digest, report = sha256_of(artifact), root / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", "-q"]
    command += ["-p", "no:cacheprovider", f"--rootdir={root}", f"--slipway-artifact={artifact}"]
    subprocess.run(
        [*command, f"--junitxml={report}", *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)},
        capture_output=True,
        check=False,
    )
    return junit.read_reports([report], "identity", digest)


def test_a_complete_run_counts_for_the_artifact_that_was_served(root: Path, built: Path) -> None:
    (root / "conftest.py").unlink()
    result = run(root, built, "models/identity")
    assert result is not None and result.passed, result
    assert result.tests == 3 and "models.identity.contract" in result.names
    assert result.server is not None and result.server.startswith("Triton 2.")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["models/identity", "-k", "contract or test_one"], "test_x was deselected"),
        (["models/identity", "-m", "not slow", "--deselect", "models/identity/tests/test_two.py"],
         "test_x was deselected"),
        (["models/identity", "--update-golden"], "golden cases were rewritten"),
        (["models/identity", "--ignore=models/identity/tests/test_two.py"], "--ignore"),
        (["models/identity/tests/test_one.py"], "test_two.py was not named"),
    ],
)  # fmt: skip
def test_a_run_that_left_tests_out_does_not_count(
    root: Path, built: Path, arguments: list[str], reason: str
) -> None:
    result = run(root, built, *arguments)
    assert result is not None and not result.passed
    assert result.reason is not None and reason in result.reason


def test_a_run_without_the_contract_test_names_no_artifact(root: Path, built: Path) -> None:
    # no artifact was served, so the report cannot name the tested one
    assert run(root, built, "models/identity", "-k", "not contract") is None


@pytest.mark.parametrize(
    "code",
    [
        "def test_x(): assert False\n",
        "import pytest\n@pytest.fixture\ndef broken(): raise OSError\ndef test_x(broken): pass\n",
        "import absent_module\n",
    ],
)
def test_a_run_with_a_failure_an_error_or_an_uncollected_file_does_not_count(
    root: Path, built: Path, code: str
) -> None:
    (root / "models/identity/tests/test_two.py").write_text(code, encoding="utf-8")
    result = run(root, built, "models/identity", "--continue-on-collection-errors")
    assert result is not None and not result.passed and result.failures == 1


def test_an_artifact_that_changes_while_it_is_tested_is_not_recorded(
    root: Path, built: Path, tmp_path: Path
) -> None:
    changing = tmp_path / "identity_1.0.0.tar.gz"
    shutil.copyfile(built, changing)
    code = f"def test_x(model):\n    open({str(changing)!r}, 'ab').write(b'x')\n"
    (root / "models/identity/tests/test_two.py").write_text(code, encoding="utf-8")
    before = sha256_of(changing)
    assert run(root, changing, "models/identity") is None
    assert before not in (root / "report.xml").read_text(encoding="utf-8")
    assert junit.read_reports([root / "report.xml"], "identity", sha256_of(changing)) is None


def test_the_report_of_the_command_replaces_an_earlier_report(root: Path, built: Path) -> None:
    report = root / "dist" / "identity_1.0.0.tests.xml"
    model = root / "models/identity"
    assert run_tests(model, root, artifact=built, report=report) == 0
    result = junit.read_reports([report], "identity", sha256_of(built))
    assert result is not None and result.passed
    crash = "import os\ndef test_x(): os._exit(0)\n"
    (model / "tests/test_two.py").write_text(crash, encoding="utf-8")
    assert run_tests(model, root, artifact=built, report=report) != 0
    assert not report.exists()


# a test that waits for the end of its process, once it has written the file
WAITS = """
import pathlib, time
def test_x():
    pathlib.Path("waiting").touch()
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("stop", "whom"),
    [
        (signal.SIGINT, "the terminal's group"),  # Ctrl-C
        (signal.SIGINT, "the command"),
        (signal.SIGTERM, "the command"),
    ],
)
def test_an_interrupted_run_records_nothing(
    root: Path, built: Path, stop: signal.Signals, whom: str
) -> None:
    report = root / "dist" / "identity_1.0.0.tests.xml"
    assert run_tests(root / "models/identity", root, artifact=built, report=report) == 0
    before = report.read_bytes()
    (root / "models/identity/tests/test_one.py").write_text("def test_x(): assert False\n")
    (root / "models/identity/tests/test_two.py").write_text(WAITS)
    command = [sys.executable, "-m", "slipway", "test", "identity", "--artifact", str(built)]
    path = str(Path(slipway.__file__).parent.parent)
    process = subprocess.Popen(
        command, cwd=root, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
    )
    try:
        while not (root / "waiting").exists():
            assert process.poll() is None
            time.sleep(0.01)
        if whom == "the command":
            process.send_signal(stop)
        else:
            os.killpg(process.pid, stop)
        assert process.wait(timeout=60) != 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert report.read_bytes() == before
    assert [path.name for path in report.parent.iterdir()] == [report.name]


def test_pytest_itself_writes_no_report_when_it_is_interrupted(root: Path, built: Path) -> None:
    (root / "models/identity/tests/test_two.py").write_text(
        "def test_x(): raise KeyboardInterrupt\n"
    )
    assert run(root, built, "models/identity") is None
    assert not (root / "report.xml").exists()


def test_rewriting_golden_cases_ends_with_a_run_that_counts(root: Path, built: Path) -> None:
    report = root / "dist" / "identity_1.0.0.tests.xml"
    (root / "conftest.py").unlink()
    case = root / "models/identity/tests/cases/one"
    case.mkdir(parents=True)
    (case / "input.json").write_text('{"inputs": {"TEXT": ["a"], "NUMBERS": [[0.1, 2]]}}')
    model = root / "models/identity"
    assert run_tests(model, root, artifact=built, report=report, update_golden=True) == 0
    assert (case / "expected.json").exists()
    result = junit.read_reports([report], "identity", sha256_of(built))
    assert result is not None and result.passed, result
    assert "models.identity.golden[one]" in result.names


def test_the_models_code_gets_no_signing_key(
    root: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SIGNING_KEY", "the secret")
    code = "import os\ndef test_x(): assert 'SLIPWAY_SIGNING_KEY' not in os.environ\n"
    (root / "models/identity/tests/test_one.py").write_text(code, encoding="utf-8")
    assert run_tests(root / "models/identity", root, artifact=built, arguments=["-k", "one"]) == 0
