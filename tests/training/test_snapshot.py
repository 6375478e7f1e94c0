"""The code of a training: equal files make equal bytes, and nothing else travels."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.store.directory import DirectoryStore
from slipway.training.snapshot import Snapshot, make_snapshot, upload_snapshot

FILES = {
    "slipway.toml": "",
    "dvc.yaml": "stages: {}\n",
    ".dvc/config": "[core]\n    remote = s3\n['remote \"s3\"']\n    url = s3://data/dvc\n",
    "libs/shared/__init__.py": "X = 1\n",
    "build-support/slipway/__init__.py": "",
    "build-support/slipway/run.sh": "#!/bin/sh\n",
    "models/a/training/train.py": "print('a')\n",
    "models/a/training/requirements.lock": "numpy==1.26.4\n",
    "models/b/training/train.py": "print('b')\n",
    "docs/page.md": "# Page\n",
    ".gitignore": "*.ubj\n.env\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "build-support/slipway/run.sh").chmod(0o755)
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout


def commit(root: Path) -> None:
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--allow-empty", "--message=change")


def snapshot(root: Path, model: str = "a", *, allow_dirty: bool = False) -> Snapshot:
    into = root.parent / f"{model}.tar.gz"
    return make_snapshot(root, model, into, dependencies=[], allow_dirty=allow_dirty)


def contents(archive: Snapshot) -> dict[str, str]:
    found = {}
    with tarfile.open(archive.path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is not None:
                found[member.name] = file.read().decode(errors="replace")
    return found


def test_it_has_what_the_training_needs_and_no_more(repository: Path) -> None:
    found = contents(snapshot(repository))
    assert set(found) == set(FILES) - {"models/b/training/train.py", "docs/page.md", ".gitignore"}
    assert found["models/a/training/train.py"] == "print('a')\n"


def test_a_folder_that_a_stage_depends_on_travels(repository: Path) -> None:
    into = repository.parent / "x.tar.gz"
    found = contents(make_snapshot(repository, "a", into, dependencies=["models/b/training"]))
    assert "models/b/training/train.py" in found


def test_equal_files_have_equal_bytes_whatever_the_commit(repository: Path) -> None:
    first = snapshot(repository)
    (repository / "docs" / "page.md").write_text("# Other\n")
    commit(repository)
    second = snapshot(repository)
    assert first.commit != second.commit
    assert first.sha256 == second.sha256


def test_another_byte_is_another_archive(repository: Path) -> None:
    first = snapshot(repository)
    (repository / "models/a/training/train.py").write_text("print('c')\n")
    commit(repository)
    assert snapshot(repository).sha256 != first.sha256


def test_a_program_stays_a_program(repository: Path) -> None:
    with tarfile.open(snapshot(repository).path) as tar:
        assert tar.getmember("build-support/slipway/run.sh").mode == 0o755
        assert tar.getmember("models/a/training/train.py").mode == 0o644


def test_it_is_uploaded_once(repository: Path, tmp_path: Path) -> None:
    bucket = DirectoryStore(tmp_path / "bucket")
    archive = snapshot(repository)
    assert upload_snapshot(archive, bucket)
    assert not upload_snapshot(archive, bucket)
    assert bucket.keys("code/") == [f"code/{archive.sha256}.tar.gz"]


def test_a_change_that_is_in_no_commit_is_refused_and_the_fix_works(repository: Path) -> None:
    (repository / "models/a/training/train.py").write_text("print('c')\n")
    with pytest.raises(SlipwayError, match="models/a/training/train.py: not in a commit") as caught:
        snapshot(repository)
    assert caught.value.fix is not None and "git commit" in caught.value.fix
    commit(repository)
    assert not snapshot(repository).dirty


def test_so_is_a_new_file_that_the_training_may_read(repository: Path) -> None:
    (repository / "models/a/training/new.py").write_text("")
    with pytest.raises(SlipwayError, match="models/a/training/new.py"):
        snapshot(repository)


def test_a_change_of_another_model_does_not_matter(repository: Path) -> None:
    (repository / "models/b/training/train.py").write_text("print('c')\n")
    assert not snapshot(repository).dirty


def test_changes_travel_if_that_is_asked_for_and_unknown_files_never(repository: Path) -> None:
    (repository / "models/a/training/train.py").write_text("print('c')\n")
    (repository / "models/a/training/new.py").write_text("")
    (repository / "models/a/training/requirements.lock").unlink()
    archive = snapshot(repository, allow_dirty=True)
    found = contents(archive)
    assert archive.dirty
    assert found["models/a/training/train.py"] == "print('c')\n"
    assert "models/a/training/requirements.lock" not in found
    assert "models/a/training/new.py" not in found
    assert archive.untracked == ("models/a/training/new.py",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("models/a/training/key.pem", "-----BEGIN RSA PRIVATE KEY-----\n"),
        ("models/a/training/config.yaml", "key: AKIA" + "Q" * 16 + "\n"),
        ("models/a/.env", "TOKEN=x\n"),
        ("models/a/training/settings.py", 'TOKEN = "glpat-' + "a" * 20 + '"\n'),
        (".dvc/config", "['remote \"s3\"']\n    secret_access_key = x\n"),
    ],
)
def test_a_secret_never_travels(repository: Path, path: str, text: str) -> None:
    (repository / path).write_text(text)
    commit(repository)
    with pytest.raises(SlipwayError) as caught:
        snapshot(repository)
    assert str(repository / path) == caught.value.where
    assert not (repository.parent / "a.tar.gz").exists()


def test_a_link_is_refused(repository: Path) -> None:
    (repository / "models/a/training/link").symlink_to("/etc/passwd")
    commit(repository)
    with pytest.raises(SlipwayError, match="a link"):
        snapshot(repository)


def test_a_model_that_is_not_in_the_commit_is_named(repository: Path) -> None:
    with pytest.raises(SlipwayError, match="models/c is not in the commit"):
        snapshot(repository, "c")


def test_outside_of_git_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError) as caught:
        make_snapshot(tmp_path, "a", tmp_path / "x.tar.gz")
    assert caught.value.fix is not None and "git init" in caught.value.fix


def test_a_repository_below_gits_root_works(repository: Path) -> None:
    """As where the models are a part of a larger repository."""
    outer = repository.parent / "outer"
    (outer / "ml").mkdir(parents=True)
    for name, text in FILES.items():
        path = outer / "ml" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(outer, "init", "--quiet")
    commit(outer)
    assert contents(snapshot(outer / "ml"))["models/a/training/train.py"] == "print('a')\n"


def test_a_library_that_is_installed_travels_too(repository: Path) -> None:
    git(repository, "rm", "-r", "--quiet", "build-support/slipway")
    commit(repository)
    found = contents(snapshot(repository))
    assert "build-support/slipway/errors.py" in found
    assert not any(path.endswith(".pyc") for path in found)
