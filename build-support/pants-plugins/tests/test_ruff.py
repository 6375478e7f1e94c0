"""`lint` runs `ruff check`, with a stand-in of ruff that prints what it was called with."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import repository as repositories
from pants.backend.python.lint.ruff.subsystem import RuffFieldSet
from pants.core.goals.lint import Lint, LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.addresses import Address
from repository import Repository, model

from slipway_pants.ruff import RuffCheckRequest

WHEEL = "ruff-1.0.0-py3-none-any.whl"
PROGRAM = """
import pathlib, sys

def main():
    print("arguments", *sys.argv[1:])
    files = [argument for argument in sys.argv if argument.endswith(".py")]
    unused = [file for file in files if "import unused" in pathlib.Path(file).read_text()]
    print("config", pathlib.Path("pyproject.toml").read_text())
    sys.exit("F401 in " + " ".join(unused) if unused else 0)
"""


def wheel() -> bytes:
    """Return a wheel of the stand-in, with the console script `ruff`."""
    info = "ruff-1.0.0.dist-info"
    files = {
        "ruff.py": PROGRAM,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: ruff\nVersion: 1.0.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nruff = ruff:main\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return data.getvalue()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    files = {
        "pyproject.toml": "[tool.ruff]\nline-length = 77\n",
        "ruff.txt": "ruff==1.0.0\n",
        "code/BUILD": "python_sources()\npython_tests(name='tests')\n",
        "code/clean.py": "",
        "code/test_clean.py": "",
        "code/unused.py": "import unused\n",
    }
    repository = repositories.of(tmp_path_factory.mktemp("home"), model("x"), files)
    repository.engine.write_files({f"wheels/{WHEEL}": wheel()})
    options = (
        *repository.options,
        "--lint-only=ruff",
        "--python-resolves={'test': 'locked.txt', 'ruff': 'ruff.txt'}",
        "--ruff-install-from-resolve=ruff",
        "--ruff-interpreter-constraints=['CPython==3.9.*']",
        "--ruff-config=pyproject.toml",
        f"--python-repos-find-links=['{Path(repository.engine.build_root, 'wheels').as_uri()}']",
        "--python-repos-indexes=[]",
        "--python-pip-version=20.3.4-patched",  # part of the pex program: others are downloaded
    )
    repository.engine.set_options(options, env=repository.environment)
    return replace(repository, options=options)


def run_ruff(repository: Repository, *addresses: Address) -> LintResult:
    """Run ruff on the files at `addresses`, which are one partition."""
    targets = map(repository.engine.get_target, addresses)
    partition_request = RuffCheckRequest.PartitionRequest(tuple(map(RuffFieldSet.create, targets)))
    (partition,) = repository.engine.request(Partitions, [partition_request])
    batch = RuffCheckRequest.Batch("", partition.elements, partition.metadata)
    return repository.engine.request(LintResult, [batch])


def test_sources_tests_and_models_are_checked_by_one_process(repository: Repository) -> None:
    result = run_ruff(
        repository,
        Address("code", relative_file_path="clean.py"),
        Address("code", target_name="tests", relative_file_path="test_clean.py"),
        Address("models/x", target_name="code", relative_file_path="x_preprocessing/1/model.py"),
        Address("models/x", relative_file_path="tests/test_it.py"),
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == (
        "arguments check --no-cache --force-exclude --config=pyproject.toml"
        " code/clean.py code/test_clean.py models/x/tests/test_it.py"
        " models/x/x_preprocessing/1/model.py"
    )


def test_the_configuration_of_the_repository_is_used(repository: Repository) -> None:
    result = run_ruff(repository, Address("code", relative_file_path="clean.py"))
    assert "line-length = 77" in result.stdout


def test_a_violation_is_shown(repository: Repository) -> None:
    result = run_ruff(repository, Address("code", relative_file_path="unused.py"))
    assert (result.exit_code, result.stderr) == (1, "F401 in code/unused.py\n")


def test_a_violation_fails_the_goal(repository: Repository) -> None:
    result = repository.goal(Lint, "::")
    assert result.exit_code == 1
    assert "ruff failed" in result.stderr
    assert repository.goal(Lint, "models::").exit_code == 0


def test_ruff_can_be_skipped(repository: Repository) -> None:
    result = repository.goal(Lint, "::", options=("--ruff-skip",))
    assert (result.exit_code, result.stderr) == (0, "")
