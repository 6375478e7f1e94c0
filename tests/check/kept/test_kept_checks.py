"""A check that says again what it said: only what changed is checked, and nothing else is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

import slipway
from slipway.check.kept import file as kept_file
from tests.check import fixture_repositories as repositories
from tests.check.kept.checkout import make_checkout, recorded, say, wait
from tests.check.mutation import kinds
from tests.thorough import THOROUGH

MODEL = Path("models/sound")
ALL = ["sound", "sound_1", "sound_2"]
MISTAKES = 12
SOME = 8  # of the fixtures each eighth, if not thoroughly


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the user's cache, in which trials of graphs are remembered as well."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def checkout(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with three models that was checked, as the current directory."""
    monkeypatch.setenv("SLIPWAY_CACHE", str(cache))
    monkeypatch.chdir(make_checkout(tmp_path, len(ALL)))
    wait()
    assert say(fresh=False)[1] == ALL
    return tmp_path


def checked_again() -> list[str]:
    """Return the models that are checked now, after proving that both ways say the same, twice."""
    wait()
    expected, _ = say(fresh=True)
    said, examined = say(fresh=False)
    assert said == expected
    assert say(fresh=False)[0] == expected
    return sorted(set(examined))


def test_where_nothing_changed_nothing_is_checked(checkout: Path) -> None:
    assert checked_again() == []


def test_one_edit_is_one_check(checkout: Path) -> None:
    config = MODEL / "sound_pipeline" / "config.pbtxt"
    config.write_text(config.read_text().replace("max_batch_size", "max_batch_sizes"))
    assert checked_again() == ["sound"]
    assert checked_again() == []


def test_new_bytes_under_the_old_size_and_time_are_noticed(checkout: Path) -> None:
    config = MODEL / "sound_pipeline" / "config.pbtxt"
    before = config.stat()
    config.write_bytes(config.read_bytes().replace(b"max_batch_size", b"max_batch_sise"))
    os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (config.stat().st_size, config.stat().st_mtime_ns) == (
        before.st_size,
        before.st_mtime_ns,
    )
    assert checked_again() == ["sound"]


def test_a_file_that_was_touched_is_compared_by_its_content(checkout: Path) -> None:
    for file in MODEL.rglob("*"):
        file.touch()
    assert checked_again() == []


def test_bytecode_is_no_change(checkout: Path) -> None:
    folder = next(MODEL.rglob("model.py")).parent / "__pycache__"
    folder.mkdir()
    (folder / "model.cpython-312.pyc").write_bytes(b"compiled")
    assert checked_again() == []


def remove_lines_of_settings() -> None:
    settings = Path("slipway.toml")
    settings.write_text(settings.read_text() + "\n[check]\nexplicit_tensors = false\n")


def ignore_code() -> None:
    Path(".gitignore").write_text("model.py\n")


def change_shared_code() -> None:
    Path("libs/words/src/words/__init__.py").write_text("import missing\n")


def set_a_variable() -> None:
    os.environ["SLIPWAY_STAGING_STORE"] = "s3://elsewhere/x"


