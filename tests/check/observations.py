"""What the real server does with each bad fixture when nobody checks it: ``observed.json``.

``python -m tests.check.observations`` writes it anew.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from slipway.triton.datatypes import Array
from tests.check import fixture_repositories as repositories
from tests.check.mutation import interface
from tests.check.placing import by_chance, place
from tests.check.real_server import DEAD, Outcome, RealServer, as_arrays, difference

OBSERVED = Path(__file__).with_name("observed.json")
SERVERS = 3
LONGEST = 300
PLAIN = (
    (
        re.compile(
            r"load failed for model 'MODEL': ensemble 'MODEL' depends on ('\w+') which has no loaded"
            r" version\. Model '\w+' loading failed with error: "
        ),
        r"\1: ",
    ),
    # the server's own files lie elsewhere on each machine
    (re.compile(r"[^' ]*/triton/[^'/ ]*/(?=python|onnxruntime)"), "/opt/tritonserver/backends/"),
    # which tensor is named first is chance
    (re.compile(r"(unexpected shape for input) '\w+' (for model '\w+')\..*"), r"\1 … \2"),
)
AMBIGUOUS = re.compile(r"contains models that are not available or ambiguous: (\S+)")
POLL = "400 failed to load 'MODEL', failed to poll from model repository"
AS_SAID = "an answer as the config promises"
NOT_AS_SAID = "an answer without an output that the config promises"
CHANCE = "the model answers that the file system lists last"
RIGHT = "the answer is right"
WORDS: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)
SOUND = as_arrays({"WORDS": WORDS})

type Observation = dict[str, str]
"""``load`` and, where that is 200, ``invoke``: what the server answers."""


def observe(names: Iterable[str]) -> dict[str, Observation]:
    """Each fixture as an endpoint would load it; then it is asked once."""
    with tempfile.TemporaryDirectory(prefix="slipway-observations-") as name, ExitStack() as stack:
        work = Path(name)
        free: SimpleQueue[RealServer] = SimpleQueue()
        for number in range(SERVERS):
            free.put(stack.enter_context(RealServer(work / f"server{number}")))

        def observed(name: str) -> Observation:
            server = free.get()
            try:
                return _observed(name, work, server, right)
            finally:
                free.put(server)

        server = free.get()
        right = server.outcome(repositories.make("good", work / "good"), [SOUND])
        free.put(server)
        chosen = sorted(names)
        with ThreadPoolExecutor(SERVERS) as pool:
            return dict(zip(chosen, pool.map(observed, chosen)))


def _observed(name: str, work: Path, server: RealServer, right: Outcome) -> Observation:
    folder = repositories.make(name, work / name)
    others = sorted(path for path in folder.parent.iterdir() if path != folder)
    if not others and _placed(folder) == _placed(work / "good/models/sound"):
        return {"load": "200", "invoke": RIGHT}  # the server gets the very same files
    told, sound = interface.declared(folder), interface.declared(work / "good/models/sound")
    if told is None or sound is None or interface.same(told, sound):
        got = server.outcome(folder, [SOUND], others)
        invoked = _short(difference(right, got)) or RIGHT
    else:
        # another model than the sound one: it is asked for what its config says
        got = server.outcome(folder, [interface.asked(told)], others)
        errors = [answer for answer in got.answers if isinstance(answer, str)]
        kept = AS_SAID if interface.kept(told, got) else NOT_AS_SAID
        invoked = _short(errors[0]) if errors else kept
    if got.refused:
        return {"load": _loading(got.refused, folder), "invoke": ""}
    return {"load": "200", "invoke": CHANCE if by_chance(folder) else invoked}


def _placed(folder: Path) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="slipway-observations-") as name:
        place(folder, Path(name) / "model")
        files = [path for path in Path(name).rglob("*") if path.is_file()]
        return {path.relative_to(name).as_posix(): path.read_bytes() for path in files}


def _loading(message: str, folder: Path) -> str:
    unavailable = AMBIGUOUS.search(message)
    if unavailable and (folder / unavailable[1]).is_dir():
        # refused by its config: this is said or that, by the order of directories
        return POLL
    # 24.10 frees what it has not made, and dies of it before or after it has answered
    return DEAD if "initial_state" in message else _short(message)


def _short(message: str) -> str:
    """The first line, of a composing model's failure its own words."""
    line = (message.strip().splitlines() or [""])[0].rstrip(";")
    for pattern, plain in PLAIN:
        line = pattern.sub(plain, line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def main() -> None:
    """Write :data:`OBSERVED`."""
    text = json.dumps(observe(repositories.names()), indent=1, ensure_ascii=False)
    OBSERVED.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
