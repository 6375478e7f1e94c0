"""How far an endpoint is opened: the address, the names it goes by, TLS, and who guards it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slipway.endpoint.access.guard import Guard
from slipway.endpoint.access.hosts import Hosts, is_loopback
from slipway.errors import SlipwayError
from slipway.server.client import HOST


@dataclass(frozen=True)
class Opening:
    """``address`` to listen on, ``hosts`` that requests may name. ``guard`` and ``tls`` are
    ``None`` where nobody but this machine can ask."""

    address: str = HOST
    hosts: Hosts = field(default_factory=Hosts)
    guard: Guard | None = None
    tls: ssl.SSLContext | None = None
    names: tuple[str, ...] = ()

    @property
    def is_loopback(self) -> bool:
        """Return whether only this machine can reach it."""
        return is_loopback(self.address)

    def url(self, port: int) -> str:
        """Return the address by which this machine's clients reach it.

        With TLS it is the first name, which the certificate is for.
        """
        scheme = "https" if self.tls else "http"
        host = self.address
        if self.tls and self.names:
            host = self.names[0]
        elif host in ("0.0.0.0", "::"):
            host = HOST
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def warning(self) -> str | None:
        """Return what somebody on the way can do, ``None`` if nothing."""
        if self.is_loopback or self.tls:
            return None
        return (
            f"WARNING plain HTTP on {self.address}: whoever can read this network reads requests,"
            " answers and tokens. Encrypt it: --tls-certificate and --tls-key"
        )


def open_endpoint_to(
    address: str,
    guard: Guard | None,
    names: Sequence[str] = (),
    certificate: Path | None = None,
    key: Path | None = None,
) -> Opening:
    """Return how an endpoint is opened.

    Raises:
        SlipwayError: it would be open to others without a guard, or certificate and key do not fit.
    """
    is_open = not is_loopback(address)
    if is_open and guard is None:
        raise SlipwayError(
            f"{address} is open to other machines, and nothing would ask who they are",
            fix="add --tokens (slipway token create issues them), or --credentials FILE",
        )
    hosts = Hosts(names, open_to_others=is_open or bool(names))
    return Opening(address, hosts, guard, _tls(certificate, key), tuple(names))


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SlipwayError(
            "TLS needs a certificate and its key",
            fix="give both, --tls-certificate FILE and --tls-key FILE",
        )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if key.exists() and key.stat().st_mode & 0o077:
        raise SlipwayError("others can read the key", where=str(key), fix=f"chmod 600 {key}")
    try:
        # a key that needs a password would be asked for on the terminal
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise SlipwayError(
            f"not a certificate in PEM with its unencrypted key: {error}",
            where=f"{certificate}, {key}",
            fix="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
            " -keyout key.pem -out certificate.pem -subj /CN=NAME -addext subjectAltName=DNS:NAME",
        ) from error
    return context
