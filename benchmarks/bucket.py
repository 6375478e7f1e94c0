"""Serve an S3 stand-in with slow connections that stores sizes and checksums, but no bytes.

``python -m benchmarks.bucket MEGABYTES`` serves it on a free port of loopback and prints the port.
Each connection receives that many megabytes per second, as S3's do (50 to 100), however many there
are. It runs in its own process, so that it shares no interpreter with the measured code.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CHUNK = 256 << 10
Parts = dict[int, tuple[int, str]]


@contextmanager
def serving(megabytes: int) -> Iterator[str]:
    """Yield the URL of an S3 stand-in in which every bucket exists."""
    command = [sys.executable, "-m", __name__, str(megabytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Bucket(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rate = 0.0
    uploads: dict[str, tuple[dict[str, str], Parts]] = {}
    objects: dict[str, tuple[dict[str, str], int]] = {}
    lock = threading.Lock()

    def do_PUT(self) -> None:
        size, sha256 = self._receive()
        number = self._query("partNumber")
        if number:
            self.uploads[self._query("uploadId")][1][int(number)] = (size, sha256)
        elif not self._create(self._metadata(), size):
            return
        self._answer(200, {"ETag": f'"{size}"'})

    def do_POST(self) -> None:
        self._receive()
        if upload := self._query("uploadId"):
            metadata, parts = self.uploads.pop(upload)
            if not self._create(metadata, sum(size for size, _ in parts.values())):
                return
            completed = (
                "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>"
            )
            return self._answer(200, body=completed)
        upload = os.urandom(8).hex()
        self.uploads[upload] = self._metadata(), {}
        identifier = f"<UploadId>{upload}</UploadId>"
        self._answer(
            200, body=f"<InitiateMultipartUploadResult>{identifier}</InitiateMultipartUploadResult>"
        )

    def do_GET(self) -> None:
        upload = self._query("uploadId")
        if not upload:
            return self._answer(200, body="<ListBucketResult></ListBucketResult>")
        if upload not in self.uploads:
            return self._answer(404, body="<Error><Code>NoSuchUpload</Code></Error>")
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{size}</ETag><Size>{size}</Size>"
            f"<ChecksumSHA256>{sha256}</ChecksumSHA256></Part>"
            for number, (size, sha256) in sorted(self.uploads[upload][1].items())
        )
        self._answer(200, body=f"<ListPartsResult>{listed}</ListPartsResult>")

    def do_HEAD(self) -> None:
        existing = self.objects.get(urlsplit(self.path).path)
        if existing is None:
            return self._answer(404)
        self._answer(200, {**existing[0], "ETag": '"1"'})

    def _create(self, metadata: dict[str, str], size: int) -> bool:
        key = urlsplit(self.path).path
        with self.lock:
            if self.headers.get("If-None-Match") and key in self.objects:
                self._answer(412, body="<Error><Code>PreconditionFailed</Code></Error>")
                return False
            self.objects[key] = metadata, size
        return True

    def _receive(self) -> tuple[int, str]:
        """Return size and checksum of the body, received at the connection's rate."""
        size = left = int(self.headers.get("Content-Length", 0))
        digest, start = hashlib.sha256(), time.monotonic()
        while left and (piece := self.rfile.read(min(left, CHUNK))):
            digest.update(piece)
            left -= len(piece)
            early = (size - left) / self.rate - (time.monotonic() - start)
            if early > 0:
                time.sleep(early)
        return size - left, base64.b64encode(digest.digest()).decode()

    def _metadata(self) -> dict[str, str]:
        return {k: v for k, v in self.headers.items() if re.match("x-amz-meta-", k, re.IGNORECASE)}

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: str = "") -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


if __name__ == "__main__":
    _Bucket.rate = int(sys.argv[1]) * 1e6
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    print(server.server_port, flush=True)
    server.serve_forever()
