"""moto's S3 over HTTP, with what S3 promises and moto leaves out, and with faults on demand.

What is added, each from the S3 API reference: conditions are checked and kept in one step; bodies
are compared with their SHA-256; parts keep theirs, and are completed only with them; an upload that
ended is gone; the source's ETag is checked when a part is copied; uploads report when they started.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeMultipart, s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

ACCOUNT = "123456789012"  # moto's, for credentials that it does not know
Kind = Literal["status", "cut request", "cut answer", "half answer", "slow", "hold"]
PATIENCE = 300.0  # seconds: what waits longer for a test has been forgotten by it


@dataclass(frozen=True)
class Request:
    """A request: ``operation`` as boto3 calls it; ``size`` is of its body, in bytes."""

    operation: str
    bucket: str
    key: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    size: int

    @property
    def upload(self) -> str:
        return self.query.get("uploadId", [""])[0]

    @property
    def part(self) -> int:
        return int(self.query.get("partNumber", ["0"])[0])

    @property
    def conditional(self) -> bool:
        return "if-match" in self.headers or "if-none-match" in self.headers


@dataclass
class Fault:
    """What goes wrong with ``times`` requests of ``operations`` (all, if empty), after ``skip``
    that go well: with each ``every``-th.

    - status: answered with ``status`` and ``code``, before or (``done``) after it was done;
    - cut request: the connection ends when half of the body has arrived;
    - cut answer: all is done, and the connection ends without a word;
    - half answer: as before, in the middle of the answer;
    - slow: the answer comes byte by byte;
    - hold: before anything is done, ``reached`` is set and ``go`` waited for.
    """

    kind: Kind
    operations: frozenset[str] = frozenset()
    times: int = 1
    skip: int = 0
    every: int = 1
    status: int = 500
    code: str = "InternalError"
    message: str = "We encountered an internal error."
    done: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def takes(self, request: Request) -> bool:
        if self.times == 0 or (self.operations and request.operation not in self.operations):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.skip = self.every - 1
        return True


@dataclass
class Answer:
    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status.startswith("2")


class _Busy:
    """Counts who is within. ``idle`` is set while nobody is."""

    def __init__(self) -> None:
        self._lock, self._count, self.idle = threading.Lock(), 0, threading.Event()
        self.idle.set()

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            self.idle.clear()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self.idle.set()


@dataclass
class FaultyS3:
    """The WSGI application.

    ``conflicts`` is the probability that a conditional write gets a 409 while another one of the
    same key is in progress; ``repeated`` is the response when a completed upload is completed
    again; ``checksums`` is off for a server without them. ``before`` holds actions that run once,
    just before an operation; ``clock`` is how far the server's clock is ahead.
    """

    conflicts: float = 0.0
    repeated: Literal["the same", "NoSuchUpload", "PreconditionFailed"] = "NoSuchUpload"
    checksums: bool = True
    # a condition and an operation that ignores it; and whether two may win at once
    ignored: tuple[str, str] | None = None
    atomic: bool = True
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    started: dict[str, datetime] = field(default_factory=dict)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    clock: timedelta = timedelta(0)
    url: str = ""

    def __post_init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._writing: Counter[tuple[str, str]] = Counter()
        self._random = random.Random(7)
        self._busy = _Busy()
        self._rivals = threading.Barrier(2)

    def fail(self, kind: Kind, *operations: str, **how: Any) -> Fault:
        """Let the next requests fail."""
        fault = Fault(kind, frozenset(operations), **how)
        with self._lock:
            self.faults.append(fault)
        return fault

    def count(self, *operations: str) -> int:
        """How many requests of ``operations`` were started."""
        return sum(request.operation in operations for request in list(self.requests))

    def reset(self) -> None:
        """No faults, and nothing remembered of what was request."""
        with self._lock:
            self.faults.clear()
            self.requests.clear()
            self.before.clear()
        self.conflicts, self.repeated, self.checksums = 0.0, "NoSuchUpload", True
        self.ignored, self.atomic = None, True
        self.clock = timedelta(0)

    def settle(self) -> None:
        """Wait until no request is under way."""
        if not self._busy.idle.wait(PATIENCE):
            raise TimeoutError("a request has not ended")

    def age(self, by: timedelta) -> None:
        """Let all unfinished uploads and their parts be older."""
        for upload in self.started:
            self.started[upload] -= by
        for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
            for multipart in bucket.multiparts.values():
                for part in multipart.parts.values():
                    part.last_modified -= by

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = _asked(environ)
        with self._lock:
            self.requests.append(request)
            fault = next((each for each in self.faults if each.takes(request)), None)
        with self._busy:
            return self._answered(request, fault, environ, start)

    def _answered(
        self,
        request: Request,
        fault: Fault | None,
        environ: dict[str, Any],
        start: Callable[..., Any],
    ) -> Iterable[bytes]:
        source = environ["wsgi.input"]
        if fault and fault.kind == "hold":
            fault.reached.set()
            fault.go.wait(PATIENCE)
        if fault and fault.kind == "cut request":
            source.read(request.size // 2)
            raise _cut(environ)
        body = source.read(request.size)
        if len(body) < request.size:  # the client is gone
            raise _cut(environ)
        if fault and fault.kind == "status" and not fault.done:
            answer = _error(fault.status, fault.code, fault.message)
        else:
            with self._under_way(request) as alone:
                answer = self._do(request, body, environ, alone)
        if fault and fault.kind == "status" and fault.done:
            answer = _error(fault.status, fault.code, fault.message)
        if fault and fault.kind == "cut answer":
            raise _cut(environ)
        if request.operation.startswith("Head") and not answer.ok:
            answer.body = b""
        start(answer.status, answer.headers)
        if fault and fault.kind == "half answer":
            return _half(answer.body, environ)
        if fault and fault.kind == "slow":
            return (answer.body[at : at + 1] for at in range(len(answer.body)))
        return [answer.body]

    @contextmanager
    def _under_way(self, request: Request) -> Iterator[bool]:
        """Whether no other conditional write of the same key is under way."""
        place = request.bucket, request.key
        with self._lock:
            alone = self._writing[place] == 0
            self._writing[place] += request.conditional
        try:
            yield alone
        finally:
            with self._lock:
                self._writing[place] -= request.conditional

    def _do(self, request: Request, body: bytes, environ: dict[str, Any], alone: bool) -> Answer:
        named = request.headers.get("x-amz-checksum-sha256")
        if named and request.operation in ("PutObject", "UploadPart") and named != _sha256(body):
            return _error(400, "BadDigest", "The SHA256 you specified did not match.")
        if first := self.before.pop(request.operation, None):
            first()
        if self.ignored and request.operation == self.ignored[1]:
            environ.pop(f"HTTP_{self.ignored[0].upper().replace('-', '_')}", None)
            request.headers.pop(self.ignored[0], None)
        if not self.atomic and "if-match" in request.headers:
            return self._unlocked(request, body, environ)
        with self._lock:  # the condition and the write are one step
            if request.conditional and not alone and self._random.random() < self.conflicts:
                return _error(409, "ConditionalRequestConflict", "A conflicting operation.")
            return self._refused(request, body) or self._enriched(
                request, self._passed_on(environ, body), body
            )

    def _unlocked(self, request: Request, body: bytes, environ: dict[str, Any]) -> Answer:
        """Check the condition; write when another request has found that its own holds, too."""
        current = s3_backends[ACCOUNT]["aws"].get_object(request.bucket, request.key)
        if current is None or current.etag != request.headers["if-match"]:
            return _error(412, "PreconditionFailed", "If-Match")
        with contextlib.suppress(threading.BrokenBarrierError):
            self._rivals.wait(5)
        del environ["HTTP_IF_MATCH"]
        with self._lock:
            return self._passed_on(environ, body)

    def _passed_on(self, environ: dict[str, Any], body: bytes) -> Answer:
        said: list[Any] = []
        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        pieces = self._app(inner, lambda status, headers, *_: said.append((status, headers)))
        made = b"".join(pieces)
        return Answer(said[0][0], list(said[0][1]), made)

    def _refused(self, request: Request, body: bytes) -> Answer | None:
        """What S3 refuses and moto does not."""
        if not request.upload:
            return None
        upload = self._upload(request)
        if upload is None:
            if request.operation == "CompleteMultipartUpload" and self._completed(request):
                if self.repeated == "the same":
                    return None
                if self.repeated == "PreconditionFailed":
                    return _error(412, "PreconditionFailed", "The key is there.")
            return _error(404, "NoSuchUpload", "The specified upload does not exist.")
        if request.operation == "UploadPartCopy":
            bucket, _, key = (
                unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
            )
            source = s3_backends[ACCOUNT]["aws"].get_object(bucket, key)
            if source is None:
                return _error(404, "NoSuchKey", "The specified key does not exist.")
            wanted = request.headers.get("x-amz-copy-source-if-match", source.etag)
            if wanted.strip('"') != source.etag.strip('"'):
                return _error(412, "PreconditionFailed", "x-amz-copy-source-If-Match")
        if request.operation == "CompleteMultipartUpload" and self.checksums:
            return _incomplete(request, upload, body.decode())
        return None

    def _enriched(self, request: Request, answer: Answer, body: bytes) -> Answer:
        """What S3 tells and moto does not."""
        if not answer.ok:
            return answer
        text = answer.body
        if request.operation == "CreateMultipartUpload":
            identity = re.search(rb"<UploadId>(.*?)</UploadId>", text)
            assert identity
            self.started[identity[1].decode()] = datetime.now(UTC)
        if request.operation == "UploadPartCopy" and self.checksums:
            upload = self._upload(request)
            assert upload
            told = f"<ChecksumSHA256>{_of_part(upload, request.part)}</ChecksumSHA256>"
            # the result is the answer's root in S3; moto wraps it once more
            etag = upload.parts[request.part].etag.strip('"')
            text = (
                f"<CopyPartResult><ETag>&quot;{etag}&quot;</ETag>{told}</CopyPartResult>".encode()
            )
        if request.operation == "ListParts" and self.checksums:
            upload = self._upload(request)
            assert upload

            def with_checksum(match: re.Match[bytes]) -> bytes:
                assert upload
                checksum = _of_part(upload, int(match[1])).encode()
                return match[0] + b"<ChecksumSHA256>" + checksum + b"</ChecksumSHA256>"

            text = re.sub(rb"<PartNumber>(\d+)</PartNumber>", with_checksum, text)
        if request.operation == "ListMultipartUploads":
            for upload_id, when in self.started.items():
                text = re.sub(
                    rb"(<UploadId>%s</UploadId>.*?<Initiated>).*?(</Initiated>)"
                    % upload_id.encode(),
                    rb"\g<1>%s\g<2>" % when.strftime("%Y-%m-%dT%H:%M:%S.000Z").encode(),
                    text,
                    flags=re.DOTALL,
                )
        headers = {name.lower(): value for name, value in answer.headers}
        if request.operation == "HeadObject" and "x-amz-checksum-sha256" in headers:
            count = headers["etag"].strip('"').partition("-")[2]
            if not self.checksums:
                del headers["x-amz-checksum-sha256"]
            elif count and "-" not in headers["x-amz-checksum-sha256"]:
                headers["x-amz-checksum-sha256"] += f"-{count}"
        if text != answer.body:
            headers["content-length"] = str(len(text))
        return Answer(answer.status, list(headers.items()), text)

    def _upload(self, request: Request) -> FakeMultipart | None:
        bucket = s3_backends[ACCOUNT]["aws"].buckets.get(request.bucket)
        return bucket.multiparts.get(request.upload) if bucket else None

    def _completed(self, request: Request) -> bool:
        there = s3_backends[ACCOUNT]["aws"].get_object(request.bucket, request.key)
        return bool(there and there.multipart and there.multipart.id == request.upload)


@contextmanager
def serving(app: FaultyS3) -> Iterator[FaultyS3]:
    """``app`` on a free port of loopback; its URL is in ``url``."""

    class Quiet(WSGIRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) + app.clock, usegmt=True)

        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _asked(environ: dict[str, Any]) -> Request:
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    bucket, _, key = path.lstrip("/").partition("/")
    size = int(environ.get("CONTENT_LENGTH") or 0)
    operation = _operation(environ["REQUEST_METHOD"], bool(key), query, headers)
    return Request(operation, bucket, key, query, headers, size)


def _operation(method: str, key: bool, query: dict[str, list[str]], headers: dict[str, str]) -> str:
    match method:
        case "PUT" if "partNumber" in query:
            return "UploadPartCopy" if "x-amz-copy-source" in headers else "UploadPart"
        case "PUT" if "tagging" not in query:
            return "PutObject" if key else "CreateBucket"
        case "POST" if "uploads" in query:
            return "CreateMultipartUpload"
        case "POST" if "uploadId" in query:
            return "CompleteMultipartUpload"
        case "DELETE":
            return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        case "HEAD":
            return "HeadObject"
        case "GET" if "uploadId" in query:
            return "ListParts"
        case "GET" if "uploads" in query:
            return "ListMultipartUploads"
        case "GET":
            return "GetObject" if key else "ListObjectsV2"
    return method


def _incomplete(request: Request, upload: FakeMultipart, body: str) -> Answer | None:
    """What is wrong with the list of parts that an upload shall be completed with."""
    size = 0
    for listed in re.findall(r"<Part>(.*?)</Part>", body, re.DOTALL):
        number = int(re.findall(r"<PartNumber>(\d+)<", listed)[0])
        told = re.findall(r"<ChecksumSHA256>(.*?)<", listed)
        if upload.metadata.get("x-amz-checksum-algorithm") == "SHA256" and not told:
            return _error(400, "InvalidRequest", "The upload was created using a sha256 checksum.")
        if number not in upload.parts or told and told[0] != _of_part(upload, number):
            return _error(400, "InvalidPart", "One or more parts could not be found.")
        size += upload.parts[number].size
    if int(request.headers.get("x-amz-mp-object-size", size)) != size:
        return _error(400, "InvalidRequest", "The object size is another one.")
    return None


def _of_part(upload: FakeMultipart, number: int) -> str:
    return _sha256(upload.parts[number].value)


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _error(status: int, code: str, message: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    told = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    return Answer(f"{status} {code}", told, body)


def _half(body: bytes, environ: dict[str, Any]) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise _cut(environ)


def _cut(environ: dict[str, Any]) -> ConnectionResetError:
    """End the connection; to be raised, by which the server knows."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionResetError("cut on demand")
