"""A run of many releases that is killed is continued, and what changed since is done again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.cli import main
from slipway.release import prune
from slipway.release.runs.resumable import Resumable
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.store.open import open_stage
from tests.release.sample_releases import create_repository, publish_sample

KILLED = 130
VERSIONS = [f"1.{number}.0" for number in range(8)]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))
    made = create_repository(tmp_path / "repository")
    for version in VERSIONS:
        publish_sample(made, version)
    monkeypatch.chdir(made.root)
    return made


def killed_after(count: int, method: str = "open") -> Callable[..., object]:
    """Return a method of a store that is killed when it was called so often for an artifact."""
    original, left = getattr(DirectoryStore, method), count

    def call(self: DirectoryStore, key: str, *words: object) -> object:
        nonlocal left
        if "/models/" in key:
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return original(self, key, *words)

    return call


def read_artifacts(command: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command; return how many artifacts were read, and what was said."""
    opened = 0
    original = DirectoryStore.open

    def count(self: DirectoryStore, key: str) -> object:
        nonlocal opened
        opened += "/models/" in key
        return original(self, key)

    with mock.patch.object(DirectoryStore, "open", count):
        assert main(command) == 0
    said = capsys.readouterr()
    return opened, said.out, said.err


def test_a_killed_verification_continues_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slipway.release.runs.verify_all.READERS", 1)
    with monkeypatch.context() as killed:
        killed.setattr(DirectoryStore, "open", killed_after(5))
        assert main(["verify", "--all"]) == KILLED
    capsys.readouterr()
    opened, out, err = read_artifacts(["verify", "--all"], capsys)
    assert opened == 3 and "8 of 8 releases are intact" in out
    assert "5 of 8 releases were verified by a run that was interrupted" in err
    # it has reached its end: the next one reads everything
    opened, _, err = read_artifacts(["verify", "--all", "--json"], capsys)
    assert opened == 8 and err == ""


def test_what_was_replaced_since_is_verified_again_and_again_reads_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("slipway.release.runs.verify_all.READERS", 1)
    with monkeypatch.context() as killed:
        killed.setattr(DirectoryStore, "open", killed_after(7))
        assert main(["verify", "--all"]) == KILLED
    target = Catalog(open_stage(settings, "staging")).targets("m")[0]
    artifact = settings.root / "store" / keys.artifact("staging", target)
    size = artifact.stat().st_size
    artifact.unlink()
    artifact.write_bytes(bytes(size))
    capsys.readouterr()
    assert main(["verify", "--all"]) == 1
    said = capsys.readouterr()
    assert target in said.out and "6 of 8 releases were verified" in said.err
    with monkeypatch.context() as killed:
        killed.setattr(DirectoryStore, "open", killed_after(7))
        assert main(["verify", "--all"]) == KILLED
    capsys.readouterr()
    assert main(["verify", "--all", "--again"]) == 1
    assert "were verified by" not in capsys.readouterr().err


def test_json_of_a_verification_is_one_list(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = read_artifacts(["verify", "--all", "--json"], capsys)
    assert [one["problems"] for one in json.loads(out)] == [[]] * len(VERSIONS)
    _, out, _ = read_artifacts(["verify", "--stage", "production", "--json"], capsys)
    assert json.loads(out) == []


def test_a_killed_prune_is_completed_and_selects_only_what_changed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in VERSIONS[:4]:
        publish_sample(settings, version, name="n")
    with monkeypatch.context() as killed:
        killed.setattr(DirectoryStore, "delete", killed_after(2, "delete"))
        assert main(["prune", "--keep", "2"]) == KILLED
    selected: list[str] = []
    original = prune._old_releases

    def old_releases(catalog: Catalog, listing: object, name: str, *words: object) -> object:
        selected.append(name)
        return original(catalog, listing, name, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(prune, "_old_releases", old_releases)
    capsys.readouterr()
    assert main(["prune", "--keep", "2"]) == 0
    said = capsys.readouterr()
    assert selected == ["m"] and "continues what was selected" in said.err
    catalog = Catalog(open_stage(settings, "staging"))
    assert [len(catalog.targets(name)) for name in ("m", "n")] == [2, 2]
    assert [len(catalog.source.store.keys(keys.models("staging") + n)) for n in "mn"] == [2, 2]
    # it has reached its end
    assert main(["prune", "--keep", "2"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and said.out == "nothing removed\n"


def test_a_dry_run_spares_the_real_one_the_selection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["prune", "--keep", "2", "--dry-run"]) == 0
    monkeypatch.setattr(prune, "_old_releases", mock.Mock(side_effect=AssertionError))
    assert main(["prune", "--keep", "2", "--dry-run"]) == 0
    assert main(["prune", "--keep", "2"]) == 0
    monkeypatch.undo()
    monkeypatch.chdir(settings.root)
    assert len(Catalog(open_stage(settings, "staging")).targets("m")) == 2


def test_notes_are_of_one_run_bounded_and_never_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path))
    monkeypatch.setattr("slipway.release.runs.resumable.MOST", 3)
    run = Resumable("verify", ["a"])
    for number in range(5):
        run.add(str(number), number)
    [file] = (tmp_path / "unfinished").iterdir()
    with file.open("a") as notes:
        notes.write('["cut o')
    again = Resumable("verify", ["a"])
    assert [again.get(str(number)) for number in range(5)] == [0, 1, 2, None, None]
    assert again.age_s is not None
    assert Resumable("verify", ["b"]).age_s is None and Resumable("prune", ["a"]).age_s is None
    os.utime(file, (0, 0))
    assert Resumable("verify", ["a"]).age_s is None and not file.exists()
