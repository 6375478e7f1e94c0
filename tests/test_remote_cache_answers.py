"""What ``slipway doctor`` says of servers that BuildGrid is not: small ones, of this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from slipway.doctor.diagnosis import Diagnosis
from slipway.doctor.services import diagnose_remote_cache
from slipway.settings.remote import Address, RemoteSettings

# a server that stores by SHA-256, lets everyone read and nobody write; one that also runs steps
CACHE: dict[str, bytes | grpc.StatusCode] = {
    "GetCapabilities": b"\x0a\x02\x08\x01",
    "GetActionResult": grpc.StatusCode.NOT_FOUND,
    "UpdateActionResult": grpc.StatusCode.PERMISSION_DENIED,
}
WORKERS: dict[str, bytes | grpc.StatusCode] = {
    "GetCapabilities": b"\x0a\x02\x08\x01\x12\x02\x10\x01"
}


def diagnose(settings: RemoteSettings) -> Diagnosis:
    [found] = diagnose_remote_cache(settings)
    return found


@contextmanager
def answering(answers: Mapping[str, bytes | grpc.StatusCode]) -> Iterator[Address]:
    """Serve these answers by the names of methods, without encryption."""

    def handler(found: bytes | grpc.StatusCode) -> grpc.RpcMethodHandler:
        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            if isinstance(found, bytes):
                return found
            context.abort(found, "no")
            raise AssertionError("aborted")

        return grpc.unary_unary_rpc_method_handler(answer)

    methods = {name: handler(found) for name, found in answers.items()}
    services = (
        f"build.bazel.remote.execution.v2.{name}" for name in ("Capabilities", "ActionCache")
    )
    handlers = [grpc.method_handlers_generic_handler(name, methods) for name in services]
    server = grpc.server(ThreadPoolExecutor(1), handlers=handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Address(f"grpc://127.0.0.1:{port}")
    finally:
        server.stop(None).wait()


def test_a_server_without_encryption_answers_at_the_address_of_the_fix() -> None:
    with answering(CACHE | WORKERS) as address:
        found = diagnose(RemoteSettings(Address(f"grpcs://{address.target}")))
        assert found.fix is not None and found.fix.startswith(f"{address.url}, because the server")
        assert diagnose(RemoteSettings(address)).state == "ok"


@pytest.mark.parametrize(
    ("wrong", "what", "fix"),
    [
        ({"GetCapabilities": b""}, "does not store by SHA-256", "a server that does, or "),
        (
            {"GetCapabilities": grpc.StatusCode.INVALID_ARGUMENT},
            ": no",
            "the remote-cache-instance that the server has, or none",
        ),
        (
            {"GetActionResult": grpc.StatusCode.PERMISSION_DENIED},
            "answers, but this machine may not read",
            "the file of a token that can read: remote-cache-token in [pipeline], or",
        ),
    ],
)
def test_a_server_that_is_of_no_use_is_named_with_a_fix(
    wrong: dict[str, bytes | grpc.StatusCode], what: str, fix: str
) -> None:
    with answering(CACHE | wrong) as address:
        found = diagnose(RemoteSettings(address))
        assert found.state == "note" and what in found.what
        assert found.fix is not None and found.fix.startswith(fix)
    with answering(CACHE) as address:
        assert diagnose(RemoteSettings(address)).fix is None


def test_the_address_of_workers_runs_steps() -> None:
    with answering(CACHE) as cache, answering(CACHE | WORKERS) as workers:
        _, found = diagnose_remote_cache(RemoteSettings(cache, execution=cache))
        assert found.fix is not None and found.fix.startswith("remote-execution = the address of")
        _, found = diagnose_remote_cache(RemoteSettings(cache, execution=workers))
        assert (found.state, found.what) == ("ok", f"{workers.url}: runs steps")
