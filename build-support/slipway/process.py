"""Run other programs: without a shell, with their output captured and quoted in errors."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.disk import disk_error_of_program
from slipway.errors import SlipwayError

FIRST_LINES = 6  # many programs name the culprit first and list the details after it
LAST_LINES = 20


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    fix: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` and return it with its captured output.

    ``what`` names the step for the user ("locking models/x/requirements.txt").

    Raises:
        SlipwayError: the program is missing, or ended with another status than 0.
        DiskError: it ended because a disk is full or read-only.
    """
    command = [str(argument) for argument in argv]
    try:
        completed = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            input=stdin,
            encoding="utf-8",
            errors="replace",  # text from outside, such as a commit's subject, may hold any bytes
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise SlipwayError(
            f"{what}: the program {command[0]!r} is not installed", fix=fix
        ) from error
    if completed.returncode != 0:
        text = completed.stderr.strip() or completed.stdout.strip()
        if completed.returncode == -signal.SIGXFSZ:
            text = os.strerror(errno.EFBIG)
        disk_error = disk_error_of_program(text, what)
        if disk_error is not None:
            raise disk_error
        lines = text.splitlines()
        if len(lines) > FIRST_LINES + LAST_LINES:
            lines[FIRST_LINES:-LAST_LINES] = ["…"]
        text = "\n  ".join(lines) if lines else "(no output)"
        raise SlipwayError(f"{what}: {Path(command[0]).name} failed\n  {text}", fix=fix)
    return completed
