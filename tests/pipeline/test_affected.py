"""What a change affects, in real repositories; and the law that nothing changed is left out."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway import cli
from slipway.pipeline.affected import BUILD_SYSTEM, Affected, find_affected
from slipway.pipeline.merge_base import Base
from tests.pipeline import history
from tests.pipeline.history import History


@pytest.fixture
def repository(tmp_path: Path) -> History:
    return history.begin(tmp_path / "here", origin=False)


def _since(repository: History, commit: str = "HEAD") -> Affected:
    return find_affected(repository.root, Base(repository.git("rev-parse", commit), "test"))


def test_a_model_that_a_commit_touches_is_affected_and_no_other(repository: History) -> None:
    repository.write("models/one/one/1/model.py", "# changed\n")
    repository.commit()
    found = _since(repository, "HEAD~1")
    assert found.models == ("one",) and not found.everything and found.deleted == ()
    assert found.targets() == ("models/one::",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("BUILD", 'files(name="all", sources=["models/one/**"])'),
        ("BUILD", 'files(name="all", sources=["**/*.json"])'),
        ("models/BUILD", "files(name='all', sources=['*/README.md'])"),
        ("models/BUILD", 'files(name="some", sources=["o*/README.md"])'),
        ("models/two/BUILD", 'triton_model(dependencies=["models/one:artifact"])'),
        ("tests/BUILD", 'python_tests(dependencies=["//models/one:weights"])'),
    ],
)
def test_where_a_build_file_may_name_the_model_pants_looks_for_dependents(
    repository: History, path: str, text: str
) -> None:
    repository.write(path, text)
    base = repository.commit()
    repository.write("models/one/one/1/model.py", "# changed\n")
    repository.commit()
    transitive = (f"--changed-since={base}", "--changed-dependents=transitive")
    assert _since(repository, "HEAD~1").targets() == transitive


@pytest.mark.parametrize("path", ["models/one/training/train.py", "models/one/BUILD", "docs/x.md"])
def test_what_may_concern_others_is_left_to_pants(repository: History, path: str) -> None:
    repository.write("models/one/one/1/model.py", "# changed\n")
    repository.write(path, "# changed\n")
    repository.commit()
    assert "--changed-dependents=transitive" in _since(repository, "HEAD~1").targets()


def test_build_files_that_name_no_other_model_confine_a_change(repository: History) -> None:
    repository.write("BUILD", 'files(name="pages", sources=["*.md", "models/BUILD"])')
    repository.write("models/one/BUILD", 'triton_model(tags=["one"])')
    repository.write("models/two/BUILD", "triton_model()")
    repository.commit()
    repository.write("models/one/tests/cases/a/input.json", "{}\n")
    assert _since(repository).targets() == ("models/one::",)


def test_what_is_not_committed_counts(repository: History) -> None:
    repository.write("models/one/one/1/model.py", "# changed\n")
    assert _since(repository).models == ("one",)
    repository.write("models/two/two/1/new file é.json", "{}")
    assert _since(repository).models == ("one", "two")


def test_words_about_models_affect_no_model(repository: History) -> None:
    repository.write("README.md", "other words\n")
    repository.write("models/README.md", "words\n")
    repository.commit()
    found = _since(repository, "HEAD~1")
    assert found.models == () and not found.everything


@pytest.mark.parametrize("path", BUILD_SYSTEM)
def test_the_build_system_affects_everything(repository: History, path: str) -> None:
    changed = f"{path}lib/file" if path.endswith("/") else path
    repository.write(changed, "changed\n")
    repository.commit()
    found = _since(repository, "HEAD~1")
    assert found.everything and found.models == ("one", "two") and changed in found.why
    assert found.targets() == ("::",)


def test_a_package_of_the_repository_affects_the_models_that_name_it(repository: History) -> None:
    repository.write("libs/words/src/words/__init__.py", "WORDS = 2\n")
    repository.write("libs/word/src/word/__init__.py", "WORD = 1\n")
    repository.write("models/one/requirements.txt", "numpy<2\n-e ../../libs/words\n")
    repository.write("models/two/requirements.txt", "numpy<2\n../../libs/word\n")
    repository.commit()
    repository.write("libs/words/src/words/__init__.py", "WORDS = 3\n")
    repository.commit()
    assert _since(repository, "HEAD~1").models == ("one",)
    repository.write("libs/words/tests/test_words.py", "")
    repository.write("libs/words/src/words/new.py", "")
    assert _since(repository).models == ("one",)
    repository.git("clean", "-fdq", "libs/words/src")
    assert _since(repository).models == ()


def test_a_renamed_model_affects_both_its_names(repository: History) -> None:
    repository.git("mv", "models/one", "models/uno")
    repository.commit()
    found = _since(repository, "HEAD~1")
    assert found.models == ("uno",) and found.deleted == ("one",)


def test_a_file_that_moves_from_one_model_to_another_affects_both(repository: History) -> None:
    repository.git("mv", "models/one/one/1/model.py", "models/two/two/1/other.py")
    repository.git("config", "diff.renames", "copies")
    repository.commit()
    assert _since(repository, "HEAD~1").models == ("one", "two")


def test_a_deleted_model_is_told_and_not_built(repository: History) -> None:
    repository.remove("models/one")
    repository.commit()
    found = _since(repository, "HEAD~1")
    assert found.models == () and found.deleted == ("one",)


def test_without_a_base_everything_is_affected(repository: History) -> None:
    found = find_affected(repository.root, Base(None, "no push before"))
    assert found.everything and found.models == ("one", "two") and found.targets() == ("::",)


def test_the_command_says_it_in_three_forms(
    repository: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository.root)
    monkeypatch.delenv("CI_COMMIT_BRANCH", raising=False)
    repository.write("models/one/one/1/model.py", "# changed\n")
    head = repository.git("rev-parse", "HEAD")
    assert cli.main(["affected", "--base", "HEAD"]) == 0
    assert capsys.readouterr().out == "models/one\n"
    assert cli.main(["affected", "--base", "HEAD", "--format", "targets"]) == 0
    said = capsys.readouterr().out
    assert said == "models/one::\n"
    assert cli.main(["affected", "--base", "HEAD", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["models"] == ["one"] and told["base"] == head and not told["everything"]


def _trees(repository: History, commit: str) -> dict[str, str]:
    """Each model's tree, as git names it: the truth about what changed."""
    lines = repository.git("ls-tree", commit, "models/").splitlines()
    return {line.split("/")[-1]: line.split()[2] for line in lines}


