"""AWS's own inference toolkit and its Multi Model Server (Java) as a container of the local
endpoint: nobody here wrote them, and they follow the contract that the endpoint promises."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway import settings
from slipway.build import build
from slipway.endpoint.containers.endpoint import ContainerEndpoint
from slipway.endpoint.serving import RunningEndpoints
from tests.endpoint.containers import sample
from tests.endpoint.containers.sample import LOGISTIC, ROW

# the index is out of this process's reach: another one fetches the toolkit's source, and builds it
BUILD = """
import sys; from pathlib import Path
from slipway import settings; from slipway.environment.wheels.sources import build_locked
build_locked(Path(sys.argv[1]) / "requirements.lock", settings.load(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEndpoints]:
    root = tmp_path_factory.mktemp("toolkit")
    shutil.copytree(sample.FIXTURE / "aws", root, dirs_exist_ok=True)
    configured = settings.load(root)
    words = [sys.executable, "-c", BUILD, str(root / "models" / "toolkit")]
    subprocess.run(words, env=sample.ENVIRONMENT, check=True)
    sample.release(configured, build(root / "models" / "toolkit", configured, root / "dist"))
    with sample.up(configured, "toolkit") as endpoints:
        yield endpoints


def ask(running: RunningEndpoints, **parameters: Any) -> Any:
    values = {"ContentType": "text/csv", "Body": ROW, **parameters}
    return sample.client(running.url).invoke_endpoint(EndpointName="toolkit", **values)


def test_it_answers_on_the_port_and_with_the_model_that_it_is_given(
    running: RunningEndpoints,
) -> None:
    answer = ask(running, Accept="application/json")
    assert answer["ContentType"] == "application/json"
    assert json.load(answer["Body"]) == [LOGISTIC]


def test_it_chooses_its_answer_by_what_the_caller_accepts(running: RunningEndpoints) -> None:
    answer = ask(running, Accept="text/csv")["Body"].read().decode()
    assert [float(cell) for cell in answer.split(",")] == LOGISTIC


def test_its_errors_are_passed_on_with_their_status(running: RunningEndpoints) -> None:
    client = sample.client(running.url)
    with pytest.raises(client.exceptions.ModelError) as failed:
        ask(running, ContentType="application/unknown")
    assert failed.value.response["OriginalStatusCode"] == 500
    message = failed.value.response["OriginalMessage"]
    assert "application/unknown is not supported" in message


def test_what_it_writes_to_tmp_is_not_the_machines(running: RunningEndpoints) -> None:
    endpoint = running.endpoints["toolkit"]
    assert isinstance(endpoint, ContainerEndpoint)
    (container,) = endpoint.containers.values()
    assert container.process is not None
    if container.process.not_mounted:
        pytest.skip("this kernel has no user namespaces")
    assert (container.process.place.base / "tmp" / ".mms.sock.9000").exists()
    assert not Path("/tmp/.mms.sock.9000").exists()
