"""How the real server handles each bad fixture without a check: ``observed.json``.

``PYTHONPATH=build-support:. python -m tests.check.observations`` asks for the fixtures that are new
or changed, and with ``--all`` for each.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from slipway.triton.datatypes import Array
from tests.check import fixture_repositories as repositories
from tests.check.endpoint_layout import copy_as_packed, is_served_by_chance
from tests.check.mutation import interface
from tests.check.real_server import DEAD, Outcome, RealServer, as_arrays, difference

OBSERVED = Path(__file__).with_name("observed.json")
SERVERS = 3
LONGEST = 300
PLAIN = (
    (
        re.compile(
            r"load failed for model 'MODEL': ensemble 'MODEL' depends on ('\w+') which has no"
            r" loaded version\. Model '\w+' loading failed with error: "
        ),
        r"\1: ",
    ),
    # the server's own files are in another folder on each machine
    (
        re.compile(r"[^' ]*/triton/[^'/ ]*/(?=python|onnxruntime|fil|openvino|pytorch)"),
        "/opt/tritonserver/backends/",
    ),
    # Treelite says when
    (re.compile(r"\[\d\d:\d\d:\d\d\] "), ""),
    # the server names an arbitrary tensor first
    (re.compile(r"(unexpected shape for input) '\w+' (for model '\w+')\..*"), r"\1 … \2"),
)
AMBIGUOUS = re.compile(r"contains models that are not available or ambiguous: (\S+)")
POLL = "400 failed to load 'MODEL', failed to poll from model repository"
AS_PROMISED = "an answer as the config promises"
NOT_AS_PROMISED = "an answer without an output that the config promises"
CHANCE = "the model answers that the file system lists last"
RIGHT = "the answer is right"
WORDS: Array = np.array([[b"area"], [b"open sea"]], dtype=np.object_)
VALID_REQUEST = as_arrays({"WORDS": WORDS})

SOMETIMES = "sometimes"
FILES = "files"

type Observation = dict[str, str]
"""The server's answers: ``load`` and, where that is 200, ``invoke``.

``sometimes`` is what the same load ends in at other times, of the core's own accord. ``files`` is
the digest of the files that were served.
"""


def observe(names: Iterable[str]) -> dict[str, Observation]:
    """Load each fixture as an endpoint does and invoke it once; return the answers."""
    with tempfile.TemporaryDirectory(prefix="slipway-observations-") as name, ExitStack() as stack:
        work = Path(name)
        free: SimpleQueue[RealServer] = SimpleQueue()
        for number in range(SERVERS):
            free.put(stack.enter_context(RealServer(work / f"server{number}")))

        def observe_one(name: str) -> Observation:
            server = free.get()
            try:
                return _observe_one(name, work, server, right)
            finally:
                free.put(server)

        server = free.get()
        right = server.outcome(repositories.make("good", work / "good"), [VALID_REQUEST])
        free.put(server)
        chosen = sorted(names)
        with ThreadPoolExecutor(SERVERS) as pool:
            return dict(zip(chosen, pool.map(observe_one, chosen), strict=True))


def is_as_observed(answer: Observation, observed: Observation) -> bool:
    """Return whether ``answer`` is what was observed, or what was observed sometimes."""
    usual = {name: text for name, text in observed.items() if name not in (SOMETIMES, FILES)}
    return answer == usual or answer == {"load": observed.get(SOMETIMES), "invoke": ""}


def files_digest(name: str) -> str:
    """Return the digest of a fixture: its files, and the good ones that it changes."""
    digest = hashlib.sha256()
    for folder in (repositories.GOOD, repositories.BAD / name):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != "expected.txt" and path.suffix != ".pyc":
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


def _observe_one(name: str, work: Path, server: RealServer, right: Outcome) -> Observation:
    folder = repositories.make(name, work / name)
    others = sorted(path for path in folder.parent.iterdir() if path != folder)
    completes = not repositories.load_settings(work / name).explicit_tensors
    if (
        not others
        and not completes
        and _endpoint_files(folder) == _endpoint_files(work / "good/models/sound")
    ):
        return {"load": "200", "invoke": RIGHT}  # the server gets the same files
    config = interface.served_config(folder)
    valid_config = interface.served_config(work / "good/models/sound")
    if config is None or valid_config is None or interface.is_same(config, valid_config):
        outcome = server.outcome(folder, [VALID_REQUEST], others, auto_complete=completes)
        invoked = _short(difference(right, outcome)) or RIGHT
    else:
        # another interface than the valid model's: the request follows its own config
        request = interface.build_request(config)
        outcome = server.outcome(folder, [request], others, auto_complete=completes)
        errors = [answer for answer in outcome.answers if isinstance(answer, str)]
        promise = AS_PROMISED if interface.keeps_promise(config, outcome) else NOT_AS_PROMISED
        invoked = _short(errors[0]) if errors else promise
    if outcome.refused:
        return {"load": _load_answer(outcome.refused, folder), "invoke": ""}
    return {"load": "200", "invoke": CHANCE if is_served_by_chance(folder) else invoked}


def _endpoint_files(folder: Path) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="slipway-observations-") as name:
        copy_as_packed(folder, Path(name) / "model")
        files = [path for path in Path(name).rglob("*") if path.is_file()]
        return {path.relative_to(name).as_posix(): path.read_bytes() for path in files}


def _load_answer(message: str, folder: Path) -> str:
    unavailable = AMBIGUOUS.search(message)
    if unavailable and (folder / unavailable[1]).is_dir():
        # refused because of its config: the message depends on the order of directories
        return POLL
    # 24.10 frees memory that it did not allocate, and dies before or after it has answered
    return DEAD if "initial_state" in message else _short(message)


def _short(message: str) -> str:
    """Return the first line; for a failure of a composing model, that model's own message."""
    line = (message.strip().splitlines() or [""])[0].rstrip(";")
    for pattern, plain in PLAIN:
        line = pattern.sub(plain, line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def main() -> None:
    """Write :data:`OBSERVED`; what the file says of ``sometimes`` stays."""
    before: dict[str, Observation] = json.loads(OBSERVED.read_text(encoding="utf-8"))
    digests = {name: files_digest(name) for name in repositories.names()}
    asked = [
        name
        for name, digest in digests.items()
        if "--all" in sys.argv or before.get(name, {}).get(FILES) != digest
    ]
    observed = {name: before[name] for name in digests if name in before}
    for name, answer in (observe(asked) if asked else {}).items():
        if not is_as_observed(answer, before.get(name, {})):
            observed[name] = answer
    written = {name: observed[name] | {FILES: digest} for name, digest in digests.items()}
    OBSERVED.write_text(f"{json.dumps(written, indent=1, ensure_ascii=False)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
