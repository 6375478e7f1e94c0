"""Have a process run the stages of a training, and pass on what they print."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import slipway
from slipway.disk import disk_error_of_program
from slipway.errors import SlipwayError
from slipway.training.engine.engine import Order
from slipway.training.engine.environment import provide_environment
from slipway.units import format_seconds

TAIL = 20  # lines of the output that an error quotes


@dataclass(frozen=True)
class Executed:
    """What :func:`slipway.training.record.summarize` returned, and what could not be pushed."""

    summary: dict[str, Any]
    not_pushed: tuple[str, ...]


def execute(
    work: Path, order: Order, report: Callable[[str], object], log: Path, *, grace: float = 10.0
) -> Executed:
    """Run the stages of ``order`` in the checkout ``work``, and wait for them.

    ``report`` is called with each line of progress; the file ``log`` gets the stages' output, too.
    If this process is interrupted, the stages get SIGTERM, and ``grace`` seconds later SIGKILL.

    Raises:
        SlipwayError: a stage failed, or the model cannot be trained; quotes the last lines.
    """
    token = f"\x1e{secrets.token_hex(16)} "
    library = str(Path(slipway.__file__).resolve().parent.parent)
    log.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway.training.engine.worker"],
        cwd=work,
        env=os.environ | {"PYTHONPATH": library, "DVC_NO_ANALYTICS": "1", "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        with log.open("w", encoding="utf-8") as lines:
            return _follow(process, token, order, work, report, lines, log)
    except BaseException:
        _stop(process, grace)
        raise
    finally:
        # what a stage left running
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _follow(
    process: subprocess.Popen[str],
    token: str,
    order: Order,
    work: Path,
    report: Callable[[str], object],
    lines: Any,
    log: Path,
) -> Executed:
    assert process.stdin is not None and process.stdout is not None
    _send(process, json.dumps([token, asdict(order)]))
    stages: list[str] = []
    not_pushed: list[str] = []
    printed: list[str] = []
    for line in process.stdout:
        text, separator, payload = line.rstrip("\n").partition(token)
        if text or not separator:
            lines.write(text + "\n")
            printed = [*printed, text][-TAIL:]
            report(f"  {text}")
        if not separator:
            continue
        event = json.loads(payload)
        kind = event.pop("event")
        if kind == "plan":
            stages = event["stages"]
        elif kind == "packages":
            report("packages of the training …")
            _send(process, str(provide_environment(work / "models" / order.model)))
        elif kind == "stage":
            printed = []
            report(f"{event['name']}: {event['cmd']}")
        elif kind == "done":
            took = f" ({format_seconds(event['seconds'])})" if event["seconds"] else ""
            report(f"{_position(event['name'], stages)}{event['name']}: {event['source']}{took}")
        elif kind == "not pushed":
            not_pushed.append(f"{event['name']}: {event['why']}")
        elif kind == "error":
            raise _error(event, printed, log, work)
        elif kind == "result":
            return Executed(event, tuple(not_pushed))
    status = process.wait()
    raise _error(
        {
            "what": f"the training's process ended with status {status}",
            "where": None,
            "fix": "start it again; -9 is a process that was killed, such as for its memory",
        },
        printed,
        log,
        work,
    )


def _position(name: str, stages: list[str]) -> str:
    return f"[{stages.index(name) + 1}/{len(stages)}] " if name in stages else ""


def _error(event: dict[str, str | None], printed: list[str], log: Path, work: Path) -> SlipwayError:
    # paths are those of the checkout, not of its copy
    inside = f"{work}{os.sep}"
    where, fix, failed = (
        text and text.replace(inside, "") for text in (event["where"], event["fix"], event["what"])
    )
    assert failed is not None
    quoted = "\n  ".join(line for line in printed if line.strip())
    explained = disk_error_of_program(quoted, failed)
    if explained is not None:
        return explained
    what = f"{failed}\n  {quoted}\n  all of its output: {log}" if quoted else failed
    return SlipwayError(what, where=where, fix=fix)


def _send(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its output says why it ended
        process.stdin.write(line + "\n")
        process.stdin.flush()


def _stop(process: subprocess.Popen[str], grace: float) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
        # a full pipe would keep it from ending; closing its input would kill it
        deadline_read(process, grace)


def deadline_read(process: subprocess.Popen[str], seconds: float) -> None:
    """Read and drop what the process prints, until it ends or ``seconds`` have passed."""
    import threading

    def drain() -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError):
            for _ in process.stdout:
                pass

    threading.Thread(target=drain, daemon=True).start()
    process.wait(seconds)
