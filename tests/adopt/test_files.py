"""Which files are copied, tracked by DVC, left out, or missing."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from slipway.adopt.files import SourceFile, model_files
from slipway.check.foreign.discover import find_source_models
from tests.adopt.conftest import ADD, PYTHON, python_model, write

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def read(source: Path) -> dict[str, SourceFile]:
    """What becomes of the files of the only model below ``source``, by their paths in it."""
    (model,) = find_source_models(source, {})
    files = model_files(model, source)
    return {file.path.relative_to(model.directory).as_posix(): file for file in files}


def uses(source: Path) -> dict[str, str]:
    """The use of each file."""
    return {name: file.use for name, file in read(source).items()}


def packed_environment(*names: str) -> bytes:
    """A tar.gz of empty files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


def test_code_is_copied_and_weights_are_tracked(source: Path) -> None:
    directory = python_model(source, "score")
    write(directory, {"1/model.safetensors": b"x", "1/labels.txt": "a\n", "vocabulary.txt": "b\n"})
    write(directory, {"1/big.table": b"x" * (6 << 20), "1/image.raw": b"\0" * (1 << 19)})
    assert uses(source) == {
        "config.pbtxt": "config",
        "1/model.py": "copied",
        "1/labels.txt": "copied",
        "vocabulary.txt": "copied",
        "1/model.safetensors": "tracked",
        "1/big.table": "tracked",
        "1/image.raw": "tracked",
    }


def test_what_no_model_reads_is_left_out(source: Path) -> None:
    directory = python_model(source, "score")
    write(directory, {"README.md": "", "Dockerfile": "", "1/try.ipynb": "{}", "1/a.pyc": ""})
    write(
        directory, {"1/triton_python_backend_utils.py": "", "triton_python_backend_stub": b"\x7f"}
    )
    write(directory, {"configs/other.pbtxt": "", "config_gpu.pbtxt": ""})
    write(directory, {".git/HEAD": "", "1/__pycache__/m.pyc": "", "1/.ipynb_checkpoints/m.py": ""})
    left = {name for name, use in uses(source).items() if use == "left out"}
    assert left == {
        "README.md",
        "Dockerfile",
        "1/try.ipynb",
        "1/a.pyc",
        "1/triton_python_backend_utils.py",
        "triton_python_backend_stub",
        "configs",
        "config_gpu.pbtxt",
    }
    assert not [name for name in uses(source) if ".git" in name or "__pycache__" in name]


@pytest.mark.parametrize("mark", ["bin/activate", "./conda-meta/history", "env/bin/python3"])
def test_an_environment_is_left_out_whatever_its_name(mark: str, source: Path) -> None:
    directory = python_model(source, "score")
    write(directory, {"1/x.tar.gz": packed_environment("a", mark)})
    write(directory, {"1/data.tar.gz": packed_environment("a", "b")})
    write(directory, {"venv39/pyvenv.cfg": "", "venv39/bin/activate": ""})
    found = uses(source)
    assert found["1/x.tar.gz"] == found["venv39"] == "left out"
    assert found["1/data.tar.gz"] == "copied"


def test_the_environment_that_the_config_names_is_left_out(source: Path) -> None:
    config = PYTHON + (
        'parameters { key: "EXECUTION_ENV_PATH"'
        ' value { string_value: "$$TRITON_MODEL_DIRECTORY/e.tar.gz" } }\n'
    )
    write(python_model(source, "score", ADD, config), {"e.tar.gz": b"not an archive"})
    assert uses(source)["e.tar.gz"] == "left out"


def test_versions_that_the_server_does_not_load_are_left_out(source: Path) -> None:
    directory = python_model(source, "score")
    write(directory, {"2/model.py": ADD, "10/model.py": ADD})
    found = read(source)
    assert found["10/model.py"].use == "copied"
    assert found["1"].use == found["2"].use == "left out"
    assert "version 10" in found["1"].reason


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("model.py", "1/model.py"),
        ("1/model.py", "1/model.py"),
        ("1/config.pbtxt", "config.pbtxt"),
        ("config.pbtxt.template", "config.pbtxt"),
        ("labels.txt", "labels.txt"),
    ],
)
def test_files_get_the_place_where_the_server_reads_them(
    place: str, target: str, source: Path
) -> None:
    write(source / "score", {"1/other.txt": "", place: PYTHON if "config" in place else ADD})
    if "config" not in place:
        write(source / "score", {"config.pbtxt": PYTHON})
    assert str(read(source)[place].target) == target


def test_a_file_that_the_config_names_is_moved_into_the_version_directory(source: Path) -> None:
    config = PYTHON + 'default_model_filename: "serve.py"\n'
    write(source / "score", {"config.pbtxt": config, "serve.py": ADD})
    assert str(read(source)["serve.py"].target) == "1/serve.py"


def test_links_out_of_the_source_are_missing_and_those_inside_are_followed(
    source: Path, tmp_path: Path
) -> None:
    directory = python_model(source, "score")
    secret = write(tmp_path, {"secret.key": "key"}) / "secret.key"
    write(source, {"shared/labels.txt": "a\n"})
    (directory / "1" / "secret.txt").symlink_to(secret)
    (directory / "1" / "gone.onnx").symlink_to("nowhere.onnx")
    (directory / "1" / "labels.txt").symlink_to("../../shared/labels.txt")
    (directory / "1" / "round").symlink_to("..")
    found = read(source)
    assert found["1/secret.txt"].use == found["1/gone.onnx"].use == "missing"
    assert "outside of what is adopted" in found["1/secret.txt"].reason
    assert found["1/labels.txt"].use == "copied"
    assert found["1/round"].use == "left out"


def test_what_is_no_regular_file_is_left_out(source: Path) -> None:
    directory = python_model(source, "score")
    os.mkfifo(directory / "1" / "pipe")
    assert uses(source)["1/pipe"] == "left out"


def test_a_pointer_of_lfs_is_missing_weights_and_an_empty_file_is_a_file(source: Path) -> None:
    directory = python_model(source, "score")
    write(directory, {"1/model.onnx": LFS, "1/__init__.py": ""})
    found = read(source)
    assert found["1/model.onnx"].use == "missing"
    assert found["1/model.onnx"].reason.startswith("a pointer of git LFS")
    assert found["1/__init__.py"].use == "copied"


def test_weights_of_other_backends_are_tracked_also_as_text_or_folders(source: Path) -> None:
    write(source / "a", {"config.pbtxt": 'backend: "fil"\n', "1/xgboost.json": "{}"})
    assert uses(source / "a")["1/xgboost.json"] == "tracked"
    write(source / "b", {"config.pbtxt": 'platform: "tensorflow_savedmodel"\n'})
    write(source / "b", {"1/model.savedmodel/saved_model.pb": b"", "1/labels.txt": "a"})
    assert uses(source / "b")["1/model.savedmodel"] == "tracked"


def test_of_an_ensemble_only_the_config_is_taken(source: Path) -> None:
    config = 'platform: "ensemble"\nensemble_scheduling { step { model_name: "a" } }\n'
    write(source / "all", {"config.pbtxt": config, "1/.gitkeep": "", "1/notes.txt": "x"})
    assert uses(source) == {"config.pbtxt": "config", "1/notes.txt": "left out"}
