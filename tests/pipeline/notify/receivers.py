"""Servers on loopback that stand in for the receivers of notifications."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """An answer; ``waits`` delays it until the event is set."""

    status: int = 200
    body: str = "ok"
    headers: tuple[tuple[str, str], ...] = ()
    waits: threading.Event | None = None


class Request(NamedTuple):
    """A received request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the request's body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """``replies`` first, in their order; then 200 and "ok"."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        """Return the reply to ``request``."""
        self.requests.append(request)
        return self.replies.pop(0) if self.replies else Reply()


@contextmanager
def running(receiver: Receiver) -> Iterator[Receiver]:
    """Run ``receiver`` at a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(size))
            reply = receiver.answer(request)
            if reply.waits:
                reply.waits.wait(60)
            data = reply.body.encode()
            self.send_response(reply.status)
            for key, value in (*reply.headers, ("Content-Length", str(len(data)))):
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _handle

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # a client that does not wait for the answer
                super().handle()

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
