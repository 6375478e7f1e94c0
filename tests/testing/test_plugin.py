"""Test the plugin as data scientists use it: pytest, run in a repository with models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import slipway
from tests import fixture_models

TESTS = """
import numpy as np
import pytest
from slipway.testing import InferenceError, Model

def test_values_are_promoted(model: Model) -> None:
    answer = model({"TEXT": "hello", "NUMBERS": [[1, 2]]})
    assert answer["TEXT_BACK"].tolist() == [[b"hello"]]
    assert answer["NUMBERS_BACK"].dtype == np.float32

def test_errors_are_raised(model: Model) -> None:
    with pytest.raises(InferenceError, match="refused as asked"):
        model({"TEXT": "refuse me", "NUMBERS": 1.0})
"""
MORE = """
def test_it_is_the_same_server(model, request):
    assert model({"TEXT": ["a", "b"], "NUMBERS": [[1], [2]]})["TEXT_BACK"].shape == (2, 1)
    log = model.server.log_file.read_text(errors="replace")
    assert log.count("server_version") == 1
    assert log.count("Loading SageMaker TargetModel: identity.tar.gz") == 1
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a repository with two models, with artifacts provided as Pants does."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").touch()
    for name in ("identity", "adder"):
        shutil.copytree(fixture_models.MODELS / name, root / "models" / name)
        fixture_models.pack(
            fixture_models.copy(name, tmp_path / "built"),
            root / ".slipway" / "artifacts" / f"{name}.tar.gz",
        )
    tests = root / "models" / "identity" / "tests"
    tests.mkdir()
    (tests / "test_identity.py").write_text(TESTS, encoding="utf-8")
    (tests / "test_more.py").write_text(MORE, encoding="utf-8")
    return root


def add_case(root: Path, name: str, text: str) -> Path:
    """Add a golden case to the identity model."""
    case = root / "models" / "identity" / "tests" / "cases" / name
    case.mkdir(parents=True)
    (case / "input.json").write_text(
        json.dumps({"inputs": {"TEXT": [text], "NUMBERS": [[0.1, 2]]}}), encoding="utf-8"
    )
    return case


