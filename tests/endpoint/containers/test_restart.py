"""A container that ends is started again, and the command serves them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from slipway import settings
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.settings import Settings
from tests.endpoint.containers import sample


@pytest.fixture
def probe(tmp_path: Path) -> Settings:
    """The sample with a container that ends when it is told to, alone on its endpoint."""
    repository = sample.copy_repository(tmp_path)
    folder = tmp_path / "models" / "wine_rows" / "container" / "code"
    shutil.copyfile(tmp_path / "other" / "probe.py", folder / "serve.py")
    text = (tmp_path / "slipway.toml").read_text()
    (tmp_path / "slipway.toml").write_text(
        text.replace('containers = ["wine_rows", "adder"]', 'containers = ["wine_rows"]')
    )
    sample.release(repository, sample.build_rows(repository))
    return settings.load(tmp_path)


def test_a_container_that_ends_is_started_again(probe: Settings) -> None:
    with sample.up(probe, "rows") as running:
        client = sample.client(running.url)

        def ask(**asked: int) -> bytes:
            answer = client.invoke_endpoint(EndpointName="rows", Body=json.dumps(asked))
            body: bytes = answer["Body"].read()
            return body

        assert b"folder" in ask()
        with pytest.raises(ClientError, match="ModelError.*ended the connection"):
            ask(exit=3)
        # a request that arrives meanwhile waits for the next one
        assert b"folder" in ask()
        endpoint = running.endpoints["rows"]
        assert isinstance(endpoint, ContainerEndpoint)
        (event,) = [each for each in endpoint.observer.events if each.kind == "restart"]
        assert "the container wine-rows-1-0-0" in event.what and "with status 3" in event.what


def test_the_command_serves_and_stops_an_endpoint_of_containers(probe: Settings) -> None:
    def slipway(*words: str) -> str:
        command = [sys.executable, "-m", "slipway", *words]
        done = subprocess.run(
            command,
            cwd=probe.root,
            env=sample.ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    up = slipway("endpoint", "up", "--endpoint", "rows", "--port", "0", "--detach")
    try:
        seen = slipway("invoke", "wine_rows", "--endpoint", "rows", "--data", "{}")
        log = next((probe.root / ".slipway" / "logs").glob("endpoint_up_rows.log"))
        assert "rows: containers, invoked one after another" in log.read_text()
    finally:
        slipway("endpoint", "down", "--endpoint", "rows")
    assert "http://127.0.0.1:" in up
    assert json.loads(seen)["variables"]["SEPARATOR"] == ";"
