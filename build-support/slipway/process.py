"""The one door to other programs: no shell, output kept, failures told with their last words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.errors import SlipwayError

FIRST_LINES = 6  # many programs name the culprit first and list details below
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

    ``what`` names the step in the reader's words ("locking models/x/requirements.txt").

    Raises:
        SlipwayError: the program is missing, or ended with another status than 0.
    """
    command = [str(word) for word in argv]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            input=stdin,
            encoding="utf-8",
            errors="replace",  # what others wrote, such as a commit's subject, may be anything
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise SlipwayError(
            f"{what}: the program {command[0]!r} is not installed", fix=fix
        ) from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        if len(words) > FIRST_LINES + LAST_LINES:
            words[FIRST_LINES:-LAST_LINES] = ["…"]
        text = "\n  ".join(words) if words else "(no output)"
        raise SlipwayError(f"{what}: {Path(command[0]).name} failed\n  {text}", fix=fix)
    return done
