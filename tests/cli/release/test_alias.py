"""``slipway alias``: shows what a name stands for, and moves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.release.publish import publish
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.artifact.samples import packed, write_environment, write_model

OLD, NEW, NEWEST = (f"tiny_1.{minor}.0.tar.gz" for minor in (2, 3, 4))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three releases of its model in production, the newest one served."""
    checkout = tmp_path / "checkout"
    folder = write_model(checkout)
    environment = write_environment(tmp_path / "environment")
    store = DirectoryStore(checkout / ".slipway" / "releases")
    for version in ("1.2.0", "1.3.0", "1.4.0"):
        (folder / "model_version.txt").write_text(f"{version}\n")
        publish(packed(folder, environment), StageStore(store, "production"))
    monkeypatch.chdir(checkout)
    return checkout


def alias(*words: str) -> int:
    return main(["alias", "tiny", *words, "--stage", "production"])


def stored(root: Path) -> object:
    path = root / ".slipway/releases/production/catalog/tiny/alias.json"
    found: object = json.loads(path.read_bytes())
    return found


def test_without_targets_it_shows_the_alias(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert alias() == 0
    assert capsys.readouterr().out == f" 100 %  {NEWEST}\n"
    assert alias("--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "tiny",
        "stage": "production",
        "target": NEWEST,
        "variants": [{"target": NEWEST, "weight": 1}],
        "shadow": None,
    }


def test_weights_and_a_shadow_are_set_by_versions(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alias("1.2.0=2", "1.3.0=1", "--shadow", "1.4") == 0
    assert capsys.readouterr().out == f"66.7 %  {OLD}\n33.3 %  {NEW}\nshadow  {NEWEST}\n"
    assert stored(root) == {
        "target": OLD,
        "variants": [{"target": OLD, "weight": 2}, {"target": NEW, "weight": 1}],
        "shadow": NEWEST,
    }
    assert alias(OLD) == 0  # a rollback ends both
    assert stored(root) == {"target": OLD}


def test_targets_without_weights_share_evenly(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alias("1.2.0", "1.3.0") == 0
    assert capsys.readouterr().out == f"  50 %  {OLD}\n  50 %  {NEW}\n"


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (["1.9.0"], "1.9.0 is not a release of tiny in production", "slipway describe tiny"),
        (["tiny_1.2.1.tar.gz"], "not a release of tiny", f"did you mean {OLD}"),
        (["1."], "'1.' matches 3 releases", f"say which: {OLD}, {NEW}, {NEWEST}"),
        (["1.2.0=90", "1.3.0"], "a weight is missing", "such as 1.2.0=90"),
        (["1.2.0=90", "1.3.0=ten"], "not a whole number", "such as 1.2.0=90"),
        (["1.2.0=", "1.3.0=-1"], "not a whole number", "such as 1.2.0=90"),
        (["1.2.0=1", "1.3.0=0"], f"the weight of {NEW} is 0", "leave out"),
        (["1.2.0=1", f"{OLD}=1"], f"{OLD} is named twice", "add its weights up"),
        (["1.2.0", "--shadow", "1.2.0"], "its own shadow", "another shadow"),
        (["--shadow", "1.2.0"], "needs the releases", "Usage"),
    ],
)
def test_mistakes_are_reported_with_their_fix_and_change_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str, fix: str
) -> None:
    assert alias(*words) == 1
    output = capsys.readouterr().err
    assert what in output and fix in output
    assert stored(root) == {"target": NEWEST}
