"""What a reader is told when a model does not load."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.client import InferenceError
from slipway.server.server import Server
from slipway.settings import Settings
from tests import fixture_models


def failure(server: Server, folder: Path) -> SlipwayError:
    """The error of loading ``folder``."""
    with pytest.raises(SlipwayError) as caught:
        server.load(f"{folder.name}.tar.gz", folder)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("name", "where", "first_line", "fix"),
    [
        (
            "raises_in_initialize",
            "raises_in_initialize/1/model.py:10",
            "FileNotFoundError: [Errno 2] No such file or directory:"
            " 'raises_in_initialize/labels.txt'",
            "fix the model",
        ),
        (
            "import_error",
            "import_error/1/model.py:5",
            "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
            "requirements.txt",
        ),
        (
            "syntax_error",
            "syntax_error/1/model.py:3",
            "SyntaxError: expected ':' (model.py, line 3)",
            "fix the model",
        ),
        ("dies_on_load", "dies_on_load/config.pbtxt", "about to die", "native library"),
    ],
)
def test_the_models_own_lines_come_first(
    server: Server, tmp_path: Path, name: str, where: str, first_line: str, fix: str
) -> None:
    error = failure(server, fixture_models.copy(name, tmp_path))
    assert error.where == where
    assert error.what.splitlines()[1].strip() == first_line
    assert error.fix is not None and fix in error.fix


def test_of_an_ensemble_the_step_that_failed_is_named(server: Server, tmp_path: Path) -> None:
    folder = fixture_models.copy("identity", tmp_path)
    broken = fixture_models.MODELS / "import_error" / "import_error" / "1" / "model.py"
    shutil.copy(broken, folder / "identity_step" / "1" / "model.py")
    assert failure(server, folder).where == "identity_step/1/model.py:5"


def test_a_missing_step_is_named(server: Server, tmp_path: Path) -> None:
    folder = fixture_models.copy("identity", tmp_path)
    shutil.rmtree(folder / "identity_step")
    error = failure(server, folder)
    assert "'identity_step' failed" in error.what
    assert error.fix is not None and "model_name" in error.fix


def test_a_missing_version_directory_is_explained(server: Server, tmp_path: Path) -> None:
    folder = fixture_models.copy("adder", tmp_path)
    shutil.rmtree(folder / "adder" / "1")
    error = failure(server, folder)
    assert "at least one version must be available" in error.what
    assert error.fix is not None and "version directory" in error.fix


def test_the_whole_log_outlives_the_server_where_the_error_says(
    server: Server, settings: Settings, tmp_path: Path
) -> None:
    error = failure(server, fixture_models.copy("import_error", tmp_path))
    kept = Path(error.what.rpartition("the server's log: ")[2])
    assert kept.is_relative_to(settings.root)
    # bytes: the server's messages may hold what it has freed already
    assert b"Loading SageMaker TargetModel: import_error.tar.gz" in kept.read_bytes()


def test_after_a_failed_load_the_mended_model_loads_under_the_same_target(
    server: Server, tmp_path: Path
) -> None:
    folder = fixture_models.copy("import_error", tmp_path)
    failure(server, folder)
    mended = fixture_models.copy("identity", tmp_path / "mended")
    server.load("import_error.tar.gz", mended)
    server.unload("import_error.tar.gz")


def test_a_process_that_dies_on_a_request_is_an_inference_error(
    settings: Settings, tmp_path: Path
) -> None:
    # a server of its own: 2.51 does not end the unload of a model whose process has died
    with triton.start(settings) as server:
        server.load("dies", fixture_models.copy("dies_on_request", tmp_path))
        with pytest.raises(InferenceError, match="is not healthy"):
            server.invoke("dies", {"X": np.ones(1, np.float32)})
