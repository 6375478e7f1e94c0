"""Run the steps of a remote execution, one after the other: a worker for tests and benchmarks.

It trusts what it runs, as it trusts who may queue. Production has buildbox-worker, or another
server's own.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as api
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as services
from buildgrid._protos.google.bytestream import bytestream_pb2, bytestream_pb2_grpc
from buildgrid._protos.google.devtools.remoteworkers.v1test2 import (
    bots_pb2,
    bots_pb2_grpc,
    worker_pb2,
)

ACTIVE, COMPLETED = bots_pb2.LeaseState.ACTIVE, bots_pb2.LeaseState.COMPLETED
CHUNK = 1 << 20
AT_ONCE = 3 << 20  # a message of gRPC has at most 4 MiB
PROPERTIES = {"OSFamily": "linux", "ISA": "x86-64"}
# what names the package index and its certificate, which are a worker's own
INDEX = ("PIP_", "UV_", "SSL_", "REQUESTS_")


class Store:
    """The content-addressable storage, with what was fetched kept in a folder."""

    def __init__(self, channel: grpc.Channel, kept: Path) -> None:
        self._blobs = services.ContentAddressableStorageStub(channel)
        self._bytes = bytestream_pb2_grpc.ByteStreamStub(channel)
        self._kept = kept

    def fetch(self, digest: api.Digest) -> Path:
        """Return a file with a blob."""
        file = self._kept / digest.hash
        if not file.exists():
            temporary = file.with_suffix(".new")
            hashing = hashlib.sha256()
            with temporary.open("wb") as new:
                if digest.size_bytes:
                    name = f"blobs/{digest.hash}/{digest.size_bytes}"
                    request = bytestream_pb2.ReadRequest(resource_name=name)
                    for part in self._bytes.Read(request):
                        hashing.update(part.data)
                        new.write(part.data)
            if hashing.hexdigest() != digest.hash:
                raise OSError(f"{digest.hash} has other bytes")
            temporary.rename(file)
        return file

    def keep(self, file: Path) -> api.Digest:
        """Upload a file and return its digest."""
        with file.open("rb") as content:
            digest = api.Digest(
                hash=hashlib.file_digest(content, "sha256").hexdigest(),
                size_bytes=file.stat().st_size,
            )
        asked = api.FindMissingBlobsRequest(blob_digests=[digest])
        if not self._blobs.FindMissingBlobs(asked).missing_blob_digests:
            return digest
        if digest.size_bytes < AT_ONCE:
            update = api.BatchUpdateBlobsRequest()
            update.requests.add(digest=digest, data=file.read_bytes())
            self._blobs.BatchUpdateBlobs(update)
        else:
            self._bytes.Write(self._parts(file, digest))
        return digest

    def keep_bytes(self, data: bytes) -> api.Digest:
        """Upload bytes and return their digest."""
        with tempfile.NamedTemporaryFile(dir=self._kept) as file:
            file.write(data)
            file.flush()
            return self.keep(Path(file.name))

    @staticmethod
    def _parts(file: Path, digest: api.Digest) -> Iterator[bytestream_pb2.WriteRequest]:
        name = f"uploads/{os.urandom(16).hex()}/blobs/{digest.hash}/{digest.size_bytes}"
        with file.open("rb") as content:
            offset = 0
            while data := content.read(CHUNK):
                yield bytestream_pb2.WriteRequest(
                    resource_name=name,
                    write_offset=offset,
                    data=data,
                    finish_write=offset + len(data) == digest.size_bytes,
                )
                offset += len(data)

    def write_tree(self, digest: api.Digest, folder: Path) -> None:
        """Write a directory with all that is in it."""
        folder.mkdir(parents=True, exist_ok=True)
        directory = api.Directory.FromString(self.fetch(digest).read_bytes())
        for file in directory.files:
            target = folder / file.name
            target.write_bytes(self.fetch(file.digest).read_bytes())
            target.chmod(0o755 if file.is_executable else 0o644)
        for link in directory.symlinks:
            (folder / link.name).symlink_to(link.target)
        for child in directory.directories:
            self.write_tree(child.digest, folder / child.name)

    def read_tree(self, folder: Path, tree: api.Tree) -> api.Directory:
        """Upload a folder's files, and return it; its folders are added to `tree`."""
        directory = api.Directory()
        for path in sorted(folder.iterdir()):
            if path.is_symlink():
                directory.symlinks.add(name=path.name, target=os.readlink(path))
            elif path.is_dir():
                child = self.read_tree(path, tree)
                tree.children.append(child)
                directory.directories.add(
                    name=path.name, digest=self.keep_bytes(child.SerializeToString())
                )
            else:
                directory.files.add(
                    name=path.name,
                    digest=self.keep(path),
                    is_executable=os.access(path, os.X_OK),
                )
        return directory


