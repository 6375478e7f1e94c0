"""Serve a remote cache on loopback: BuildGrid, with storage and tokens in a folder.

The tokens `reader` and `writer` are files in the folder. Once it listens, one line of JSON with the
address is printed. `--tls` makes an authority, `authority.pem`, and a certificate of localhost;
`--workers` adds the queue of a remote execution, in a PostgreSQL that is reached by `--sql`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import TextIO

import jwt
import yaml
from buildgrid.server.app import cli
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

READS = (
    "GetCapabilities",
    "GetActionResult",
    "FindMissingBlobs",
    "BatchReadBlobs",
    "GetTree",
    "Read",
)
SERVER = """
server:
  - !channel
    address: "{host}:{port}"
    insecure-mode: {insecure}
    credentials: {{tls-server-key: "{folder}/server.key", tls-server-cert: "{folder}/server.pem"}}
authorization: {authorization}
thread-pool-size: 100
storages:
  - !disk-storage &cas
    path: {folder}/storage
caches:
  - !lru-action-cache &results
    storage: *cas
    max-cached-refs: 100000
    cache-failed-actions: false
"""
SHARED = """
instances:
  - name: ""
    services:
      - !action-cache
        cache: *results
      - !cas
        storage: *cas
      - !bytestream
        storage: *cas
"""
QUEUE = """
connections:
  - !sql-connection &sql
    connection-string: {sql}
schedulers:
  - !sql-scheduler &queue
    storage: *cas
    sql: *sql
    action-cache: *results
    bot-session-keepalive-timeout: 5
    session-expiry-timer-interval: 1
    poll-interval: 0.2
    bot-poll-interval: 0.2
    assigners:
      - !priority-age-assigner
        count: 1
        interval: 0.2
"""
EXECUTION = """      - !execution
        scheduler: *queue
"""


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--open", action="store_true", help="Take requests without a token.")
    parser.add_argument("--sql", help="Execute: the URL of an empty PostgreSQL database.")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    port = given.port or free_port()
    if given.tls:
        make_certificates(folder)
    authorization = "{method: none}" if given.open else make_tokens(folder)
    text = SERVER.format(
        host="127.0.0.1",
        port=port,
        insecure=str(not given.tls).lower(),
        folder=folder,
        authorization=authorization,
    )
    text += QUEUE.format(sql=given.sql) if given.sql else ""
    text += SHARED + (EXECUTION if given.sql else "")
    (folder / "buildgrid.yml").write_text(text)
    url = f"grpcs://localhost:{port}" if given.tls else f"grpc://127.0.0.1:{port}"
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # BuildGrid's own words are for the log
    threading.Thread(target=report, args=(port, url, answer), daemon=True).start()
    if given.sql:
        cli.main(["migrate", "apply", given.sql], standalone_mode=False)
    cli.main(["server", "start", str(folder / "buildgrid.yml")])


def report(port: int, url: str, answer: TextIO) -> None:
    """Write the address once the server listens there."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
            continue
        print(json.dumps({"url": url}), file=answer, flush=True)
        return


def make_tokens(folder: Path) -> str:
    """Write the tokens of an hour, and who may do what. Return BuildGrid's settings of it.

    Tokens that are in the folder already are left as they are: a server may be started again.
    """
    if not (folder / "secret").exists():
        secret = secrets.token_hex(32)
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        for subject in ("reader", "writer"):
            token = jwt.encode({"sub": subject, "exp": until}, secret, algorithm="HS256")
            write_secretly(folder / subject, f"{token}\n")
        write_secretly(folder / "secret", secret)
    allowed = [{"subject": "writer$"}, {"subject": "reader$", "requests": list(READS)}]
    (folder / "who.yml").write_text(yaml.safe_dump({"": {"allow": allowed}}))
    settings = {
        "method": "jwt",
        "secret": str(folder / "secret"),
        "algorithm": "hs256",
        "acl-config": str(folder / "who.yml"),
    }
    return json.dumps(settings)


def make_certificates(folder: Path) -> None:
    """Write an authority, and the certificate of localhost that it signed."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.datetime.now(datetime.UTC)

    def builder(name: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = (
        builder("authority", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        builder("localhost", key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(server.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_secretly(folder / "server.key", private.decode())


def write_secretly(file: Path, text: str) -> None:
    """Write a file that this user alone may read."""
    file.touch(mode=0o600)
    file.write_text(text)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
