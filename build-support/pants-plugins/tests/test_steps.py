"""What is in the cache key of a step, and what is of this machine alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
import repository as made
from pants.engine.fs import EMPTY_DIGEST, Digest, PathGlobs
from pants.engine.process import Process
from repository import Repository, model

from slipway_pants import steps
from slipway_pants.requests import Step

POINTER = "models/x/x_inferencer/1/model.onnx.dvc"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> list[Repository]:
    """The same repository in two folders, of users with different homes."""
    library = str(uuid4())
    return [
        made.of(tmp_path_factory.mktemp(home), model("x"), library=library)
        for home in ("anna", "ben")
    ]


def process(repository: Repository) -> Process:
    inputs = repository.engine.request(Digest, [PathGlobs([POINTER])])
    step = Step(("weights", "pull", POINTER), inputs, "Weights", output_directories=("pulled",))
    made = repository.engine.request(Process, [step])
    assert isinstance(made, Process)
    return made


def test_a_step_has_one_key_in_every_checkout_of_every_user(machines: list[Repository]) -> None:
    one, other = map(process, machines)
    assert (one.argv, one.env, one.input_digest) == (other.argv, other.env, other.input_digest)
    assert one.immutable_input_digests == other.immutable_input_digests
    assert EMPTY_DIGEST not in (one.input_digest, *one.immutable_input_digests.values())
    for repository in machines:
        for place in (repository.environment["HOME"], repository.engine.build_root):
            assert place not in repr((one.argv, one.env))


def test_a_step_finds_its_home_all_the_same_and_runs_once_for_both(
    machines: list[Repository],
) -> None:
    assert {"weights of a" in repository.built("x").text for repository in machines} == {True}
    built = [Path(repository.environment["HOME"], "built") for repository in machines]
    assert [file.exists() for file in built] == [True, False]


def test_what_is_this_machine_s_is_for_its_user_alone(tmp_path: Path) -> None:
    name = steps.write_environment(tmp_path, {"PIP_INDEX_URL": "https://u:p@h/it's"})
    file = tmp_path / name / "environment"
    assert file.read_text() == "export PIP_INDEX_URL='https://u:p@h/it'\"'\"'s'\n"
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0
    assert name.replace("_", "").isalpha() and name.islower()  # as Pants demands
    assert steps.write_environment(tmp_path, {"PIP_INDEX_URL": "other"}) != name


def start_on_a_worker(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "slipway.pex").write_text("import sys; print(sys.version_info[:2], sys.argv[1:])")
    return subprocess.run(
        ("/bin/sh", "-c", steps.SCRIPT, "sh", "pack"),
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "replaced", ["bin/python3.12", "lib/libpython3.12.so.1.0", "lib/python3.12/os.py"]
)
def test_an_interpreter_that_was_replaced_is_asked_for_its_version_again(
    tmp_path: Path, replaced: str
) -> None:
    for name in ("bin/python3.12", "lib/libpython3.12.so.1.0", "lib/python3.12/os.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was installed")
    (tmp_path / "lib" / "libpython3.so").symlink_to("removed.so")
    python = str(tmp_path / "bin" / "python3.12")
    before = steps.describe_installation(python)
    assert steps.describe_installation(python) == before
    newer = tmp_path / "newer"
    newer.write_text("as it was installed")
    newer.replace(tmp_path / replaced)
    assert steps.describe_installation(python) != before


def test_a_worker_runs_a_step_with_its_own_python_of_that_version(tmp_path: Path) -> None:
    path = os.path.dirname(os.path.realpath(sys.executable))
    done = start_on_a_worker(tmp_path, SLIPWAY_PYTHON="python3.9", PATH=path)
    assert done.stdout == "(3, 9) ['-m', 'slipway', 'pack']\n", done.stderr


def test_a_worker_without_that_version_says_so(tmp_path: Path) -> None:
    done = start_on_a_worker(tmp_path, SLIPWAY_PYTHON="python3.9", PATH="/nowhere")
    assert done.returncode == 1
    assert "error: this worker has no python3.9 on its PATH, /nowhere\nfix: " in done.stderr
