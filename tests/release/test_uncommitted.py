"""What no commit has is told, recorded and not released in production, however git overlooks it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway import settings as configuration
from slipway.artifact.artifact import Artifact
from slipway.catalog.catalog import Catalog
from slipway.catalog.commit import current_commit, is_clean, read_worktree
from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.errors import SlipwayError
from slipway.profile.profile import Profile
from slipway.release.evidence import evidence
from slipway.release.promote import promote
from slipway.release.uncommitted import find_uncommitted
from slipway.settings import Settings
from slipway.store.open import open_stage
from tests.artifact.samples import packed, write_environment, write_model

CODE = "models/tiny/tiny_preprocessing/1/model.py"


class Repository:
    """A git repository with one model, all committed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = write_model(root)
        (root / ".gitignore").write_text("/store/\n*.ignored\nmodel.onnx\n/reports/\n")
        (root / "slipway.toml").write_text(
            '[environment]\nchannels = []\n[release]\nstore="store"\n'
        )
        self.environment = write_environment(root.parent / "environment")
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com"]
        command = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        self.git("add", "-A", "--", ".", ":!dist")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def packed(self) -> Artifact:
        return packed(self.folder, self.environment)

    def uncommitted(self, artifact: Artifact | None = None) -> tuple[str, ...]:
        return find_uncommitted(self.folder, artifact or self.packed(), read_worktree(self.root))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_a_checkout_is_clean_whatever_slipway_and_python_wrote_into_it(
    repository: Repository,
) -> None:
    head = repository.git("rev-parse", "HEAD")
    for path in ("dist/tiny.tar.gz", ".slipway/releases/key", "store/key", "a/__pycache__/b.pyc"):
        repository.write(path, "")
    assert repository.uncommitted() == ()
    assert current_commit(repository.root) == head and is_clean(head)


@pytest.mark.parametrize(
    ("change", "listed"),
    [
        (lambda r: r.write(CODE, "A = 1\n"), f"{CODE} (modified)"),
        (lambda r: (r.write(CODE, "A = 1\n"), r.git("add", "-A")), f"{CODE} (modified)"),
        (lambda r: r.write("notes.txt", ""), "notes.txt (untracked)"),
        (lambda r: r.write("lib/new module.py", ""), "lib/new module.py (untracked)"),
        (
            lambda r: r.write("models/tiny/tiny_preprocessing/1/é.py", ""),
            "models/tiny/tiny_preprocessing/1/é.py (untracked)",
        ),
        (lambda r: (r.root / ".gitignore").unlink(), ".gitignore (modified)"),
    ],
)
def test_what_git_lists_is_uncommitted(
    repository: Repository, change: Callable[[Repository], object], listed: str
) -> None:
    repository.git("config", "status.showUntrackedFiles", "no")  # a user's taste
    change(repository)
    assert listed in repository.uncommitted()
    assert str(current_commit(repository.root)).endswith("-dirty")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_packed_file_that_git_was_told_to_overlook_is_compared(
    repository: Repository, flag: str
) -> None:
    repository.git("update-index", flag, CODE)
    repository.write(CODE, "A = 1\n")
    assert read_worktree(repository.root).changes == ()
    assert repository.uncommitted() == (f"{CODE} (modified)",)


def test_an_ignored_file_that_is_packed_is_not_in_the_commit(repository: Repository) -> None:
    path = "models/tiny/tiny_preprocessing/1/words.ignored"
    repository.write(path, "secret")
    assert read_worktree(repository.root).changes == ()
    assert repository.uncommitted() == (f"{path} (not in the commit)",)
    repository.git("add", "-f", path)
    repository.commit()
    assert repository.uncommitted() == ()


@pytest.mark.parametrize("name", ["profile.json", "capture.toml"])
def test_a_file_beside_the_models_is_part_of_the_commit(repository: Repository, name: str) -> None:
    profile = (
        Profile(1, "golden cases", {}, {}).dump() if name == "profile.json" else b"sample = 0.5\n"
    )
    (repository.folder / name).write_bytes(profile)
    assert f"models/tiny/{name} (untracked)" in repository.uncommitted()
    repository.commit()
    assert repository.uncommitted() == ()
    repository.write(".gitignore", f"{name}\n")
    repository.git("rm", "-q", "--cached", f"models/tiny/{name}")
    repository.commit()
    assert repository.uncommitted() == (f"models/tiny/{name} (not in the commit)",)


