"""A webhook of Slack's on loopback, which keeps what it was sent."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Slack:
    """``said`` are the messages' texts; ``status`` is what it answers."""

    url: str = ""
    said: list[str] = field(default_factory=list)
    status: int = 200


@contextlib.contextmanager
def running() -> Iterator[Slack]:
    """Serve while the block runs."""
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if slack.status == 200:
                slack.said.append(json.loads(body)["text"])
            answer = b"ok" if slack.status == 200 else b"invalid_token"
            self.send_response(slack.status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
