"""What a server's log has to say of a failure, the failing model's own words first."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from slipway.errors import SlipwayError

LAST_LINES = 20
# what a machine without a GPU always says, and what never is the reason
NOISE = re.compile(r"CUDA|NVML|DCGM|cuda|Nvml|nvml|PinnedMemory|pinned memory")


def failed_start(source: str, what: str, log: Path) -> SlipwayError:
    """The error for a server that did not come up."""
    lines = [line for line in _lines(log, 0) if not NOISE.search(line)][-LAST_LINES:]
    return SlipwayError(
        f"{source}: {what}\n  " + ("\n  ".join(lines) or "(its log is empty)"),
        fix="run `slipway doctor`",
    )


def _lines(log: Path, offset: int) -> list[str]:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace").splitlines()


def failed_load(
    target: str, message: str, log: Path, offset: int, root: Path, folder: Path
) -> SlipwayError:
    """The error for a target model that could not be loaded."""
    return SlipwayError(message + "\n" + "\n".join(_lines(log, offset)))
