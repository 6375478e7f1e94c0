"""No other user of the machine reaches the server, and what leads to it is closed to them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.server import network, triton
from slipway.server.client import HOST
from slipway.server.server import Server
from slipway.settings import Settings

NOBODY = 65534
# kernels and containers may forbid namespaces; what is said then has tests of its own below
needs_namespaces = pytest.mark.skipif(
    network.why_not() is not None, reason=f"no network namespaces: {network.why_not()}"
)


@needs_namespaces
def test_no_interface_of_the_machine_has_the_servers_port(server: Server) -> None:
    assert server.shared is None
    assert server.client.ready()
    for family, address in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        with socket.socket(family) as connection, pytest.raises(OSError):
            connection.connect((address, server.port))


@needs_namespaces
def test_no_other_user_can_enter_what_leads_to_the_server(server: Server) -> None:
    assert server.entrance is not None
    for folder in (server.entrance, server.entrance.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        program = f"import os; os.setuid({NOBODY}); os.listdir({str(server.entrance)!r})"
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert "PermissionError" in done.stderr


@needs_namespaces
def test_curl_reaches_the_server_through_the_socket_of_its_owner(server: Server) -> None:
    assert server.entrance is not None
    directory = os.open(server.entrance, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{directory}/http")
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    os.close(directory)


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_has_namespaces_too() -> None:
    # read as root, whose files others may not read; after a change of user, /proc/self is root's
    program = (
        "import ctypes, os, runpy\n"
        f"script = runpy.run_path({str(network.SCRIPT)!r})\n"
        f"os.setgid({NOBODY}), os.setuid({NOBODY})\n"
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
        "script['_enter_namespace']()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Start servers by a script whose kernel refuses each namespace."""
    source = network.SCRIPT.read_text(encoding="utf-8")
    refusing = source.replace(
        "def _enter_namespace() -> None:\n",
        "def _enter_namespace() -> None:\n"
        "    raise PermissionError(1, 'Operation not permitted')\n",
    )
    assert refusing != source
    script = tmp_path / "refusing.py"
    script.write_text(refusing, encoding="utf-8")
    monkeypatch.setattr(network, "SCRIPT", script)
    yield


@pytest.mark.usefixtures("no_namespaces")
def test_without_namespaces_a_server_runs_and_says_so(tmp_path: Path) -> None:
    with triton.start(Settings(root=tmp_path)) as server:
        assert server.shared is not None and "Operation not permitted" in server.shared
        assert server.client.ready()


@pytest.mark.usefixtures("no_namespaces")
def test_without_namespaces_an_endpoint_needs_the_option() -> None:
    with pytest.raises(SlipwayError, match="could run code as you") as caught:
        network.reject_shared_network("wheel")
    assert caught.value.fix is not None and "--shared-machine" in caught.value.fix


def test_docker_publishes_its_port_to_every_user() -> None:
    with pytest.raises(SlipwayError, match="Docker publishes"):
        network.reject_shared_network("docker")
