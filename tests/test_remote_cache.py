"""What ``slipway doctor`` says of a remote cache: BuildGrid, with TLS and tokens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from slipway import settings as configuration
from slipway.doctor.diagnosis import Diagnosis
from slipway.doctor.services import diagnose_remote_cache
from slipway.settings.remote import Address, RemoteSettings

BUILDGRID = Path(__file__).parents[1] / "ci" / "buildgrid"


@dataclass(frozen=True)
class Server:
    """A server, and the folder with its authority's certificate and tokens."""

    folder: Path
    url: str

    @property
    def settings(self) -> RemoteSettings:
        """Return the settings of someone who may read."""
        return RemoteSettings(
            Address(self.url), authority=self.folder / "authority.pem", token=self.folder / "reader"
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("buildgrid")
    command = [str(BUILDGRID / "python"), str(BUILDGRID / "serve.py"), str(folder), "--tls"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield Server(folder, json.loads(line)["url"])
    finally:
        process.kill()
        process.communicate()


def diagnose(settings: RemoteSettings) -> Diagnosis:
    [found] = diagnose_remote_cache(settings)
    return found


def test_without_a_remote_cache_nothing_is_said() -> None:
    assert list(diagnose_remote_cache(RemoteSettings())) == []


def test_who_may_read_reads(server: Server) -> None:
    found = diagnose(server.settings)
    assert (found.state, found.what) == ("ok", f"{server.url}: reads")


def test_the_write_token_writes(server: Server) -> None:
    writes = replace(server.settings, write_token=server.folder / "writer", writes=True)
    found = diagnose(writes)
    assert (found.state, found.what) == ("ok", f"{server.url}: reads and writes")


def test_a_read_token_that_can_write_is_named(server: Server) -> None:
    found = diagnose(replace(server.settings, token=server.folder / "writer"))
    assert found.state == "note" and "lets this machine write" in found.what
    assert found.fix is not None and found.fix.startswith("a token that can only read")
    assert diagnose(replace(server.settings, token=server.folder / "reader")).fix is None


def test_a_server_that_does_not_know_the_token_takes_another_one(
    server: Server, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("wrong\n")
    remote = replace(server.settings, token=token)
    found = diagnose(remote)
    assert found.state == "note" and "refuses this machine: UNAUTHENTICATED" in found.what
    assert "wrong" not in repr(found)
    assert found.fix is not None and found.fix.startswith(
        "a file with a valid token: remote-cache-token in [pipeline], or SLIPWAY_REMOTE_CACHE_TOKEN"
    )
    token.write_text((server.folder / "reader").read_text())
    assert diagnose(remote).state == "ok"


def test_the_fix_of_a_write_token_names_its_own_variable(server: Server, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("wrong\n")
    found = diagnose(replace(server.settings, write_token=token, writes=True))
    assert found.fix is not None and "valid token: SLIPWAY_REMOTE_CACHE_WRITE_TOKEN;" in found.fix


def test_a_token_is_for_the_instance_that_the_fix_names(server: Server) -> None:
    found = diagnose(replace(server.settings, instance="other"))
    assert "refuses this machine" in found.what
    assert found.fix is not None and "the remote-cache-instance that it is for" in found.fix
    assert diagnose(replace(server.settings, instance=None)).state == "ok"


def test_a_certificate_is_accepted_with_the_file_that_the_fix_names(server: Server) -> None:
    found = diagnose(replace(server.settings, authority=None))
    assert found.state == "note" and "CERTIFICATE_VERIFY_FAILED" in found.what
    assert found.fix is not None and found.fix.startswith("remote-cache-ca = ")
    authority = server.folder / "authority.pem"
    assert diagnose(replace(server.settings, authority=authority)).state == "ok"


def test_a_server_that_encrypts_answers_at_the_address_of_the_fix(server: Server) -> None:
    found = diagnose(replace(server.settings, cache=Address(server.url.replace("grpcs", "grpc"))))
    assert found.state == "note" and found.fix is not None
    address = next(word for word in found.fix.split() if word.startswith("grpcs://"))
    assert diagnose(replace(server.settings, cache=Address(address))).state == "ok"


def test_a_server_that_is_down_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[pipeline]\nremote-cache = "grpc://127.0.0.1:1"\nremote-execution = "grpc://[::1]:1"\n'
    (tmp_path / "slipway.toml").write_text(text)
    cache, workers = diagnose_remote_cache(configuration.load(tmp_path).remote)
    for found in (cache, workers):
        assert found.state == "note" and "Connection refused" in found.what
        assert found.fix is not None and "builds work without it" in found.fix
    assert cache.fix is not None and "or SLIPWAY_REMOTE_CACHE=off;" in cache.fix
    assert workers.fix is not None and "or SLIPWAY_REMOTE_EXECUTION=off;" in workers.fix
    monkeypatch.setenv("SLIPWAY_REMOTE_EXECUTION", "off")
    assert list(diagnose_remote_cache(configuration.load(tmp_path).remote)) == [cache]
    monkeypatch.setenv("SLIPWAY_REMOTE_CACHE", "off")
    assert list(diagnose_remote_cache(configuration.load(tmp_path).remote)) == []


def test_a_cache_without_workers_runs_no_steps(server: Server) -> None:
    _, workers = diagnose_remote_cache(replace(server.settings, execution=Address(server.url)))
    assert (workers.state, workers.what) == ("note", f"{server.url}: runs no steps")
    assert workers.fix is not None and "SLIPWAY_REMOTE_EXECUTION=off" in workers.fix
    assert diagnose(replace(server.settings, execution=None)).state == "ok"
