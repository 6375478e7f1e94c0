"""The token for a push: from the environment or AWS Secrets Manager, and shown nowhere."""

from __future__ import annotations

import base64
import http.server
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from slipway.errors import SlipwayError
from slipway.pipeline.handover.push_remote import SECRET, TOKEN, push_remote, push_token

SECRET_VALUE = "glpat-made-up-and-secret"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS Secrets Manager, as moto has it."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for key, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    client = boto3.client("secretsmanager")
    client.create_secret(Name="plain", SecretString=f"{SECRET_VALUE}\n")
    client.create_secret(Name="json", SecretString=f'{{"token": "{SECRET_VALUE}"}}')
    client.create_secret(Name="empty", SecretString='{"password": "other"}')
    yield
    server.stop()


def test_a_secret_holds_the_token_as_text_or_as_json(secrets: None) -> None:
    assert push_token({SECRET: "plain"}) == push_token({SECRET: "json"}) == SECRET_VALUE
    assert push_token({SECRET: "plain", TOKEN: "the job's"}) == "the job's"
    for name, what in {"empty": "holds no token", "nobody": "cannot read the push token"}.items():
        with pytest.raises(SlipwayError, match=what) as caught:
            push_token({SECRET: name})
        assert caught.value.where == name and caught.value.fix


@pytest.fixture
def server() -> Iterator[tuple[str, list[str | None]]]:
    """An HTTP server that refuses every push, and the headers that it was sent."""
    sent: list[str | None] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.headers.get("Authorization"))
            self.send_response(403)
            self.end_headers()
            # a server that is careless with what it was sent
            self.wfile.write(f"no {SECRET_VALUE}".encode())

        def log_message(self, *words: object) -> None:
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}/team/models", sent
    made.shutdown()
    made.server_close()


def test_git_sends_the_token_and_neither_its_arguments_nor_its_files_nor_errors_have_it(
    server: tuple[str, list[str | None]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, sent = server
    folder = tmp_path / "here"
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    # records the arguments of every git, then is git
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout
    wrapper = programs / "git"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {real.strip()} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv(TOKEN, SECRET_VALUE)
    remote = push_remote({"SLIPWAY_REPOSITORY": url, TOKEN: SECRET_VALUE})
    with pytest.raises(SlipwayError) as caught:
        remote.git(["-C", str(folder), "fetch", remote.url, "main"], what="fetching")
    encoded = base64.b64encode(f"oauth2:{SECRET_VALUE}".encode()).decode()
    assert f"Basic {encoded}" in sent, str(caught.value)
    assert SECRET_VALUE not in str(caught.value) and encoded not in str(caught.value)
    shown = (tmp_path / "arguments").read_text()
    assert "fetch" in shown and SECRET_VALUE not in shown and encoded not in shown
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert kept and not any(encoded in path.read_text(errors="replace") for path in kept)
    # programs that git starts, such as hooks, do not find it under its own name
    assert TOKEN not in remote.environment


def test_without_a_token_a_checkouts_own_remote_is_used() -> None:
    assert push_remote({}).url == "origin"
    assert push_remote({"CI_PROJECT_URL": "https://gitlab.invalid/a/b"}).url == "origin"
    in_container = push_remote({"SLIPWAY_REPOSITORY": "https://gitlab.invalid/a/b"})
    assert in_container.url == "https://gitlab.invalid/a/b.git" and in_container.token is None
