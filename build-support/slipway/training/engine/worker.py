"""The process that runs a training's stages: ``python -m slipway.training.engine.worker``.

Its standard input has a line with a token and the order, then a line for each answer. When it ends,
this process and everything that it started are killed: they never outlive who ordered them. Its
standard output is that of the stages, with lines of the token and an event as JSON between.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.engine.engine import Engine, Order
from slipway.training.stages import open_dvc


def main() -> int:
    """Run the order; return the exit status."""
    # no stage reads the answers
    answers = os.fdopen(os.dup(0), encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    token, order = json.loads(answers.readline())
    received: queue.Queue[str] = queue.Queue()

    def emit(event: Mapping[str, Any]) -> None:
        sys.stdout.write(f"{token}{json.dumps(event)}\n")
        sys.stdout.flush()

    def watch() -> None:
        for line in answers:
            received.put(line.rstrip("\n"))
        os.killpg(os.getpgrp(), signal.SIGKILL)

    def provide() -> Path:
        emit({"event": "packages"})
        return Path(received.get())

    threading.Thread(target=watch, daemon=True).start()
    try:
        with open_dvc(Path.cwd()) as repo:
            # what DVC says of each stage, and of objects that are made again, is said by events
            logging.disable(logging.WARNING)
            order |= {key: tuple(order[key]) for key in ("steps", "recorded")}
            engine = Engine(repo, Order(**order), emit, provide)

            def stop(number: int, frame: FrameType | None) -> None:
                engine.stop()

            signal.signal(signal.SIGTERM, stop)
            emit({"event": "result", **engine.run()})
    except SlipwayError as error:
        emit({"event": "error", "what": error.what, "where": error.where, "fix": error.fix})
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # not by the interpreter's end, which would wait for the thread's read
    os._exit(status)
