"""The soak: many releases, little room, a server that is killed every minute, and golden answers.

    PYTHONPATH=build-support:. python -m tests.endpoint.soak --minutes 10

``slipway endpoint up`` runs in a process of its own with room for four models. Sixteen callers ask
30 releases of 5 models with a Zipf popularity; each answer is compared with what that release's
artifact would answer. Among the target models are ones that were never published, whose objects
are deleted on the way, and broken tarballs. Exits with 1 on a wrong answer, a failure that nothing
explains, or something left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from botocore.exceptions import BotoCoreError, ClientError

import slipway
from slipway.endpoint import registry
from slipway.errors import SlipwayError
from slipway.triton import kserve
from tests.endpoint.leftovers import Held, held, servers
from tests.endpoint.shelf import Shelf, client, until

MODELS, RELEASES, CALLERS, ROOM = 5, 30, 16, 4
MISSING, DELETED = 1, 3
ZIPF = 1.3
LONGEST_SESSION = 30  # requests that a caller makes for one target before it draws the next
# after a kill: restart, and loads that it cut off
GRACE_S = 20.0
GROWTH = 8 << 20  # bytes by which the endpoint's process may have grown: pools, caches, series


@dataclass
class Tally:
    """What the callers saw. ``failures`` by (target's kind, error, reason)."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    failures: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> int:
        """All that were asked."""
        return self.right + len(self.wrong) + self.failures.total()


@dataclass
class Targets:
    """What is asked for, the most popular first, and what is known of each."""

    golden: dict[str, int]
    broken: set[str]
    missing: set[str]
    deleted: set[str] = field(default_factory=set)

    def kind(self, target: str) -> str:
        """good, deleted, broken or missing."""
        if target in self.deleted:
            return "deleted"
        return "good" if target in self.golden else "broken" if target in self.broken else "missing"


class Soak:
    """One run in ``folder``."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.shelf = Shelf(folder / "shelf")
        self.random = random.Random(seed)
        self.targets = self._publish()
        self.tally = Tally()
        self.kills: list[float] = []
        self.end = threading.Event()
        self.url = ""

    def _publish(self) -> Targets:
        golden = {}
        for number in range(RELEASES):
            name = f"model{number % MODELS}_1.{number // MODELS}.0.tar.gz"
            golden[self.shelf.put(1000 + number, name)] = 1000 + number
        whole = self.shelf.packed(1)
        broken = {
            self.shelf.write("broken_cut.tar.gz", whole[: len(whole) // 2]),
            self.shelf.write("broken_text.tar.gz", b"no archive"),
        }
        return Targets(golden, broken, {f"missing_{n}.tar.gz" for n in range(MISSING)})

    def start(self) -> subprocess.Popen[bytes]:
        """The endpoint, once it is up."""
        (self.folder / "slipway.toml").touch()
        library = str(Path(slipway.__file__).parent.parent)
        command = "-m slipway endpoint up --port 0 --shared-machine".split()
        command += ["--models", str(ROOM), "--store", str(self.shelf.folder)]
        with (self.folder / "endpoint.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": library, "TMPDIR": str(self.temporary)},
                stdout=log,
                stderr=log,
            )

        def is_up() -> bool:
            assert process.poll() is None, (self.folder / "endpoint.log").read_text()
            try:
                self.url = registry.find_url(self.folder, "local")
            except SlipwayError:
                return False
            return True

        until(is_up)
        return process

    def caller(self, number: int) -> None:
        """Ask until the end."""
        chance = random.Random(self.random.random() + number)
        order = [*self.targets.golden, *self.targets.broken, *self.targets.missing]
        random.Random(7).shuffle(order)
        weights = [1 / rank**ZIPF for rank in range(1, len(order) + 1)]
        boto3 = client(self.url)
        while not self.end.is_set():
            (target,) = chance.choices(order, weights)
            for _ in range(chance.randint(1, LONGEST_SESSION)):
                if not self._ask(boto3, target, np.float32(chance.randrange(1000))):
                    break

    def _ask(self, boto3: Any, target: str, x: np.float32) -> bool:
        """One invocation; whether there was an answer."""
        body, content_type = kserve.encode({"X": np.array([x], np.float32)})
        began, kind = time.monotonic(), self.targets.kind(target)
        try:
            answer = boto3.invoke_endpoint(
                EndpointName="local", TargetModel=target, Body=body, ContentType=content_type
            )
            outputs = kserve.decode(answer["Body"].read(), answer["ContentType"])
        except (ClientError, BotoCoreError) as error:
            # it may have been deleted meanwhile
            self._failed({kind, self.targets.kind(target)}, target, error, began)
            return False
        said = float(outputs["Y"][0]), outputs["RELEASE"][0]
        release = self.targets.golden.get(target)
        golden = (float(2 * x + release), str(release).encode()) if release else None
        with self.tally.lock:
            if said == golden:
                self.tally.right += 1
            else:
                self.tally.wrong.append(f"{target}: {said} instead of {golden}")
        return True

    def _failed(self, kinds: set[str], target: str, error: Exception, began: float) -> None:
        response: dict[str, Any] = getattr(error, "response", {})
        code = str(response.get("Error", {}).get("Code", type(error).__name__))
        message = str(response.get("Error", {}).get("Message", error))
        why = self._why(kinds, code, message, began)
        with self.tally.lock:
            shown = why or f"unexplained: {message[:120]}"
            self.tally.failures["/".join(sorted(kinds)), code, shown] += 1
            if not why:
                self.tally.unexplained.append(f"{target}: {code}: {message}")

    def _why(self, kinds: set[str], code: str, message: str, began: float) -> str:
        """What explains a failure; nothing, if nothing does."""
        if code == "ValidationError":
            if kinds & {"missing", "deleted"} and "object does not exist" in message:
                return "the object does not exist"
            if "broken" in kinds and "not a complete tar.gz" in message:
                return "a broken tarball"
        killed = [kill for kill in self.kills if began - GRACE_S < kill < time.monotonic()]
        if killed and code == "ModelError" and "server ended while it answered" in message:
            return "the server was killed while it answered"
        if killed and code == "ModelError" and "died twice during the load" in message:
            return "the server was killed twice while it loaded"
        if code == "ModelNotReadyException":
            return "its turn to be loaded did not come in 60 s"
        return ""

    def kill(self, endpoint: int) -> None:
        """SIGKILL for tritonserver."""
        for server in servers(psutil.Process(endpoint).children(recursive=True)):
            self.kills.append(time.monotonic())
            with suppress(psutil.NoSuchProcess):
                server.kill()

    def delete(self) -> None:
        """Delete the object of a release that nobody asks for much."""
        left = [t for t in self.targets.golden if t not in self.targets.deleted]
        target = self.random.choice(left)
        self.targets.deleted.add(target)
        self.shelf.path(target).unlink()

    def counts(self) -> dict[str, int]:
        """The endpoint's own counters."""
        with urllib.request.urlopen(f"{self.url}/state", timeout=30) as answer:
            state = json.load(answer)
        counts: dict[str, int] = state["endpoints"]["local"]["counts"]
        return counts


def soak(folder: Path, seconds: float, every_s: float, seed: int = 4) -> tuple[Soak, list[str]]:
    """Run it; what is wrong, a line each. ``every_s`` seconds the server is killed."""
    run = Soak(folder, seed)
    process = run.start()
    try:
        return run, _watched(run, process, seconds, every_s)
    finally:
        run.end.set()
        process.kill()
        process.wait()


def _watched(
    run: Soak, process: subprocess.Popen[bytes], seconds: float, every_s: float
) -> list[str]:
    at: dict[str, Held] = {"start": held(process.pid, run.temporary)}
    callers = [threading.Thread(target=run.caller, args=[n]) for n in range(CALLERS)]
    began = time.monotonic()
    for caller in callers:
        caller.start()
    events: list[tuple[float, Callable[[], object]]] = []
    events += [(every_s * (n + 0.5), lambda: run.kill(process.pid)) for n in range(999)]
    events += [(seconds * (n + 1) / (DELETED + 1), run.delete) for n in range(DELETED)]
    events += [(seconds / 2, lambda: at.update(middle=held(process.pid, run.temporary)))]
    for when, happens in sorted(events, key=lambda event: event[0]):
        if when >= seconds - 2:
            break
        time.sleep(max(0.0, began + when - time.monotonic()))
        happens()
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    run.end.set()
    for caller in callers:
        caller.join()
    took = time.monotonic() - began
    counts = run.counts()
    time.sleep(3)  # evictions under way
    at["end"] = held(process.pid, run.temporary)
    process.terminate()
    process.wait(60)
    at["after"] = held(process.pid, run.temporary)
    _print(run, took, counts, at)
    return _wrong(run, counts, at, process.returncode)


def _wrong(run: Soak, counts: dict[str, int], at: dict[str, Held], code: int) -> list[str]:
    tally = run.tally
    wrong = [f"wrong answer: {said}" for said in tally.wrong]
    wrong += [f"unexplained: {said}" for said in tally.unexplained]
    if at["after"] != Held(0, 0, 0, 0, 0):
        wrong.append(f"left behind: {at['after']}")
    if code:
        wrong.append(f"the endpoint's exit status was {code}")
    if counts.get("restart", 0) != len(run.kills):
        wrong.append(f"{counts.get('restart', 0)} restarts for {len(run.kills)} kills")
    log = (run.folder / "endpoint.log").read_text(encoding="utf-8", errors="replace")
    if "Traceback" in log or "a bug in slipway" in log:
        wrong.append(f"a traceback in {run.folder / 'endpoint.log'}")
    middle, end = at.get("middle", at["start"]), at["end"]
    if end.memory > middle.memory + GROWTH:
        wrong.append(f"memory grew from {middle.memory:,} to {end.memory:,} bytes")
    if end.files > middle.files + 20:
        wrong.append(f"open files grew from {middle.files} to {end.files}")
    return wrong


def _print(run: Soak, took: float, counts: dict[str, int], at: dict[str, Held]) -> None:
    tally = run.tally
    rows = [
        ("requests", f"{tally.requests:,}"),
        ("rate", f"{tally.requests / took:.0f}/s for {took:.0f} s"),
        ("right answers", f"{tally.right:,}"),
        ("wrong answers", f"{len(tally.wrong)}"),
        ("failed", f"{tally.failures.total():,}"),
        ("unexplained", f"{len(tally.unexplained)}"),
        ("cold starts", f"{counts.get('load', 0):,}"),
        ("downloads", f"{counts.get('download', 0):,}"),
        ("evictions", f"{counts.get('evict', 0):,}"),
        ("kills, restarts", f"{len(run.kills)}, {counts.get('restart', 0)}"),
    ]
    for name, value in rows:
        print(f"{name:<18}{value:>24}")
    print()
    for (kind, code, why), count in tally.failures.most_common():
        print(f"{count:>8,}  {kind:<14} {code:<24} {why}")
    print(f"\n{'':<8}{'memory':>14}{'disk':>14}{'/dev/shm':>14}{'processes':>11}{'files':>7}")
    for when, was in at.items():
        print(
            f"{when:<8}{was.memory:>14,}{was.disk:>14,}{was.shared:>14,}"
            f"{was.processes:>11}{was.files:>7}"
        )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="The endpoint's soak test.")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kill-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slipway_soak_") as folder:
        _, wrong = soak(Path(folder), 60 * given.minutes, given.kill_every, given.seed)
    for line in wrong[:20]:
        print(f"WRONG {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
