"""Ask a server of the Remote Execution API what it has and what this machine may do there.

Source: build/bazel/remote/execution/v2/remote_execution.proto of
https://github.com/bazelbuild/remote-apis. The few fields that matter are read and written here, so
that no generated code has to be installed.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.settings.remote import (
    AUTHORITY,
    CACHE,
    EXECUTION,
    INSTANCE,
    VARIABLES,
    Address,
    RemoteSettings,
)

if TYPE_CHECKING:
    import grpc

Call = Callable[[str, bytes], bytes]
API = "/build.bazel.remote.execution.v2."
SHA256 = 1
TIMEOUT_S = 10.0
# Under a digest that no step has: what is asked for, and written if that is allowed.
PROBE = b"slipway doctor"


@dataclass(frozen=True)
class Server:
    """What a server says of itself, and whether it lets this machine's token read and write."""

    reads: bool
    writes: bool
    executes: bool


def ask(settings: RemoteSettings, address: Address) -> Server:
    """Ask the server at ``address``. Where writing is allowed, a probe of a few bytes is written.

    Raises:
        SlipwayError: it is not reached, its certificate is not accepted, it refuses the token, or
            it does not store what Pants needs.
    """
    import grpc

    settings.verify()
    token = settings.chosen_token
    # as Pants does
    headers = [("authorization", f"Bearer {token.read_text().strip()}")] if token else []
    instance = _text(1, settings.instance or "")

    with _connect(settings, address) as channel:

        def call(method: str, request: bytes) -> bytes:
            return bytes(channel.unary_unary(API + method)(request, TIMEOUT_S, headers))

        try:
            answer = call("Capabilities/GetCapabilities", instance)
        except grpc.RpcError as error:
            raise _explain(error, settings, address) from error
        cache = _first(answer, 1)
        if SHA256 not in _numbers(cache, 1):
            raise SlipwayError(
                f"{address.url} does not store by SHA-256, which Pants needs",
                fix=f"a server that does, or {VARIABLES[CACHE]}=off",
            )
        digest = _text(1, hashlib.sha256(PROBE).hexdigest()) + _number(2, len(PROBE))
        result = _bytes(5, PROBE)  # as a standard output
        return Server(
            reads=_allowed(call, "ActionCache/GetActionResult", instance + _bytes(2, digest)),
            writes=_allowed(
                call,
                "ActionCache/UpdateActionResult",
                instance + _bytes(2, digest) + _bytes(3, result),
            ),
            executes=1 in _numbers(_first(answer, 2), 2),
        )


def _allowed(call: Call, method: str, request: bytes) -> bool:
    import grpc

    try:
        call(method, request)
    except grpc.RpcError as error:
        return bool(error.code() == grpc.StatusCode.NOT_FOUND)
    return True


def _connect(settings: RemoteSettings, address: Address) -> grpc.Channel:
    import grpc

    if not address.encrypted:
        return grpc.insecure_channel(address.target)
    if settings.authority:
        roots = settings.authority.read_bytes()
    else:  # those of the system, as Pants takes them, not those of grpcio
        ders = ssl.create_default_context().get_ca_certs(binary_form=True)
        roots = "".join(map(ssl.DER_cert_to_PEM_cert, ders)).encode()
    return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(roots or None))


def _explain(error: grpc.RpcError, settings: RemoteSettings, address: Address) -> SlipwayError:
    import grpc

    code, details = error.code(), str(error.details())
    off = f"{VARIABLES[CACHE if address == settings.cache else EXECUTION]}=off"
    if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
        return SlipwayError(
            f"{address.url} refuses this machine: {code.name}",
            fix=f"a file with a valid token: {settings.token_setting}; or the {INSTANCE} that it is"
            " for",
        )
    if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND):
        fix = f"the {INSTANCE} that the server has, or none"
    elif "WRONG_VERSION_NUMBER" in details:
        fix = f"grpc://{address.target}, because the server does not encrypt; or {off}"
    elif "handshake" in details.lower() or "certificate" in details.lower():
        fix = f"{AUTHORITY} = the PEM file of the authority that signed the server's certificate"
    elif address.encrypted:
        fix = f"start it, or {off}; builds work without it"
    else:
        fix = f"start it, grpcs://{address.target} if it encrypts, or {off}; builds work without it"
    return SlipwayError(f"{address.url}: {details}", fix=fix)


# ---- protobuf's wire format: varints and what has a length


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode()) if value else b""


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield key >> 3, message[position : position + size]
        position += size


def _first(message: bytes, field: int) -> bytes:
    found = (value for number, value in _fields(message) if number == field)
    value = next(found, b"")
    return value if isinstance(value, bytes) else b""


def _numbers(message: bytes, field: int) -> list[int]:
    """Return a repeated number, packed or not."""
    numbers: list[int] = []
    for number, value in _fields(message):
        if number == field:
            numbers += [value] if isinstance(value, int) else list(value)
    return numbers
