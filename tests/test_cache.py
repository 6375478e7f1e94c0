"""What is kept to save time, and removed by age and size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway import cache
from slipway.cli.develop.cache import cache as command
from slipway.files import cache_dir, cache_root

DAY = 86_400.0
MB = 1_000_000


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CACHE", str(tmp_path / "cache"))


def entry(kind: str, name: str, days: float, megabytes: int = 1) -> Path:
    """An entry of a kind that was used some days ago."""
    folder = cache_dir(kind) / name
    folder.mkdir()
    (folder / "content").write_bytes(bytes(megabytes * MB))
    when = time.time() - days * DAY
    os.utime(folder, (when, when))
    return folder


def test_what_was_not_used_for_long_is_removed() -> None:
    old, new = entry("environments", "old", 40), entry("environments", "new", 20)
    removed = cache.trim(cache.find_entries(), unused_for=30 * DAY)
    assert [each.path for each in removed] == [old]
    assert new.is_dir() and not old.exists()


def test_what_was_unused_for_longest_goes_first_until_the_size_is_reached() -> None:
    paths = [entry("wheels", f"{days}", days, 2) for days in (1, 3, 2)]
    removed = cache.trim(cache.find_entries(), to=5 * MB)
    assert [each.path for each in removed] == [paths[1]]
    assert not cache.trim(cache.find_entries(), to=5 * MB)


def test_what_is_used_again_counts_as_new() -> None:
    cache.mark_used(entry("environments", "a", 40))
    assert not cache.trim(cache.find_entries(), to=0, unused_for=DAY)


def test_a_tool_whose_launcher_touched_it_counts_as_new() -> None:
    tool = entry("library", "a", 40)
    (tool / "complete").write_text("")
    assert not cache.trim(cache.find_entries(), unused_for=30 * DAY)


def test_what_a_process_runs_from_is_kept() -> None:
    used, unused = entry("training", "used", 40), entry("training", "unused", 40)
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=used, stdin=-1) as process:
        cache.trim(cache.find_entries(), to=0)
        process.communicate(b"\n")
    assert used.is_dir() and not unused.exists()


def test_what_a_process_was_started_with_is_kept() -> None:
    used, unused = entry("triton", "used", 40), entry("triton", "unused", 40)
    argv = [sys.executable, "-c", "input()", f"--backend-directory={used}/backends"]
    with subprocess.Popen(argv, stdin=-1) as process:
        cache.trim(cache.find_entries(), to=0)
        process.communicate(b"\n")
    assert used.is_dir() and not unused.exists()


def test_locks_links_and_what_is_being_written_are_no_entries(tmp_path: Path) -> None:
    folder = cache_dir("environments")
    (folder / "a.guard").touch()
    (folder / ".aside-b-1-x").mkdir()
    (folder / "c").symlink_to(tmp_path)
    assert cache.find_entries() == []


def test_the_remains_of_an_interrupted_removal_are_removed() -> None:
    remains = entry("environments", ".trim-1-a", 2)
    cache.trim(cache.find_entries(), unused_for=DAY)
    assert not remains.exists()


def weights(root: Path, md5: str, content: str = "") -> Path:
    """An object of DVC's cache, unused for 40 days."""
    path = root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    when = time.time() - 40 * DAY
    os.utime(path, (when, when))
    return path


def test_weights_that_a_pointer_or_the_lock_names_are_kept(tmp_path: Path) -> None:
    md5 = {name: digit * 32 for name, digit in zip("abcde", "12345", strict=True)}
    kept = [weights(tmp_path, md5[name]) for name in "abc"]
    kept.append(weights(tmp_path, f"{md5['d']}.dir", json.dumps([{"md5": md5["c"]}])))
    gone = weights(tmp_path, md5["e"])
    (tmp_path / "models/m").mkdir(parents=True)
    (tmp_path / "models/m/model.onnx.dvc").write_text(f"outs:\n- md5: {md5['a']}\n")
    (tmp_path / "models/m/folder.dvc").write_text(f"outs:\n- md5: {md5['d']}.dir\n")
    (tmp_path / "dvc.lock").write_text(f"outs:\n  - path: x\n    md5: {md5['b']}\n")
    cache.trim(cache.find_entries(tmp_path), to=0)
    assert all(path.exists() for path in kept) and not gone.exists()


def test_above_its_limit_the_cache_trims_itself_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = entry("environments", "old", 3, 3), entry("environments", "new", 2, 3)
    monkeypatch.setenv(cache.LIMIT, "7")
    cache.trim_above_limit()
    assert old.is_dir() and not capsys.readouterr().err
    monkeypatch.setenv(cache.LIMIT, "5")
    cache.trim_above_limit()
    assert new.is_dir() and not old.exists()
    assert "more than 5 MB (SLIPWAY_CACHE_MB): 3 MB removed" in capsys.readouterr().err
    monkeypatch.setenv(cache.LIMIT, "0")
    cache.trim_above_limit()
    assert new.is_dir()


def test_the_command_shows_and_trims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slipway.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    entry("environments", "old", 40, 2)
    entry("triton", "new", 0)

    def typed(*words: str) -> str:
        return CliRunner().invoke(command, words, catch_exceptions=False).output

    assert "kept: 3.01 MB" in typed("show")  # with the folders
    assert {each["kind"] for each in json.loads(typed("show", "--json"))} == {
        "environments",
        "triton",
    }
    assert "give --to SIZE" in typed("trim")
    said = typed("trim", "--unused-for", "30", "--to", "0B")
    assert "removed: 2 MB" in said and "1 MB are left: the rest is in use" in said
    assert [path.name for path in (cache_root() / "environments").iterdir()] == []