def run(
    root: Path, *arguments: str, other_plugins: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin in ``root``, and with those of all installed packages or none."""
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", "-v"]
    environment = os.environ | {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)}
    if other_plugins:
        del environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]  # which tests/conftest.py sets
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", f"--rootdir={root}", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_cases_and_the_contract_of_a_model_share_one_server(repository: Path) -> None:
    add_case(repository, "greeting", "hello")
    names = [f"models/identity/tests/test_{name}.py" for name in ("identity", "more")]
    first = run(repository, "--update-golden", *names)
    assert first.returncode == 0, first.stdout
    assert "identity: greeting: expected.json rewritten" in first.stdout
    second = run(repository, *names, other_plugins=True)
    assert second.returncode == 0, second.stdout
    for line in ("models/identity::golden[greeting] PASSED", "models/identity::contract PASSED"):
        assert line in second.stdout
    assert "identity_step: KIND_GPU → KIND_CPU" in second.stdout


def test_a_model_without_a_tests_folder_has_its_contract_tested(repository: Path) -> None:
    result = run(repository, "models/adder")
    assert result.returncode == 0, result.stdout
    assert "models/adder::contract PASSED" in result.stdout and "1 passed" in result.stdout
    # nobody wrote the request that was answered
    assert "the contract test sent zeros and empty strings" in result.stdout
    assert "tests/cases/NAME/input.json" in result.stdout
    assert "`slipway test adder --update-golden` records the answer" in result.stdout


def refusing(folder: Path) -> Path:
    """Pack an identity model that refuses empty texts."""
    model = fixture_models.copy("identity", folder)
    code = model / "identity_step" / "1" / "model.py"
    text = code.read_text(encoding="utf-8")
    refused = 'if b"refuse me" in text:'
    assert refused in text
    code.write_text(text.replace(refused, 'if b"" in text.ravel():'), encoding="utf-8")
    return fixture_models.pack(model, folder / "refusing.tar.gz")


def test_an_artifact_whose_every_request_fails_does_not_pass(
    repository: Path, tmp_path: Path
) -> None:
    artifact = refusing(tmp_path / "refusing")
    words = (f"--slipway-artifact={artifact}", "models/identity", "-k", "contract")
    result = run(repository, *words)
    assert result.returncode == 1
    assert "models/identity: no request was answered. There is no golden case" in result.stdout
    assert "refuses zeros and empty strings: " in result.stdout and "refused as asked" in (
        result.stdout
    )
    assert "fix: Write a request that the model answers to models/identity/tests/cases/NAME/" in (
        result.stdout
    )
    # a case that expects an error is no answer either
    case = add_case(repository, "an_error", "")
    (case / "expected.json").write_text('{"error": "refused as asked"}', encoding="utf-8")
    result = run(repository, *words[:2], "-k", "golden or contract")
    assert "golden[an_error] PASSED" in result.stdout and "contract FAILED" in result.stdout
    # the fix: a request, and its recorded answer
    add_case(repository, "greeting", "hello")
    result = run(repository, *words[:2], "-k", "golden or contract", "--update-golden")
    assert result.returncode == 0, result.stdout


def test_a_request_of_the_models_own_tests_is_the_contracts(
    repository: Path, tmp_path: Path
) -> None:
    artifact = refusing(tmp_path / "refusing")
    result = run(repository, f"--slipway-artifact={artifact}", "models/identity", "-k", "promoted")
    assert result.returncode == 0, result.stdout
    words = ("models/identity", "-k", "promoted or contract")
    result = run(repository, f"--slipway-artifact={artifact}", *words)
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout and "zeros and empty strings" not in result.stdout


def test_a_case_that_differs_shows_the_difference(repository: Path) -> None:
    case = add_case(repository, "greeting", "hello")
    outputs = {
        "TEXT_BACK": {"shape": [1, 1], "datatype": "BYTES", "data": ["bye"]},
        "NUMBERS_BACK": {"shape": [1, 2], "datatype": "FP32", "data": [0.1, 2]},
    }
    (case / "expected.json").write_text(json.dumps({"outputs": outputs}), encoding="utf-8")
    result = run(repository, "models/identity", "-k", "golden")
    assert result.returncode == 1
    assert "TEXT_BACK[0, 0]: expected b'bye', got b'hello'" in result.stdout
    assert "models/identity/tests/cases/greeting/expected.json: the answer differs" in result.stdout


def test_a_repository_below_a_folder_named_models_is_not_a_model(repository: Path) -> None:
    moved = repository.parent / "models" / "mine"
    moved.parent.mkdir()
    repository.rename(moved)
    (moved / "tests").mkdir()
    (moved / "tests" / "test_library.py").write_text("def test_x(): pass\n", encoding="utf-8")
    assert "1 passed" in run(moved, "tests").stdout


def test_a_node_id_selects_that_test_alone(repository: Path) -> None:
    result = run(repository, "models/identity/tests/test_identity.py::test_errors_are_raised")
    assert "1 passed" in result.stdout


def test_a_failed_build_fails_every_test_with_its_message(repository: Path) -> None:
    provided = repository / ".slipway" / "artifacts"
    (provided / "identity.error.txt").write_text("the remote is gone\nfix: look", encoding="utf-8")
    result = run(repository, "models/identity")
    assert result.returncode == 1
    assert "1 failed, 3 errors" in result.stdout
    assert result.stdout.count("the remote is gone") >= 4
    assert "Traceback" not in result.stdout


def test_a_model_that_writes_into_its_directory_breaks_the_contract(
    repository: Path, tmp_path: Path
) -> None:
    model = fixture_models.copy("identity", tmp_path / "writing")
    code = model / "identity_step" / "1" / "model.py"
    code.write_text(
        code.read_text(encoding="utf-8").replace(
            "    def execute",
            "    def initialize(self, args: dict[str, str]) -> None:\n"
            "        open(args['model_repository'] + '/1/written', 'w').close()\n\n"
            "    def execute",
        ),
        encoding="utf-8",
    )
    artifact = fixture_models.pack(model, tmp_path / "writing.tar.gz")
    result = run(repository, f"--slipway-artifact={artifact}", "models/identity", "-k", "contract")
    assert result.returncode == 1
    assert "loading a second copy restarted identity_step of the first" in result.stdout


def test_a_model_whose_process_dies_fails_the_contract_at_once(
    repository: Path, tmp_path: Path
) -> None:
    shutil.copytree(
        fixture_models.MODELS / "dies_on_request", repository / "models" / "dies_on_request"
    )
    model = fixture_models.copy("dies_on_request", tmp_path / "dying")
    artifact = fixture_models.pack(model, tmp_path / "dying.tar.gz")
    result = run(repository, f"--slipway-artifact={artifact}", "models/dies_on_request")
    assert result.returncode == 1
    assert "is not healthy" in result.stdout


def broken(repository: Path, folder: Path) -> Path:
    """An artifact whose model uses a name that it never defined, in a module of its own."""
    model = fixture_models.copy("identity", folder)
    code = model / "identity_step" / "1" / "model.py"
    text = code.read_text(encoding="utf-8")
    before, after = '        if b"refuse me"', "        numbers = helpers.scaled(numbers)\n"
    imports = (
        "import os\nimport sys\n\nsys.path.insert(0, os.path.dirname(__file__))\nimport helpers\n"
    )
    text = text.replace(before, after + before).replace(
        "\nimport triton", f"\n{imports}import triton"
    )
    code.write_text(text, encoding="utf-8")
    helpers = "def scaled(numbers):\n    return np.sqrt(numbers)\n"
    code.with_name("helpers.py").write_text(helpers, encoding="utf-8")
    for name in ("model.py", "helpers.py"):
        shutil.copyfile(code.with_name(name), repository / "models/identity/identity_step/1" / name)
    return fixture_models.pack(model, folder / "broken.tar.gz")


def test_an_exception_of_the_models_code_shows_its_lines_and_none_of_ours(
    repository: Path, tmp_path: Path
) -> None:
    add_case(repository, "one", "hello")
    artifact = broken(repository, tmp_path / "broken")
    result = run(repository, f"--slipway-artifact={artifact}", "models/identity")
    assert result.returncode == 1
    step = "models/identity/identity_step/1"
    number = (
        (repository / step / "model.py")
        .read_text()
        .splitlines()
        .index("        numbers = helpers.scaled(numbers)")
    )
    shown = [
        "NameError: name 'np' is not defined",
        f"  {step}/helpers.py:2: in scaled",
        "      return np.sqrt(numbers)",
        f"  {step}/model.py:{number + 1}: in _answer",
        "      numbers = helpers.scaled(numbers)",
    ]
    # in the Python test, with its own line, and in the golden case
    lines = [line.removeprefix("E").strip() for line in result.stdout.splitlines()]
    starts = [at for at, line in enumerate(lines) if line.endswith(shown[0])]
    assert len(starts) >= 2
    for at in starts[:2]:
        assert lines[at + 1 : at + 5] == [line.strip() for line in shown[1:]]
    assert '>       answer = model({"TEXT": "hello", "NUMBERS": [[1, 2]]})' in result.stdout
    assert f"{step}/helpers.py:2: the model fails on the case one: " in result.stdout
    for ours in ("served_artifact.py", "triton.py", "client.py", "/tmp/", "--update-golden"):
        assert ours not in result.stdout.partition("= FAILURES =")[2].partition("warnings")[0]


def test_an_exception_of_the_models_code_does_not_become_the_expected_answer(
    repository: Path, tmp_path: Path
) -> None:
    case = add_case(repository, "one", "hello")
    artifact = broken(repository, tmp_path / "broken")
    words = (f"--slipway-artifact={artifact}", "models/identity", "-k", "golden")
    result = run(repository, *words, "--update-golden")
    assert result.returncode == 1
    assert "the model fails on the case one: " in result.stdout
    assert not (case / "expected.json").exists()
