"""``slipway describe``: the interface, releases and alias of a name, for people and machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.release.metadata import ReleaseMetadata
from slipway.release.publish import publish
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from tests.artifact.samples import packed, write_environment, write_model


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose model was published three times."""
    checkout = tmp_path / "checkout"
    environment = write_environment(tmp_path / "environment")
    store = DirectoryStore(checkout / ".slipway" / "releases")
    for weights in (b"one", b"two"):
        made = packed(write_model(checkout, weights), environment)
        publish(made, StageStore(store, "staging"), metadata=ReleaseMetadata(Origin("c0ffee" * 6)))
    publish(made, StageStore(store, "production"))
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("COLUMNS", "80")
    return checkout


def targets(root: Path) -> list[str]:
    return sorted(file.name for file in (root / ".slipway/releases/staging/models").iterdir())


def described(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, dict[str, Any]]:
    assert main(["describe", "tiny", "--json", *options]) == 0
    stages: dict[str, dict[str, Any]] = json.loads(capsys.readouterr().out)["stages"]
    return stages


def test_people_see_interface_alias_and_releases_within_80_columns(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = targets(root)
    assert main(["alias", "tiny", f"{first}=90", f"{second}=10"]) == 0
    capsys.readouterr()
    assert main(["describe", "tiny", "--stage", "staging"]) == 0
    output = capsys.readouterr().out
    words = [line.split() for line in output.splitlines()]
    assert ["│", "in", "│", "IN", "│", "FP32", "│", "[batch,", "1]", "│"] in words
    assert "batch: at most 8" in output and "production" not in output
    assert ["90", "%", first] in words and ["10", "%", second] in words
    assert output.count("c0ffeec") == 2 and first.split(".h")[1][:12] in output
    assert max(map(len, output.splitlines())) <= 80


def test_both_stages_are_shown_unless_one_is_named(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = described(capsys)
    assert list(both) == ["staging", "production"]
    assert described(capsys, "--stage", "production") == {"production": both["production"]}
    assert described(capsys, "--endpoint", "production") == {"production": both["production"]}
    assert described(capsys, "--endpoint", "local") == {"staging": both["staging"]}


def test_machines_get_everything_whole(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = described(capsys, "--stage", "production")["production"]
    assert stage["interface"] == {
        "max_batch_size": 8,
        "inputs": [{"name": "IN", "datatype": "FP32", "dims": [1]}],
        "outputs": [{"name": "OUT", "datatype": "FP32", "dims": [1]}],
    }
    target = "tiny_1.2.0.tar.gz"
    assert stage["alias"] == {
        "target": target,
        "variants": [{"target": target, "weight": 1}],
        "shadow": None,
    }
    [release] = stage["releases"]
    assert (release["target"], release["version"]) == (target, "1.2.0")
    assert len(release["sha256"]) == 64 and release["commit"] is None and release["published"]


def test_an_endpoint_with_a_store_of_its_own_is_read_there(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".slipway/releases").rename(tmp_path / "elsewhere")
    with (root / "slipway.toml").open("a") as toml:
        toml.write(f'[endpoint.far]\nstage = "production"\nstore = "{tmp_path / "elsewhere"}"\n')
    assert list(described(capsys, "--endpoint", "far")) == ["production"]
    assert main(["describe", "tiny"]) == 1


def test_a_name_without_an_alias_is_described_by_its_newest_release(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".slipway/releases/production/catalog/tiny/alias.json").unlink()
    stage = described(capsys, "--stage", "production")["production"]
    assert stage["alias"] is None and stage["interface"]
    assert main(["describe", "tiny"]) == 0
    assert "none; slipway alias sets one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (["tniy"], "no release of 'tniy' in staging or production", "did you mean tiny?"),
        (["other"], "no release of 'other'", "slipway publish models/other"),
        (["tiny", "--endpoint", "nowhere"], "no endpoint 'nowhere'", "[endpoint.nowhere]"),
        (["tiny", "--endpoint", "local", "--stage", "staging"], "not both", "Usage"),
    ],
)
def test_mistakes_are_reported_with_their_fix(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str, fix: str
) -> None:
    assert main(["describe", *words]) == 1
    output = capsys.readouterr().err
    assert what in output and fix in output