@pytest.mark.parametrize(
    "change", [remove_lines_of_settings, ignore_code, change_shared_code, set_a_variable]
)
def test_what_all_models_share_is_a_change_of_all(
    checkout: Path, change: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIPWAY_STAGING_STORE", raising=False)
    monkeypatch.setattr(os, "environ", os.environ)
    try:
        change()
        assert checked_again() == ALL
    finally:
        os.environ.pop("SLIPWAY_STAGING_STORE", None)


def test_a_model_elsewhere_with_the_same_name_is_noticed(checkout: Path) -> None:
    """A name that two folders have matters to a folder that calls it, changed or not."""
    code = next(Path("models/sound_1").rglob("model.py"))
    code.write_text(
        code.read_text()
        + "\n\ndef call(inputs):\n    import triton_python_backend_utils as pb_utils\n\n"
        "    return pb_utils.InferenceRequest(\n        model_name='sound_1_inferencer',"
        " requested_output_names=['y'], inputs=inputs).exec()\n"
    )
    assert checked_again() == ["sound_1"]
    shutil.copytree("models/sound_1/sound_1_inferencer", MODEL / "sound_1_inferencer")
    for config in MODEL.glob("sound_1_inferencer/config.pbtxt"):
        assert "sound_1" in checked_again(), config
    said, _ = say(fresh=False)
    assert "SW112" in {finding["rule"] for finding in said["sound_1"][0]}
    shutil.rmtree(MODEL / "sound_1_inferencer")
    assert "sound_1" in checked_again()


@pytest.mark.parametrize("damage", [b"", b"{}", b"0" * 64 + b"\n{}"])
def test_a_damaged_file_is_no_file(checkout: Path, damage: bytes) -> None:
    kept_file.kept_file(checkout).write_bytes(damage)
    assert checked_again() == ALL


def test_a_changed_byte_of_the_file_is_noticed(checkout: Path) -> None:
    file = kept_file.kept_file(checkout)
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"backends"', b'"bookends"', 1))
    assert checked_again() == ALL


def test_outside_of_git_nothing_is_kept(checkout: Path) -> None:
    shutil.rmtree(".git")
    assert say(fresh=False)[1] == []
    assert checked_again() == []


def test_a_model_that_is_a_link_is_checked_each_time(checkout: Path) -> None:
    Path("models/sound_2").rename("elsewhere")
    Path("models/sound_2").symlink_to("../elsewhere")
    config = Path("elsewhere/sound_2_pipeline/config.pbtxt")
    checked_again()
    config.write_text("")
    checked_again()


@pytest.mark.parametrize("pointer", ["models.dvc", "models/sound.dvc"])
def test_of_a_folder_under_dvc_nothing_is_kept(checkout: Path, pointer: str) -> None:
    Path(pointer).write_text("outs: []\n")
    assert say(fresh=False)[1] == []


def test_a_clone_at_the_same_place_keeps_what_was_checked(checkout: Path) -> None:
    """As in a pipeline, whose jobs clone anew and share a cache."""
    subprocess.run(["git", "add", "--all"], check=True)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost"]
    subprocess.run([*git, "commit", "--quiet", "--message=all"], check=True)
    shutil.rmtree("models")
    wait()
    subprocess.run(["git", "checkout", "--quiet", "--", "models"], check=True)
    assert checked_again() == []


def test_the_checks_of_few_checkouts_are_kept(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    for number in range(kept_file.CHECKOUTS + 2):
        monkeypatch.chdir(tmp_path)
        kept_file.write_kept(kept_file.kept_file(tmp_path / str(number)), {"models": {}})
    assert len(list((tmp_path / "cache" / "checks").glob("*.json"))) == kept_file.CHECKOUTS


def test_every_mistake_of_the_fixtures_is_said_as_without_keeping(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The good repository becomes that of each fixture, one after the other, in one place."""
    monkeypatch.setenv("SLIPWAY_CACHE", str(cache))
    root = tmp_path / "checkout"
    make_checkout(root)
    monkeypatch.chdir(root)
    found: set[str] = set()
    asked: set[str] = set()
    names = repositories.names() if THOROUGH else repositories.names()[::SOME]
    for name in names:
        for path in root.iterdir():
            if path.name not in (".git", "libs"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        repositories.make(name, root)
        if not (root / "slipway.toml").exists() or not (root / "models").is_dir():
            continue  # a foreign repository, of which nothing is kept
        wait()
        with recorded() as paths:
            expected, _ = say(fresh=True)
        asked |= paths
        for _ in range(2):
            assert say(fresh=False)[0] == expected, name
        found |= {finding["rule"] for said in expected.values() for finding in said[0]}
    assert len(found) > len(names) / 2
    unseen = {path for path in asked if not is_looked_at(Path(path), root, cache)}
    assert not unseen, "\n".join(sorted(unseen))


def is_looked_at(path: Path, root: Path, cache: Path) -> bool:
    """Return whether a change of ``path`` makes kept checks void."""
    trees = (root / MODEL, root / "libs", cache / "environments", Path(slipway.__file__).parent)
    # Python's own and installed files are known by their versions
    installed = (
        *map(Path, sys.path),
        Path("/etc/os-release"),  # ONNX Runtime reads it
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(np.__file__).parents[1],
    )
    # a trial is named by its graph's content and the runtime's version
    others = (root, root / "models", root / ".dvc", root / ".git", cache / "trials")
    return (
        any(path.is_relative_to(tree) for tree in (*trees, *installed))
        or path in (*others, *root.parents)
        or path.is_relative_to(cache / "trials")
        or path.name == "slipway.toml"
        or path in (root / "models.dvc", root / "models" / "sound.dvc")
    )


def test_random_mistakes_are_said_as_without_keeping(checkout: Path) -> None:
    before = ""
    for number in range(MISTAKES):
        random = Random(number)
        folder = Path("models") / random.choice(ALL)
        aside = Path("aside")
        shutil.copytree(folder, aside, symlinks=True)
        what = kinds.make(folder, random, random.choice([kinds.KINDS, kinds.PYTHON_KINDS]))
        assert set(checked_again()) <= {before, folder.name}, what  # and that which is sound again
        before = folder.name
        shutil.rmtree(folder)
        aside.rename(folder)
