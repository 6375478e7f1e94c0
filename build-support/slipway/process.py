"""Run other programs: without a shell, with their output captured and quoted in errors."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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
        lines = (completed.stderr.strip() or completed.stdout.strip()).splitlines()
        if len(lines) > FIRST_LINES + LAST_LINES:
            lines[FIRST_LINES:-LAST_LINES] = ["…"]
        text = "\n  ".join(lines) if lines else "(no output)"
        raise SlipwayError(f"{what}: {Path(command[0]).name} failed\n  {text}", fix=fix)
    return completed
