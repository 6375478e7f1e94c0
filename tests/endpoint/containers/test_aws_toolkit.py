"""AWS's own inference toolkit and its Multi Model Server (Java) as a container: nobody here wrote
them, and they follow the contract that the local endpoint promises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway import settings
from slipway.build import build
from slipway.server.container import call
from slipway.server.container.process import ContainerProcess, start_container
from tests.endpoint.containers import sample
from tests.endpoint.containers.sample import LOGISTIC, ROW


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerProcess]:
    root = tmp_path_factory.mktemp("toolkit")
    shutil.copytree(sample.FIXTURE / "aws", root, dirs_exist_ok=True)
    configured = settings.load(root)
    artifact = build(root / "models" / "toolkit", configured, root / "dist")
    variables = configured.containers["toolkit"].environment
    with start_container(artifact.path, configured, environment=variables) as container:
        call.await_ready(container, 40)
        yield container


def test_it_answers_on_the_port_and_with_the_model_that_it_is_given(
    toolkit: ContainerProcess,
) -> None:
    answer = call.invoke(toolkit, ROW.encode(), "text/csv", accept="application/json")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == [LOGISTIC]


def test_it_chooses_its_answer_by_what_the_caller_accepts(toolkit: ContainerProcess) -> None:
    answer = call.invoke(toolkit, ROW.encode(), "text/csv", accept="text/csv")
    assert [float(cell) for cell in answer.body.decode().split(",")] == LOGISTIC


def test_its_errors_are_passed_on_with_their_status(toolkit: ContainerProcess) -> None:
    answer = call.invoke(toolkit, b"x", "application/unknown")
    assert answer.status == 500 and b"application/unknown is not supported" in answer.body


def test_what_it_writes_to_tmp_is_not_the_machines(toolkit: ContainerProcess) -> None:
    if toolkit.not_mounted:
        pytest.skip("this kernel has no user namespaces")
    assert (toolkit.place.base / "tmp" / ".mms.sock.9000").exists()
    assert not Path("/tmp/.mms.sock.9000").exists()
