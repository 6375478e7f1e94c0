"""The disk cache: fetched once, never refreshed, never larger than it may be."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from slipway.endpoint import endpoint as engine
from tests.endpoint.conftest import Opener
from tests.endpoint.shelf import Shelf, until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask beside the test's own."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def test_an_overwritten_object_is_served_stale_with_a_warning(
    up: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHECK_S", 0.05)
    target = shelf.put(1, "model.tar.gz")
    other = shelf.put(3)
    with up(models=1) as running:
        assert running.release(target) == 1
        shelf.put(2, target)
        until(lambda: running.events("stale"))
        assert running.events("stale") == [("stale", target)]
        assert running.release(target) == 1
        # not even after it was evicted and loaded again
        assert running.release(other) == 3
        until(lambda: running.loaded() == [other])
        assert running.release(target) == 1
        assert running.events("download") == [("download", target), ("download", other)]


def test_a_deleted_object_is_served_while_it_is_on_the_disk(
    up: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CHECK_S", 0.05)
    target, other = shelf.put(1), shelf.put(2)
    with up(models=1) as running:
        assert running.release(target) == 1
        shelf.path(target).unlink()
        assert running.release(other) == 2
        until(lambda: running.loaded() == [other])
        assert running.release(target) == 1
        assert running.events("stale") == []


def test_once_it_had_to_leave_the_disk_a_deleted_object_is_gone_and_an_overwritten_one_is_new(
    up: Opener, shelf: Shelf
) -> None:
    a, b, c = (shelf.put(number) for number in (1, 2, 3))
    with up() as running:
        running.ask(a)
        size = running.inside.disk.extracted[a].size
    with up(disk=size + 4096) as running:
        running.ask(a)
        running.ask(b)
        shelf.put(4, a)
        shelf.path(b).unlink()
        assert running.release(a) == 4
        with pytest.raises(running.errors.ValidationError, match="object does not exist"):
            running.ask(b)
        assert running.release(c) == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", b"\x1f\x8b\x08\x00", b"PK\x03\x04"],
    ids=["empty", "text", "cut", "zip"],
)
def test_what_is_no_artifact_is_a_validation_error_and_takes_no_disk(
    up: Opener, shelf: Shelf, content: bytes
) -> None:
    target = shelf.write("broken.tar.gz", content)
    with up() as running:
        with pytest.raises(running.errors.ValidationError, match="not a complete tar.gz"):
            running.ask(target)
        assert running.inside.disk.used_bytes == 0
        shelf.put(1, target)
        assert running.release(target) == 1


def test_an_object_other_than_the_published_one_is_refused_and_takes_no_disk(
    up: Opener, shelf: Shelf
) -> None:
    good, cut = shelf.packed(1), shelf.changed(1, {"scripted/config.pbtxt": b""})
    target = shelf.write("scripted_1.0.0.tar.gz", good)
    shelf.record(target, good)
    other = shelf.write("scripted_2.0.0.tar.gz", cut)
    shelf.record(other, good)
    same_size = shelf.write("scripted_3.0.0.tar.gz", good)
    shelf.record(same_size, good[:-1] + b"x")
    with up() as running:
        assert running.release(target) == 1
        used = running.inside.disk.used_bytes
        with pytest.raises(running.errors.ValidationError, match=r"bytes, [\d,]+ were published"):
            running.ask(other)
        with pytest.raises(running.errors.ValidationError, match="SHA-256 .* was published"):
            running.ask(same_size)
        assert running.inside.disk.used_bytes == used
        assert set(running.inside.disk.extracted) == {target}
        shelf.write(other, good)
        assert running.release(other) == 1


def test_downloads_that_begin_together_find_room_one_after_the_other(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor
) -> None:
    targets = [shelf.put(number) for number in range(6)]
    with up() as running:
        running.ask(targets[0])
        size = running.inside.disk.extracted[targets[0]].size
    with up(disk=2 * size + 4096) as running:
        asked = [pool.submit(running.release, target) for target in targets]
        assert [one.result() for one in asked] == list(range(6))
        assert running.inside.disk.used_bytes <= 2 * size + 4096


def test_the_end_waits_for_a_download_and_leaves_no_folder(
    up: Opener, shelf: Shelf, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = shelf.put(1)
    began, goes_on = threading.Event(), threading.Event()
    with up(not_ready_s=0.2) as running:
        objects = running.inside.disk._objects
        opened = objects.open

        def slow(name: str) -> object:
            began.set()
            goes_on.wait(30)
            return opened(name)

        monkeypatch.setattr(objects, "open", slow)
        folder = running.inside.disk.folder(target).parent.parent
        with pytest.raises(running.errors.ModelNotReadyException):
            running.ask(target)
        assert began.wait(30)
        threading.Timer(0.5, goes_on.set).start()
    assert not folder.exists()


def test_store_that_breaks_off_is_told_and_asked_again(
    up: Opener, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = shelf.put(1)
    whole = shelf.path(target).read_bytes()

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= len(whole) // 2:
                raise ConnectionResetError(104, "Connection reset by peer")
            return super().read(1000)

        def readinto(self, into: Any, /) -> int:
            data = self.read(len(into))
            into[: len(data)] = data
            return len(data)

    with up() as running:
        objects = running.inside.disk._objects
        monkeypatch.setattr(objects, "open", lambda name: Broken(whole))
        with pytest.raises(running.errors.ValidationError, match="Connection reset by peer"):
            running.ask(target)
        assert running.inside.disk.used_bytes == 0
        monkeypatch.undo()
        assert running.release(target) == 1
