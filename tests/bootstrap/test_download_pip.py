"""pip's wheel from an index, by the standard library: credentials, hashes, what it says."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bootstrap.machine import PYTHON, TIMEOUT, Machine

SECRET = base64.b64encode(b"user:pass word").decode("ascii")


class Guarded(http.server.SimpleHTTPRequestHandler):
    """Serve a folder to those who know the password."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] == f"Basic {SECRET}":
            super().do_GET()
        else:
            self.send_error(401)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def address(bare: Machine) -> Iterator[str]:
    """Return host and port of an index with pip that asks for a password."""
    bare.publish("pip", "1.0", {"pip/__main__.py": ""})
    handler = functools.partial(Guarded, directory=str(bare.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def download(
    machine: Machine, index: str, find_links: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the script as the launchers do."""
    lock = machine.checkout / "build-support" / "lockfiles" / "pip.txt"
    script = machine.checkout / "build-support" / "launcher" / "download_pip.py"
    settings = {"SLIPWAY_INDEX_URL": index, "SLIPWAY_FIND_LINKS": find_links}
    return subprocess.run(
        [str(PYTHON), "-I", str(script), str(lock), str(machine.folder)],
        env=os.environ | machine.environment() | settings,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_credentials_of_the_url_are_sent(bare: Machine, address: str) -> None:
    done = download(bare, f"http://user:pass%20word@{address}/simple")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "pip-1.0-py3-none-any.whl"


def test_they_are_sent_to_links_that_name_the_host_as_well(bare: Machine, address: str) -> None:
    page = bare.index / "pip" / "index.html"
    wheel = f"http://{address}/simple/pip/pip-1.0-py3-none-any.whl#sha256=0"
    page.write_text(f'<a href="{wheel}">pip</a>', encoding="utf-8")
    assert download(bare, f"http://user:pass%20word@{address}/simple/").returncode == 0


def test_credentials_of_netrc_are_sent(bare: Machine, address: str) -> None:
    netrc = bare.home / ".netrc"
    netrc.write_text('machine 127.0.0.1 login user password "pass word"\n', encoding="utf-8")
    netrc.chmod(0o600)
    assert download(bare, f"http://{address}/simple").returncode == 0


def test_without_credentials_the_answer_is_reported(bare: Machine, address: str) -> None:
    done = download(bare, f"http://{address}/simple")
    assert done.returncode == 1 and done.stdout == ""
    assert "HTTP Error 401" in done.stderr


def test_a_folder_of_wheels_does_without_an_index(bare: Machine) -> None:
    bare.publish("pip", "1.0", {"pip/__main__.py": ""})
    (bare.index / "pip" / "index.html").unlink()
    assert download(bare, "", str(bare.index / "pip")).returncode == 0


def test_another_file_of_the_same_name_is_refused(bare: Machine) -> None:
    bare.publish("pip", "1.0", {"pip/__main__.py": ""})
    bare.pin("pip", "1.0", "0" * 64)
    done = download(bare, bare.index.as_uri())
    assert done.returncode == 1
    assert "is not the file that pip.txt pins" in done.stderr
    assert not list(bare.folder.glob("*.whl"))
