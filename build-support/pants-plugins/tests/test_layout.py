"""The names and places that the plugin and the library agree upon."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pants.engine.fs import FileContent

from slipway_pants import layout


def test_weights_belong_beside_their_pointers() -> None:
    assert layout.weights(["m/a/1/model.onnx.dvc"]) == {"m/a/1/model.onnx.dvc": "m/a/1/model.onnx"}


def test_only_model_directories_and_the_version_are_packed() -> None:
    files = ["m/x/a/config.pbtxt", "m/x/a/1/model.py", "m/x/notes/b.txt", "m/x/model_version.txt"]
    assert layout.packed("m/x", files, []) == ["m/x/model_version.txt", "m/x/a/**"]


def test_the_record_of_a_conversion_is_packed_and_the_original_is_not() -> None:
    names = ("conversion.json", "conversion.toml", "rows.csv", "requirements.lock", "x.ubj")
    files = ["m/x/a/config.pbtxt", *(f"m/x/original/{name}" for name in names)]
    assert layout.packed("m/x", files, [])[2:] == [
        "m/x/original/conversion.json",
        "m/x/original/conversion.toml",
    ]


def test_weights_in_the_checkout_are_not_packed_beside_those_of_the_pointer() -> None:
    globs = layout.packed("m/x", ["m/x/a/config.pbtxt"], ["m/x/a/1/w.dvc"])
    assert globs[-2:] == ["!m/x/a/1/w", "!m/x/a/1/w/**"]


def test_an_artifact_is_named_after_its_model_and_version() -> None:
    version = [FileContent("models/x/model_version.txt", b"1.2.0\n")]
    assert layout.artifact("models/x", version) == "x_1.2.0.tar.gz"


def test_a_missing_version_still_gives_a_file_name() -> None:
    assert layout.artifact("models/x", []) == "x_0.tar.gz"


def test_requirements_without_a_lock_are_told_with_a_fix() -> None:
    assert layout.missing_lock("models/x", ["models/x/requirements.txt"]) == (
        "error: models/x/requirements.lock: no such file\nfix: slipway lock models/x"
    )


def test_a_model_without_requirements_needs_no_lock() -> None:
    assert layout.missing_lock("models/x", []) is None


def test_addresses_are_told_from_options_and_other_specs() -> None:
    arguments = ["--tag=a:b", "package", "::", "models/x:weights", "//models/y:environment"]
    assert "models/x:weights" in layout.addresses(arguments)
    assert "models/y:environment" in layout.addresses(arguments)
    assert "--tag=a:b" not in layout.addresses(arguments)


def test_a_model_is_told_by_its_version_its_configs_and_its_tests() -> None:
    files = ["models/v/model_version.txt", "models/c/c/config.pbtxt", "models/t/tests/test_t.py"]
    assert layout.models_of(files) == {"models/v", "models/c", "models/t"}


def test_what_lies_elsewhere_tells_of_no_model() -> None:
    fixture = "tests/fixtures/models/x/x/config.pbtxt"
    assert layout.models_of([fixture, "models/x/x/1/test_x.py", "models/config.pbtxt"]) == set()


def test_an_artifact_is_known_by_the_checksum_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x_1.tar.gz").write_bytes(b"12345")
    (tmp_path / "x_1.tar.gz.sha256").write_text("abc  x_1.tar.gz\n")
    assert layout.packed_artifacts(tmp_path) == {"x_1.tar.gz": "abc 5"}


def test_an_artifact_that_was_changed_after_its_checksum_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "x_1.tar.gz").write_bytes(b"12345")
    (tmp_path / "x_1.tar.gz.sha256").write_text("abc  x_1.tar.gz\n")
    os.utime(tmp_path / "x_1.tar.gz.sha256", (1, 1))
    assert layout.packed_artifacts(tmp_path) == {}


@pytest.mark.parametrize("text", ["abc  x_1.tar.gz\n", ""])
def test_a_checksum_alone_or_an_empty_one_makes_no_artifact_known(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "x_1.tar.gz.sha256").write_text(text)
    if not text:
        (tmp_path / "x_1.tar.gz").write_bytes(b"12345")
    (tmp_path / "y.sha256").mkdir()
    assert layout.packed_artifacts(tmp_path) == {}


def test_nothing_is_known_before_anything_was_packed(tmp_path: Path) -> None:
    assert layout.packed_artifacts(tmp_path / "dist") == {}