def test_an_artifact_that_was_packed_from_other_sources_is_not_of_this_commit(
    repository: Repository,
) -> None:
    before = repository.packed()
    repository.write(CODE, "A = 1\n")
    repository.write("models/tiny/tiny_preprocessing/1/more.py", "")
    changed = repository.packed()
    repository.git("stash", "-q", "-u")
    assert repository.uncommitted(changed) == (
        "models/tiny/tiny_preprocessing/1/model.py (packed with other bytes)",
        "models/tiny/tiny_preprocessing/1/more.py (packed, and not in the folder)",
    )
    repository.git("stash", "pop", "-q")
    repository.commit()
    assert repository.uncommitted(changed) == ()
    assert f"{CODE} (packed with other bytes)" in repository.uncommitted(before)
    pointer = repository.folder / "tiny_inferencer/1/model.onnx.dvc"
    pointer.write_text(f"outs:\n- md5: {'a' * 32}\n  size: 1\n  hash: md5\n  path: model.onnx\n")
    repository.commit()
    assert repository.uncommitted(changed) == (
        "models/tiny/tiny_inferencer/1/model.onnx (packed with other weights than its pointer's)",
    )


def test_files_that_git_converts_and_links_are_as_committed(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    (repository.root / CODE).write_bytes(b"A = 1\r\nB = 2\r\n")
    beside = repository.folder / "tiny_postprocessing/1"
    (beside / "linked.py").symlink_to("model.py")
    repository.commit()
    assert repository.uncommitted() == ()
    (beside / "other.ignored").write_text("x = 1\n")
    (beside / "linked.py").unlink()
    (beside / "linked.py").symlink_to("other.ignored")
    repository.commit()
    found = "models/tiny/tiny_postprocessing/1/other.ignored (not in the commit)"
    assert repository.uncommitted() == (found,)


def test_outside_of_a_checkout_there_is_no_commit_and_the_reason_is_git_s(tmp_path: Path) -> None:
    worktree = read_worktree(tmp_path)
    assert worktree.commit is None and worktree.name is None
    assert worktree.problem and "not a git repository" in worktree.problem


def published(
    repository: Repository, artifact: Artifact, capsys: pytest.CaptureFixture[str]
) -> str:
    report = repository.root / "reports" / "junit.xml"
    report.parent.mkdir(exist_ok=True)
    assert main(["publish", "models/tiny", "--artifact", str(artifact.path)]) == 0
    return capsys.readouterr().err


def settings_of(repository: Repository) -> Settings:
    return configuration.load(repository.root)


@pytest.fixture
def untested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are another subject."""
    monkeypatch.setattr("slipway.release.promote.require_passed_tests", lambda *_: None)


def test_untracked_code_goes_to_staging_with_a_note_and_not_to_production(
    repository: Repository,
    untested: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(repository.root)
    head = repository.git("rev-parse", "HEAD")
    helper = "models/tiny/tiny_preprocessing/1/helper.py"
    repository.write(helper, "A = 1\n")
    artifact = repository.packed()
    said = published(repository, artifact, capsys)
    assert f"is not commit {head[:12]} alone; uncommitted:\n  {helper} (untracked)" in said
    settings = settings_of(repository)
    with pytest.raises(SlipwayError, match="production requires a clean commit") as caught:
        promote(settings, "tiny", None, Origin(head))
    assert caught.value.fix and "clean_commit = false in [release.production]" in caught.value.fix
    to_production = ["publish", "models/tiny", "--artifact", str(artifact.path)]
    assert main([*to_production, "--stage", "production"]) == 1
    assert "production requires a clean commit" in capsys.readouterr().err
    for command in (["describe", "tiny"], ["history", "tiny"], ["status"]):
        assert main(command) == 0
        output = capsys.readouterr().out
        assert "with uncommitted changes" in output and head[:7] in output

    committed = repository.commit()  # the same bytes, and now a commit has them
    assert published(repository, artifact, capsys) == ""
    [record] = Catalog(open_stage(settings, "staging")).releases("tiny")
    assert record.commit == committed
    documents = evidence.load_evidence(open_stage(settings, "staging"), "tiny", record.sha256)
    payload = base64.b64decode(json.loads(documents["provenance"])["payload"])
    assert committed.encode() in payload and b"dirty" not in payload
    assert promote(settings, "tiny", None, Origin(head)).moved
    repository.write("notes.txt", "")  # a later publication of the same bytes takes nothing back
    published(repository, artifact, capsys)
    [record] = Catalog(open_stage(settings, "staging")).releases("tiny")
    assert record.commit == committed


def test_production_may_allow_what_is_not_committed(
    repository: Repository,
    untested: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(repository.root)
    toml = (repository.root / "slipway.toml").read_text()
    repository.write("slipway.toml", toml + "[release.production]\nclean_commit = false\n")
    published(repository, repository.packed(), capsys)
    assert promote(settings_of(repository), "tiny", None, Origin()).moved
    repository.write("slipway.toml", toml + '[release.production]\nclean_commit = "no"\n')
    with pytest.raises(SlipwayError, match="clean_commit is 'no'"):
        settings_of(repository)
