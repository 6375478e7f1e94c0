"""Locks and environment paths: valid ones have no finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.environment.lock import find_unhashed, named_packages
from tests.check import fixture_repositories as repositories

PREPROCESSING, POSTPROCESSING = "sound_preprocessing", "sound_postprocessing"
OWN = "$$TRITON_MODEL_DIRECTORY/python_env"
SHARED = "$$TRITON_MODEL_DIRECTORY/../sound_preprocessing/python_env"


def set_environment_path(root: Path, model: str, value: str) -> None:
    """Write an ``EXECUTION_ENV_PATH`` into a model's config."""
    config = root / "models" / "sound" / model / "config.pbtxt"
    parameter = f'parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{value}" }} }}\n'
    config.write_text(config.read_text(encoding="utf-8") + parameter, encoding="utf-8")


def rules(root: Path) -> list[str]:
    """Return the rules that find something."""
    return [finding.rule for finding in repositories.find_all(root)]


def test_a_hand_written_path_may_equal_the_one_of_packing(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    set_environment_path(tmp_path, PREPROCESSING, OWN)
    set_environment_path(tmp_path, POSTPROCESSING, SHARED)
    assert rules(tmp_path) == []


def test_an_archive_cannot_be_named_by_hand(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    set_environment_path(tmp_path, PREPROCESSING, OWN)
    settings = tmp_path / "slipway.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace('layout = "directory"', 'layout = "archive"'), encoding="utf-8"
    )
    assert rules(tmp_path) == ["SW608"]


def test_models_without_python_need_no_environment(tmp_path: Path) -> None:
    folder = repositories.make("good", tmp_path)
    for name in (PREPROCESSING, POSTPROCESSING, "sound_pipeline"):
        shutil.rmtree(folder / name)
    for name in ("requirements.txt", "requirements.lock"):
        (folder / name).unlink()
    assert rules(tmp_path) == []


def test_a_required_package_is_not_also_reported_as_missing(tmp_path: Path) -> None:
    folder = repositories.make("good", tmp_path)
    source = folder / PREPROCESSING / "1" / "model.py"
    source.write_text("import PIL\n" + source.read_text(encoding="utf-8"), encoding="utf-8")
    assert rules(tmp_path) == ["SW521"]
    with (folder / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("Pillow>=11  # for words in pictures\n")
    assert rules(tmp_path) == ["SW603"]


@pytest.mark.parametrize(
    ("text", "unhashed"),
    [
        ("numpy==1.26.4 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via words\n", []),
        ("# a comment\nnumpy==1.26.4\n", [(2, "numpy==1.26.4")]),
        ("a==1 \\\n    --hash=sha256:aa\nb>=2 \\\n    --hash=sha256:bb\n", [(3, "b>=2")]),
        ("words @ https://example.com/words.whl \\\n    --hash=sha256:aa\n", []),
        ("numpy[all]==1.26.4 ; python_version < '4' \\\n    --hash=sha256:aa\n", []),
    ],
)
def test_each_package_of_a_lock_needs_a_version_and_a_hash(
    tmp_path: Path, text: str, unhashed: list[tuple[int, str]]
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(text, encoding="utf-8")
    assert list(find_unhashed(lock)) == unhashed


def test_the_packages_of_requirements_have_normalised_names(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# words\nPillow >= 11\nruamel.yaml==0.18\n--pre\n\nnumpy[a]\n")
    assert named_packages(requirements) == {"pillow", "ruamel-yaml", "numpy"}
