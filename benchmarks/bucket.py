"""An S3 that keeps sizes and checksums and forgets bytes, whose connections are as slow as asked.

``python -m benchmarks.bucket MEGABYTES`` serves it on a free port of loopback, which it prints; a
connection takes so many megabytes a second, as S3's do (50 to 100), however many there are. A
process of its own, to share no interpreter with what is measured.
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
    """The URL of such an S3, with every bucket one asks for."""
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
        number = self._asked("partNumber")
        if number:
            self.uploads[self._asked("uploadId")][1][int(number)] = (size, sha256)
        elif not self._create(self._metadata(), size):
            return
        self._answer(200, {"ETag": f'"{size}"'})

    def do_POST(self) -> None:
        self._receive()
        if upload := self._asked("uploadId"):
            metadata, parts = self.uploads.pop(upload)
            if not self._create(metadata, sum(size for size, _ in parts.values())):
                return
            told = "<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>"
            return self._answer(200, body=told)
        upload = os.urandom(8).hex()
        self.uploads[upload] = self._metadata(), {}
        named = f"<UploadId>{upload}</UploadId>"
        self._answer(
            200, body=f"<InitiateMultipartUploadResult>{named}</InitiateMultipartUploadResult>"
        )

    def do_GET(self) -> None:
        upload = self._asked("uploadId")
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
        found = self.objects.get(urlsplit(self.path).path)
        if found is None:
            return self._answer(404)
        self._answer(200, {**found[0], "ETag": '"1"'})

    def _create(self, metadata: dict[str, str], size: int) -> bool:
        key = urlsplit(self.path).path
        with self.lock:
            if self.headers.get("If-None-Match") and key in self.objects:
                self._answer(412, body="<Error><Code>PreconditionFailed</Code></Error>")
                return False
            self.objects[key] = metadata, size
        return True

    def _receive(self) -> tuple[int, str]:
        """Size and checksum of the body, taken at the connection's rate."""
        size = left = int(self.headers.get("Content-Length", 0))
        digest, began = hashlib.sha256(), time.monotonic()
        while left and (piece := self.rfile.read(min(left, CHUNK))):
            digest.update(piece)
            left -= len(piece)
            early = (size - left) / self.rate - (time.monotonic() - began)
            if early > 0:
                time.sleep(early)
        return size - left, base64.b64encode(digest.digest()).decode()

    def _metadata(self) -> dict[str, str]:
        return {k: v for k, v in self.headers.items() if re.match("x-amz-meta-", k, re.IGNORECASE)}

    def _asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: str = "") -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    _Bucket.rate = int(sys.argv[1]) * 1e6
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    print(server.server_port, flush=True)
    server.serve_forever()
