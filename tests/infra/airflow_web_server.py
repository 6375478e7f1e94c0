"""MWAA's API and an environment's web server over TLS, as the function before Airflow meets them.

The login is that of the MWAA User Guide ("Using the Apache Airflow REST API", Airflow 3), which
Airflow's own provider follows in MwaaHook: a web login token is exchanged for a cookie ``_token``.
"""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WEB_TOKEN, COOKIE = "web-login-token", "the-jwt"


@dataclass
class AirflowWebServer:
    """What was asked, and what is answered to all but the login."""

    host: str = ""
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    status: int = 200
    content: bytes = b'{"dag_runs": []}'
    logs_in: bool = True


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate of 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret


@contextmanager
def serve_airflow(folder: Path) -> Iterator[tuple[AirflowWebServer, Path]]:
    """Yield a web server on loopback, and the certificate to trust."""
    served = AirflowWebServer()
    certificate, key = write_certificate(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode()
            if self.path == "/pluginsv2/aws_mwaa/login":
                right = parse_qs(text) == {"token": [WEB_TOKEN]} and self.command == "POST"
                self.send_response(200 if right and served.logs_in else 403)
                if right and served.logs_in:
                    self.send_header("Set-Cookie", "other=1; Path=/")
                    self.send_header("Set-Cookie", f"_token={COOKIE}; Path=/; Secure; HttpOnly")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = json.loads(text) if text else None
            served.asked.append((self.command, self.path, dict(self.headers), body))
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(served.content)))
            self.end_headers()
            self.wfile.write(served.content)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served, certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