PATHS = st.sampled_from(
    [
        f"models/{name}/{rest}"
        for name in ("one", "two", "three")
        for rest in ("model_version.txt", "m/config.pbtxt", "m/1/model.py", "tests/a b.json", "é")
    ]
    + ["README.md", "models/notes", "docs/one/two/three", "pants.toml"]
)
STEP = st.one_of(
    st.tuples(st.just("write"), PATHS, st.sampled_from("abc")),
    st.tuples(st.just("move"), PATHS, PATHS),
    st.tuples(st.just("remove"), PATHS, st.just("")),
    st.tuples(st.just("commit"), st.just(""), st.just("")),
)


@given(st.lists(STEP, min_size=1, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_done_no_changed_model_is_left_out(
    steps: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = history.begin(Path(folder) / "here", origin=False)
        start = repository.git("rev-parse", "HEAD")
        for what, path, other in steps:
            file = repository.root / path
            if what == "write" and not file.is_dir():
                repository.write(path, other)
            elif what == "move" and file.is_file() and not (repository.root / other).exists():
                (repository.root / other).parent.mkdir(parents=True, exist_ok=True)
                file.rename(repository.root / other)
            elif what == "remove" and file.is_file():
                file.unlink()
            elif what == "commit":
                repository.commit()
        found = _since(repository, start)
        end = repository.commit("what is left")
        before, after = _trees(repository, start), _trees(repository, end)
        changed = {name for name in before | after if before.get(name) != after.get(name)}
        models = {f.parent.name for f in repository.root.glob("models/*/model_version.txt")}
        assert changed & models <= set(found.models)
        assert changed - models - {"notes"} <= set(found.deleted) | {"three"}
        if not found.everything:
            assert set(found.models) <= changed
