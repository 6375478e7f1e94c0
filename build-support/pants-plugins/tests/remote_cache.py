"""A remote cache that somebody else wrote: BuildGrid, on loopback."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / "ci" / "buildgrid" / "python"


@dataclass(frozen=True)
class RemoteCache:
    """A server whose storage and tokens, `reader` and `writer`, are in `folder`."""

    folder: Path
    url: str
    process: subprocess.Popen[str]

    def options(self, token: str, *, writes: bool) -> tuple[str, ...]:
        """Pants' options for a holder of `token`; with `writes` Pants tries to write."""
        return (
            f"--remote-store-address={self.url}",
            f"--remote-oauth-bearer-token-path={self.folder / token}",
            "--remote-cache-read",
            f"--remote-cache-write={str(writes).lower()}",
            "--remote-store-rpc-concurrency=32",
            "--remote-cache-rpc-concurrency=32",
            "--remote-cache-rpc-timeout-millis=3000",
        )

    def poison(self, word: str, other: str) -> int:
        """Put `other` behind every result of a step with the argument `word`; return how many."""
        address = self.url.partition("//")[2]
        arguments = (ROOT / "ci/buildgrid/poison.py", address, self.folder, word, other)
        done = subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return int(done.stdout)


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[RemoteCache]:
    """A server until the block ends; it is installed once per user."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [PYTHON, ROOT / "ci/buildgrid/serve.py", folder, *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield RemoteCache(folder, json.loads(line)["url"], process)
    finally:
        process.kill()
        process.communicate()