def execute(
    store: Store, action: api.Action, work: Path, environment: Mapping[str, str]
) -> api.ActionResult:
    """Run an action in a folder of its own, with its variables and those of this worker."""
    command = api.Command.FromString(store.fetch(action.command_digest).read_bytes())
    with tempfile.TemporaryDirectory(dir=work) as name:
        root = Path(name)
        store.write_tree(action.input_root_digest, root)
        for output in (*command.output_files, *command.output_directories):
            (root / output).parent.mkdir(parents=True, exist_ok=True)
        variables = {each.name: each.value for each in command.environment_variables}
        print(*command.arguments[1:], flush=True)
        done = subprocess.run(
            list(command.arguments),
            cwd=root / command.working_directory,
            env={**environment, **variables},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        result = api.ActionResult(
            exit_code=done.returncode,
            stdout_digest=store.keep_bytes(done.stdout),
            stderr_digest=store.keep_bytes(done.stderr),
        )
        for output in command.output_files:
            file = root / command.working_directory / output
            if file.is_file():
                result.output_files.add(
                    path=output, digest=store.keep(file), is_executable=os.access(file, os.X_OK)
                )
        for output in command.output_directories:
            folder = root / command.working_directory / output
            if folder.is_dir():
                tree = api.Tree()
                tree.root.CopyFrom(store.read_tree(folder, tree))
                store.keep_bytes(tree.root.SerializeToString())
                result.output_directories.add(
                    path=output, tree_digest=store.keep_bytes(tree.SerializeToString())
                )
        return result


class Worker:
    """A session with the queue, and the one step that runs for it."""

    def __init__(
        self, channel: grpc.Channel, name: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        (folder / "kept").mkdir(parents=True, exist_ok=True)
        self.environment = environment
        self.folder = folder
        self.store = Store(channel, folder / "kept")
        self.bots = bots_pb2_grpc.BotsStub(channel)
        device = worker_pb2.Device(handle=name)
        for key, value in PROPERTIES.items():
            device.properties.add(key=key, value=value)
        session = bots_pb2.BotSession(
            bot_id=name, status=bots_pb2.BotStatus.OK, worker=worker_pb2.Worker(devices=[device])
        )
        request = bots_pb2.CreateBotSessionRequest(parent="", bot_session=session)
        self.session = self.bots.CreateBotSession(request)
        self.running: dict[str, threading.Thread] = {}
        self.done: dict[str, bots_pb2.Lease] = {}

    def work(self) -> None:
        """Take steps until a signal."""
        while True:
            for lease in self.session.leases:
                if lease.id in self.done:
                    lease.CopyFrom(self.done[lease.id])
                elif lease.id not in self.running and lease.state != COMPLETED:
                    lease.state = ACTIVE
                    copy = bots_pb2.Lease()
                    copy.CopyFrom(lease)
                    self.running[lease.id] = threading.Thread(target=self._run, args=(copy,))
                    self.running[lease.id].daemon = True
                    self.running[lease.id].start()
            request = bots_pb2.UpdateBotSessionRequest(
                name=self.session.name, bot_session=self.session
            )
            self.session = self.bots.UpdateBotSession(request, timeout=2 if self.running else 30)
            for name in set(self.done) - {lease.id for lease in self.session.leases}:
                del self.done[name], self.running[name]
            time.sleep(0.1)

    def _run(self, lease: bots_pb2.Lease) -> None:
        action = api.Action()
        try:
            lease.payload.Unpack(action)
            lease.result.Pack(execute(self.store, action, self.folder, self.environment))
        except Exception as error:  # the step failed, not the worker
            lease.status.code = grpc.StatusCode.INTERNAL.value[0]
            lease.status.message = repr(error)
        lease.state = COMPLETED
        self.done[lease.id] = lease


def main() -> None:
    """Work for a queue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="host:port, without TLS")
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", help="HOME of the steps, which keep unpacked libraries there")
    parser.add_argument("--path", help="PATH of the steps")
    given = parser.parse_args()
    variables = {
        **{name: value for name, value in os.environ.items() if name.startswith(INDEX)},
        "HOME": given.home or str(Path.home()),
        "PATH": given.path or os.environ["PATH"],
    }
    with grpc.insecure_channel(given.address) as channel:
        Worker(channel, given.name, given.folder.resolve(), variables).work()


if __name__ == "__main__":
    main()
