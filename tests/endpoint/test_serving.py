"""Endpoints come up together, and whatever ends them leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import psutil
import pytest
from moto.server import ThreadedMotoServer

import slipway
from slipway.endpoint import registry, serving
from slipway.endpoint.endpoint import Endpoint
from slipway.endpoint.limits import Limits
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings, Settings
from tests.endpoint import shelf as shelves
from tests.endpoint.leftovers import servers
from tests.endpoint.shelf import Caller, Shelf, until

# with the option also where the kernel has no namespaces, which tests/server/test_network.py tests
UP = "endpoint up --port 0 --shared-machine".split()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this test, with nothing of others in it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_several_endpoints_are_served_by_one_process_and_do_not_meet(
    shelf: Shelf, tmp_path: Path
) -> None:
    target = shelf.put(1)
    production = shelf.folder / "production" / "models" / target
    production.parent.mkdir(parents=True)
    production.write_bytes(shelf.packed(2))
    store = str(shelf.folder)
    wanted = [
        EndpointSettings("staging", store=store),
        EndpointSettings("production", "production", store=store),
    ]
    with serving.serve_in_thread(Settings(root=tmp_path), wanted) as served:
        assert Caller(served.url, "staging").release(target) == 1
        assert Caller(served.url, "production").release(target) == 2
        kept = {
            name: endpoint.disk.folder(target)
            for name, endpoint in served.endpoints.items()
            if isinstance(endpoint, Endpoint)
        }
        assert kept["staging"] != kept["production"]


def test_a_port_that_is_taken_is_told_before_a_server_is_started(
    shelf: Shelf, tmp_path: Path, temporary: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(SlipwayError, match=f"port {port} cannot be used") as caught,
            serving.serve_in_thread(
                Settings(root=tmp_path), [EndpointSettings("local")], port=port
            ),
        ):
            raise AssertionError
    assert caught.value.fix and "--port" in caught.value.fix
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_is_none_is_told(tmp_path: Path, port: int) -> None:
    with (
        pytest.raises(SlipwayError, match="cannot be used"),
        serving.serve_in_thread(Settings(root=tmp_path), [EndpointSettings("local")], port=port),
    ):
        raise AssertionError


def test_two_that_want_one_port_at_the_same_time_do_not_both_get_it(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    with socket.socket() as bound:
        # as the other one does, while its server starts
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        bound.listen()
        with (
            pytest.raises(SlipwayError, match="cannot be used"),
            serving.serve_in_thread(settings, [EndpointSettings("local")], port=port),
        ):
            raise AssertionError


def test_the_end_of_the_block_leaves_nothing(shelf: Shelf, tmp_path: Path, temporary: Path) -> None:
    target = shelf.put(1)
    # by name: other tests' servers come and go at the same time
    shared = f"slipway_s{os.getpid():x}n"
    before = set(Path("/dev/shm").glob(f"{shared}*"))
    with shelves.up(tmp_path, shelf) as running:
        running.ask(target)
        supervisor = psutil.Process(running.inside.container.server.supervisor)
        processes = [supervisor, *supervisor.children(recursive=True)]
        assert len(processes) >= 3
        assert len(list(temporary.iterdir())) == 1, "the server's folder and the models' are in it"
        assert set(Path("/dev/shm").glob(f"{shared}*")) > before
    assert not [process for process in processes if process.is_running()]
    assert not list(temporary.iterdir())
    assert set(Path("/dev/shm").glob(f"{shared}*")) == before


def started(root: Path, temporary: Path, *options: str) -> subprocess.Popen[bytes]:
    """``slipway endpoint up`` in a process of its own, once it is up."""
    (root / "slipway.toml").touch()
    library = str(Path(slipway.__file__).parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway", *UP, *options],
        cwd=root,
        env=os.environ | {"PYTHONPATH": library, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )

    def is_up() -> bool:
        assert process.poll() is None, process.stdout and process.stdout.read().decode()
        try:
            return bool(registry.find_url(root, "local"))
        except SlipwayError:
            return False

    until(is_up)
    return process


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_the_command_however_it_ends(
    shelf: Shelf, tmp_path: Path, temporary: Path, fate: signal.Signals
) -> None:
    target = shelf.put(1)
    process = started(tmp_path, temporary, "--store", str(shelf.folder))
    try:
        assert Caller(registry.find_url(tmp_path, "local")).release(target) == 1
        below = psutil.Process(process.pid).children(recursive=True)
        assert servers(below)
        shared = f"slipway_s{process.pid:x}n"
        assert [p for p in Path("/dev/shm").iterdir() if p.name.startswith(shared)]
        process.send_signal(fate)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    until(lambda: not list(temporary.iterdir()) and not any(p.is_running() for p in below))
    assert not [p for p in Path("/dev/shm").iterdir() if p.name.startswith(shared)]
    if fate != signal.SIGKILL:
        assert process.returncode == 0 and b"Traceback" not in output
        assert not list((tmp_path / ".slipway" / "endpoints").iterdir())
    with pytest.raises(SlipwayError, match="is not running"):
        registry.find_url(tmp_path, "local")


def test_nothing_is_left_of_the_command_if_server_and_command_are_killed_together(
    shelf: Shelf, tmp_path: Path, temporary: Path
) -> None:
    target = shelf.put(1)
    process = started(tmp_path, temporary, "--store", str(shelf.folder))
    try:
        assert Caller(registry.find_url(tmp_path, "local")).release(target) == 1
        below = psutil.Process(process.pid).children(recursive=True)
        # named before the first is killed: what it leaves goes at once
        for server in servers(below):
            server.kill()
        process.kill()
        process.communicate(timeout=60)
    finally:
        process.kill()
    until(lambda: not list(temporary.iterdir()) and not any(p.is_running() for p in below))


def test_models_come_from_s3(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        for key, value in {
            "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            monkeypatch.setenv(key, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="releases")
        s3.put_object(Bucket="releases", Key="team/staging/models/a.tar.gz", Body=shelf.packed(1))
        wanted = [EndpointSettings("local", store="s3://releases/team")]
        with serving.serve_in_thread(
            Settings(root=tmp_path), wanted, limits=lambda _: Limits()
        ) as served:
            caller = Caller(served.url)
            assert caller.release("a.tar.gz") == 1
            with pytest.raises(caller.errors.ValidationError, match="object does not exist"):
                caller.ask("b.tar.gz")
            s3.put_object(Bucket="releases", Key="team/staging/models/a.tar.gz", Body=b"other")
            s3.put_object(Bucket="releases", Key="team/staging/models/c.tar.gz", Body=b"x")
            assert caller.release("a.tar.gz") == 1
            with pytest.raises(caller.errors.ValidationError, match="not a complete tar.gz"):
                caller.ask("c.tar.gz")
    finally:
        moto.stop()
