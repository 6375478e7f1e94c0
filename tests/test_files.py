"""A file or folder is absent or whole, whatever happens to its writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.files import atomic_write, locked


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(RuntimeError), atomic_write(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder(tmp_path: Path) -> None:
    for content in ("one", "two"):
        with atomic_write(tmp_path / "folder") as aside:
            aside.mkdir()
            (aside / content).touch()
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["two"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with atomic_write(tmp_path / "file") as aside:
            aside.write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_what_a_dead_writer_left_is_removed_by_the_next_and_a_live_one_s_stays(
    tmp_path: Path,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f".aside-file-{gone.pid}-x"
    alive = tmp_path / f".aside-file-{os.getppid()}-y"
    dead.mkdir()
    alive.mkdir()
    with atomic_write(tmp_path / "file") as aside:
        aside.write_text("x")
    assert not dead.exists() and alive.exists()


def test_a_lock_keeps_another_process_out(tmp_path: Path) -> None:
    code = (
        "import sys; from filelock import FileLock, Timeout\n"
        "try: FileLock(sys.argv[1]).acquire(timeout=0.05)\n"
        "except Timeout: sys.exit(7)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with locked(tmp_path / "lock"):
        assert subprocess.run(command, env=env, check=False).returncode == 7
    assert subprocess.run(command, env=env, check=False).returncode == 0
