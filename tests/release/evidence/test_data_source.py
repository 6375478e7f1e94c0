"""Where data came from is what DVC itself wrote, of the bytes that were used, without secrets."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.repo import Repo
from hypothesis import given
from hypothesis import strategies as st

from slipway.release.evidence.data_source import find_sources, without_secrets
from slipway.training.run import DataFile

ROWS = b"a,b\n1,2\n"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repo]:
    root = tmp_path / "repository"
    git(tmp_path, "init", "-q", str(root))
    with Repo.init(str(root)) as repo:
        yield repo


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"]
    command = ["git", "-C", str(folder), *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def of(repo: Repo, path: str, data: bytes = ROWS) -> dict[str, str] | None:
    file = DataFile(path, f"md5:{hashlib.md5(data).hexdigest()}", len(data))
    return find_sources(Path(repo.root_dir), [file]).get(path)


def test_what_dvc_imported_from_a_url_has_its_url(repository: Repo, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(ROWS)
    target = Path(repository.root_dir) / "rows.csv"
    repository.imp_url(str(tmp_path / "rows.csv"), str(target))
    found = of(repository, "rows.csv")
    assert found == {"kept": "rows.csv.dvc", "from": str(tmp_path / "rows.csv")}


def test_what_dvc_imported_from_a_repository_has_its_commit(
    repository: Repo, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", str(other))
    with Repo.init(str(other)) as source:
        (other / "rows.csv").write_bytes(ROWS)
        source.add([str(other / "rows.csv")])
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "Rows")
    repository.imp(str(other), "rows.csv", str(Path(repository.root_dir) / "rows.csv"))
    assert of(repository, "rows.csv") == {
        "kept": "rows.csv.dvc",
        "from": f"{other} rows.csv",
        "version": git(other, "rev-parse", "HEAD"),
    }


def test_added_files_and_folders_have_their_pointer_and_others_git(repository: Repo) -> None:
    root = Path(repository.root_dir)
    (root / "data/deep").mkdir(parents=True)
    (root / "data/deep/rows.csv").write_bytes(ROWS)
    (root / "alone.csv").write_bytes(ROWS)
    (root / "small.csv").write_bytes(ROWS)
    (root / "unknown.csv").write_bytes(ROWS)
    repository.add([str(root / "data"), str(root / "alone.csv")])
    git(root, "add", "small.csv")
    assert of(repository, "data/deep/rows.csv") == {"kept": "data.dvc"}
    assert of(repository, "alone.csv") == {"kept": "alone.csv.dvc"}
    assert of(repository, "small.csv") == {"kept": "git"}
    assert of(repository, "unknown.csv") is None


def test_a_pointer_of_other_bytes_says_nothing(repository: Repo) -> None:
    root = Path(repository.root_dir)
    (root / "alone.csv").write_bytes(ROWS)
    repository.add([str(root / "alone.csv")])
    assert of(repository, "alone.csv", b"others") is None


@pytest.mark.parametrize("text", ["", "[", "outs: 3", "outs:\n- md5: 1\n  path: x\n", "\0"])
def test_a_damaged_pointer_says_nothing(repository: Repo, text: str) -> None:
    (Path(repository.root_dir) / "rows.csv.dvc").write_text(text, encoding="utf-8")
    assert of(repository, "rows.csv") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/rows.csv", "s3://bucket/rows.csv"),
        ("https://user:secret@host:8443/r.csv?sig=secret#secret", "https://host:8443/r.csv"),
        ("../rows.csv", "../rows.csv"),
        ("https://[", ""),
    ],
)
def test_secrets_of_a_url_are_left_out(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@given(st.text("abc", min_size=1), st.text("xyz0%", min_size=1))
def test_no_password_is_left_in_any_url(user: str, password: str) -> None:
    found = without_secrets(f"https://{user}:{password}@host.example/path?token={password}")
    assert found == "https://host.example/path"
