"""Check the models of a repository and print what that took, counted: ``python … FOLDER``.

Prints a JSON object: ``modules`` that were imported, ``opened`` with the number of times that each
file of the models was opened, ``processes`` that were started, ``calls`` of functions, and the
``status`` of the command. Nothing of it depends on the machine's speed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any


def _main(folder: Path) -> None:
    opened: Counter[str] = Counter()
    events: Counter[str] = Counter()
    calls = 0

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        events[event] += 1
        if event == "open" and isinstance(arguments[0], str):
            path = os.path.abspath(arguments[0])
            if "/models/" in path:
                opened[os.path.relpath(path, folder)] += 1

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    os.chdir(folder)
    from slipway.cli import main

    sys.addaudithook(audit)
    sys.setprofile(profile)
    with contextlib.redirect_stdout(io.StringIO()):
        status = main(["check", "--fresh"])
    sys.setprofile(None)
    counts = {
        "modules": sorted(sys.modules),
        "opened": opened,
        "processes": events["subprocess.Popen"],
        "calls": calls,
        "status": status,
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
