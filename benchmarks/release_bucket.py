"""Serve a bucket with a generated release store, and count the requests to it.

``python -m benchmarks.release_bucket MODELS RELEASES MILLISECONDS`` serves it on a free port of
loopback, and prints the port. Each answer waits for so many milliseconds, as S3's do. It keeps
conditions in one step, lists sorted pages of 1,000 keys, and rolls keys up at a delimiter. The
tests compare its answers with those of moto and SeaweedFS.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, quote, unquote, urlsplit
from urllib.request import urlopen
from xml.sax.saxutils import escape

from benchmarks import release_store
from slipway.catalog.index.repair import repair_index
from slipway.catalog.listing import list_stage
from slipway.settings.release import STAGES
from slipway.store.interface import Level, Stat, Store
from slipway.store.stage import StageStore

NAME = "releases"
PAGE = 1000
WHEN = "2026-01-01T00:00:00.000Z"
COUNT = "/_requests"


@contextmanager
def serving(models: int, releases: int, milliseconds: float = 0) -> Iterator[str]:
    """Yield the URL of a server with one bucket, :data:`NAME`."""
    words = [str(models), str(releases), str(milliseconds)]
    command = [sys.executable, "-m", __name__, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def requests(url: str) -> int:
    """Return how many requests the server at ``url`` has answered."""
    with urlopen(url + COUNT) as answer:
        return int(answer.read())


class Bucket:
    """The objects, their sorted keys, and the number of requests."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self.sorted: list[str] = []
        self.lock = threading.Lock()
        self.requests = 0

    def fill(self, models: int, releases: int) -> None:
        """Put a generated store into it, and the index of its stages."""
        for key, data in release_store.objects(models, releases):
            metadata = {"x-amz-meta-sha256": hashlib.sha256(data).hexdigest()}
            self.objects[key] = data, hashlib.md5(data).hexdigest(), metadata
        self.sorted = sorted(self.objects)
        for name in STAGES:
            stage = StageStore(cast(Store, _Memory(self)), name)
            repair_index(stage, list_stage(stage))

    def put(self, key: str, data: bytes, metadata: dict[str, str]) -> str:
        """Write an object; return its ETag."""
        if key not in self.objects:
            insort(self.sorted, key)
        etag = hashlib.md5(data).hexdigest()
        self.objects[key] = data, etag, metadata
        return etag

    def delete(self, key: str) -> None:
        """Remove an object."""
        if self.objects.pop(key, None) is not None:
            del self.sorted[bisect_left(self.sorted, key)]

    def page(
        self, prefix: str, delimiter: str, after: str, most: int = PAGE
    ) -> tuple[list[str], list[str], str]:
        """Return the keys and the common prefixes of a page, ``most`` together, and where the next
        page begins."""
        found: list[str] = []
        folders: list[str] = []
        at = bisect_left(self.sorted, max(prefix, after))
        while at < len(self.sorted) and (key := self.sorted[at]).startswith(prefix):
            if len(found) + len(folders) == most:
                return found, folders, key
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                found.append(key)
                at += 1
            else:
                folders.append(key[: end + 1])
                at = bisect_left(self.sorted, key[:end] + chr(ord(key[end]) + 1))
        return found, folders, ""


class _Memory:
    """As much of a store of the bucket's objects as the index needs."""

    records_digests = False

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def read(self, key: str) -> bytes | None:
        found = self._bucket.objects.get(key)
        return None if found is None else found[0]

    def stat(self, key: str) -> Stat | None:
        found = self._bucket.objects.get(key)
        return None if found is None else Stat(len(found[0]), found[1])

    def stats(self, prefix: str) -> dict[str, Stat]:
        return self._listed(prefix, "").keys

    def level(self, prefix: str) -> Level:
        return self._listed(prefix, "/")

    def swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        with self._bucket.lock:
            if self.read(key) != expected:
                return False
            self._bucket.put(key, data, {})
            return True

    def _listed(self, prefix: str, delimiter: str) -> Level:
        stats: dict[str, Stat] = {}
        names: list[str] = []
        after = prefix
        while after:
            found, folders, after = self._bucket.page(prefix, delimiter, after)
            names += [folder.removeprefix(prefix).rstrip("/") for folder in folders]
            for key in found:
                data, etag, _ = self._bucket.objects[key]
                stats[key] = Stat(len(data), etag)
        return Level(stats, names)


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # else the body waits for the client's confirmation of the head, 40 ms
    disable_nagle_algorithm = True
    bucket = Bucket()
    pause_s = 0.0

    def do_GET(self) -> None:
        if self.path == COUNT:
            return self._answer(200, str(self.bucket.requests).encode())
        self._begin()
        if not self._key:
            return self._answer(200, self._listed())
        entry = self.bucket.objects.get(self._key)
        if entry is None:
            return self._answer(404, _error("NoSuchKey"))
        self._answer(200, entry[0], {**entry[2], "ETag": f'"{entry[1]}"'})

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._begin()
        metadata = {k: v for k, v in self.headers.items() if k.lower().startswith("x-amz-meta-")}
        with self.bucket.lock:
            if self._is_refused():
                return self._answer(412, _error("PreconditionFailed"))
            etag = self.bucket.put(self._key, data, metadata)
        self._answer(200, b"", {"ETag": f'"{etag}"'})

    def do_DELETE(self) -> None:
        self._begin()
        with self.bucket.lock:
            if self._is_refused():
                return self._answer(412, _error("PreconditionFailed"))
            self.bucket.delete(self._key)
        self._answer(204, b"")

    def _begin(self) -> None:
        with self.bucket.lock:
            self.bucket.requests += 1
        time.sleep(self.pause_s)

    def _is_refused(self) -> bool:
        existing = self.bucket.objects.get(self._key)
        wanted = self.headers.get("If-Match")
        if self.headers.get("If-None-Match") and existing is not None:
            return True
        return bool(wanted) and (existing is None or existing[1] != str(wanted).strip('"'))

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{NAME}").lstrip("/")

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _listed(self) -> bytes:
        after = self._query("continuation-token") or self._query("start-after")
        with self.bucket.lock:
            found, folders, rest = self.bucket.page(
                self._query("prefix"),
                self._query("delimiter"),
                after,
                min(PAGE, int(self._query("max-keys") or PAGE)),
            )
            described = [(key, *self.bucket.objects[key][:2]) for key in found]
        contents = "".join(
            f"<Contents><Key>{quote(key)}</Key><LastModified>{WHEN}</LastModified>"
            f"<ETag>&quot;{etag}&quot;</ETag><Size>{len(data)}</Size></Contents>"
            for key, data, etag in described
        )
        rolled = "".join(
            f"<CommonPrefixes><Prefix>{quote(folder)}</Prefix></CommonPrefixes>"
            for folder in folders
        )
        more = f"<NextContinuationToken>{escape(rest)}</NextContinuationToken>" if rest else ""
        return (
            f"<ListBucketResult><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{more}{contents}{rolled}"
            "</ListBucketResult>"
        ).encode()

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


if __name__ == "__main__":
    _Server.bucket.fill(int(sys.argv[1]), int(sys.argv[2]))
    _Server.pause_s = float(sys.argv[3]) / 1000
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()
