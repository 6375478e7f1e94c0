"""Try what packages do when they are imported, apart from this process, the network and secrets."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from slipway import process
from slipway.environment.bytecode import LOADER_PATH
from slipway.errors import SlipwayError

WORKER = Path(__file__).with_name("import_worker.py")
SECONDS = 300.0  # for each package; a slow machine must not judge otherwise than a fast one


def try_imports(
    packages: Sequence[tuple[str, ...]],
    path: Sequence[Path],
    root: Path,
    minor: str,
    *,
    seconds: float = SECONDS,
) -> list[str | None]:
    """Return for each package, a tuple of modules, why it cannot be imported from ``path``.

    The environment's Python does it, in ``root``. The packages' code gets none of this process's
    variables, an empty folder as its home, and no network where the kernel allows that.

    All are ``None`` where this machine cannot run that Python.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-import-") as home:
        request = {"path": [str(part) for part in path], "packages": packages, "seconds": seconds}
        environment = {
            "PYTHONHOME": str(root),
            LOADER_PATH: str(root / "lib"),
            "PYTHONHASHSEED": "0",
            "HOME": home,
            "TMPDIR": home,
        }
        try:
            done = process.run(
                [root / f"bin/python{minor}", "-S", "-s", "-P", "-B", WORKER],
                what="importing packages from a zip",
                env=environment,
                stdin=json.dumps(request),
                cwd=Path(home),
            )
        except (SlipwayError, OSError):
            return [None] * len(packages)  # built for another system: what the files say decides
    answers: list[str | None] = json.loads(done.stdout)
    return answers
