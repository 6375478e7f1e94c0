"""The embedded store: a key is absent or whole, is created once, and one publisher wins."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.store.directory import DirectoryStore


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "store")


def test_a_key_is_created_once(store: DirectoryStore) -> None:
    assert store.create("a/key", b"first")
    assert not store.create("a/key", b"second")
    assert store.read("a/key") == b"first"
    assert store.read("a/other") is None


def test_of_many_creators_at_once_exactly_one_wins(store: DirectoryStore) -> None:
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda n: store.create("key", str(n).encode()), range(64)))
    assert sum(won) == 1
    assert store.read("key") == str(won.index(True)).encode()


def test_a_swap_needs_the_value_that_was_read(store: DirectoryStore) -> None:
    assert store.swap("alias", None, b"one")
    assert not store.swap("alias", None, b"two")
    assert not store.swap("alias", b"zero", b"two")
    assert store.swap("alias", b"one", b"two")
    assert store.read("alias") == b"two"


def test_of_many_swaps_at_once_none_is_lost(store: DirectoryStore) -> None:
    def add_one(_: int) -> None:
        while True:
            before = store.read("counter")
            if store.swap("counter", before, str(int(before or 0) + 1).encode()):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert store.read("counter") == b"40"


def test_a_file_that_changed_since_it_was_hashed_is_not_stored(
    store: DirectoryStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"changed")
    with pytest.raises(SlipwayError, match="packing recorded"):
        store.create_file("key", tmp_path / "file", hashlib.sha256(b"before").hexdigest())
    assert store.keys("") == []


def test_keys_are_listed_without_what_is_being_written(store: DirectoryStore) -> None:
    store.create("staging/b", b"")
    store.create("staging/a", b"")
    store.create("production/c", b"")
    store.swap("staging/d", None, b"")
    (store.root / "staging" / ".aside-x").mkdir()
    (store.root / "staging" / ".aside-x" / "x").write_bytes(b"half")
    assert store.keys("staging/") == ["staging/a", "staging/b", "staging/d"]


@pytest.mark.parametrize("key", ["../outside", "/outside", "a/../../outside"])
def test_a_key_that_leads_out_is_refused(store: DirectoryStore, key: str) -> None:
    with pytest.raises(SlipwayError, match="leads out"):
        store.create(key, b"")


def test_a_killed_writer_leaves_no_key_and_the_next_one_succeeds(tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(os.urandom(1 << 20) * 200)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    code = (
        "import sys; from pathlib import Path; from slipway.store.directory import DirectoryStore;"
        "DirectoryStore(Path(sys.argv[1])).create_file('key', Path(sys.argv[2]), sys.argv[3])"
    )
    root = tmp_path / "store"
    command = [sys.executable, "-c", code, str(root), str(source), digest]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, env=env)
    while process.poll() is None and not list(root.glob(".aside-*/key")):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert DirectoryStore(root).keys("") == []
    subprocess.run(command, env=env, check=True)
    assert DirectoryStore(root).digest("key") == digest
    assert [file.name for file in root.iterdir()] == ["key"]


def test_what_a_killed_writer_left_is_cleaned_when_it_is_old(store: DirectoryStore) -> None:
    left = store.root / "staging/models/.aside-x.tar.gz-1-a"
    left.mkdir(parents=True)
    (left / "x.tar.gz").write_bytes(b"half")
    store.create("staging/models/y.tar.gz", b"whole")
    assert store.clean("") == 0
    for path in (left / "x.tar.gz", left):
        os.utime(path, (0, 0))
    assert store.clean("production/") == store.clean("staging/models/y") == 0
    assert store.clean("staging/models/x") == 1
    assert not left.exists() and store.keys("") == ["staging/models/y.tar.gz"]


def test_what_is_still_written_is_not_cleaned_however_long_ago_it_began(
    store: DirectoryStore,
) -> None:
    left = store.root / ".aside-x-1-a"
    left.mkdir(parents=True)
    (left / "x").write_bytes(b"half")
    os.utime(left, (0, 0))
    assert store.clean("") == 0 and left.exists()
