"""What was captured against what was sent, while the endpoint is killed again and again."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from slipway.capture.location import CaptureLocation
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.endpoint import detached, registry
from slipway.triton import kserve
from tests.endpoint.shelf import Shelf, client

TARGET = "scripted_7.0.0.tar.gz"
RELEASE = 7
CLIENTS = 4
KILLS = 2
LEAST = 40  # answers before a kill
SEED = 14


class Traffic:
    """Clients that each send one request after the other, with values that occur once."""

    def __init__(self) -> None:
        self.values = itertools.count()
        self.answered: dict[str, int] = {}  # the value that was sent, by the request's id

    def has(self, count: int) -> bool:
        """Return whether there are ``count`` answers."""
        return len(self.answered) >= count

    def send(self, url: str, ended: threading.Event) -> None:
        """Send until ``ended``, or until there is no answer."""
        runtime = client(url)
        while not ended.is_set():
            value = next(self.values)
            body, content_type = kserve.encode({"X": np.full(2, value, np.float32)})
            try:
                answer = runtime.invoke_endpoint(
                    EndpointName="local", TargetModel=TARGET, Body=body, ContentType=content_type
                )
                outputs = kserve.decode(answer["Body"].read(), answer["ContentType"])
            except (ClientError, BotoCoreError, HTTPClientError, OSError):
                return
            np.testing.assert_array_equal(outputs["Y"], np.full(2, 2 * value + RELEASE, np.float32))
            self.answered[answer["ResponseMetadata"]["RequestId"]] = value

    def run(self, url: str, until: Callable[[], object], end: Callable[[], object]) -> set[str]:
        """Send until ``until``, then call ``end`` amid requests; return the ids of answers."""
        before, ended = set(self.answered), threading.Event()
        threads = [
            threading.Thread(target=self.send, args=(url, ended), daemon=True)
            for _ in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 60
        while not until() and time.monotonic() < deadline:
            time.sleep(0.001)
        end()
        ended.set()
        for thread in threads:
            thread.join(60)
        return set(self.answered) - before


def kill(pid: int) -> None:
    """Kill a process, and wait for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def captured(folder: Path) -> dict[str, CapturedRequest]:
    """Everything, by id; a line that is not whole or an id that is there twice is an error."""
    for path in folder.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            json.loads(line)
    since = datetime.now(UTC) - timedelta(days=1)
    records = list(read_captured(CaptureLocation(folder=folder), since=since))
    by_id = {record.event_id: record for record in records}
    assert len(by_id) == len(records)
    return by_id


def test_captures_equal_what_was_sent_and_answered(
    shelf: Shelf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    artifact = shelf.packed(RELEASE)
    shelf.write(TARGET, artifact)
    shelf.record(TARGET, artifact)
    folder, chance, traffic = tmp_path / "captures", random.Random(SEED), Traffic()
    (tmp_path / "slipway.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    arguments = ["--port=0", f"--store={shelf.folder}", f"--capture={folder}"]
    segments: list[set[str]] = []
    for number in range(KILLS + 1):
        url = detached.start(tmp_path, ["local"], arguments, 120)
        pid = registry.find_pid(tmp_path, "local")
        assert pid is not None
        count = len(traffic.answered) + LEAST + chance.randrange(60)
        end = partial(kill, pid) if number < KILLS else partial(detached.stop, tmp_path, ["local"])
        segments.append(traffic.run(url, partial(traffic.has, count), end))
    deadline = time.monotonic() + 60
    while any((folder / ".spool").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)  # the writers of killed endpoints end by themselves
    records = captured(folder)
    for event_id, record in records.items():
        value = float(record.inputs["X"][0])
        if event_id in traffic.answered:  # else the answer was lost on its way, by the kill
            assert value == traffic.answered[event_id]
        assert (record.inputs["X"] == value).all() and record.target == TARGET
        assert (record.outputs["Y"] == 2 * value + RELEASE).all()
    values = [float(record.inputs["X"][0]) for record in records.values()]
    assert len(set(values)) == len(values)
    missing = [len(segment - set(records)) for segment in segments]
    figures = {"answered": len(traffic.answered), "captured": len(records), "missing": missing}
    record_property("figures", json.dumps(figures))
    print(figures)
    assert len(traffic.answered) >= (KILLS + 1) * LEAST
    assert missing[-1] == 0  # it was stopped, not killed
    # what a killed endpoint had handed over is written; the rest was in its queue
    assert all(left < len(segment) for left, segment in zip(missing, segments, strict=True))
