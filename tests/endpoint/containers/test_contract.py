"""What the container of a model sees, and what is left of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError
from slipway.server.container import call
from slipway.server.container.process import ContainerProcess, start_container
from slipway.settings import Settings
from tests.endpoint.containers import sample


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Artifact]:
    """A container that answers what it sees."""
    repository = sample.copy_repository(tmp_path_factory.mktemp("probe"))
    script = repository.root / "models" / "wine_rows" / "container" / "code" / "serve.py"
    shutil.copyfile(repository.root / "other" / "probe.py", script)
    return repository, sample.build_rows(repository)


@pytest.fixture
def container(probe: tuple[Settings, Artifact]) -> Iterator[ContainerProcess]:
    repository, artifact = probe
    with start_container(artifact.path, repository, environment={"SEPARATOR": ";"}) as started:
        call.await_ready(started)
        yield started


def ask(container: ContainerProcess, **asked: Any) -> dict[str, Any]:
    answer = call.invoke(container, json.dumps(asked).encode(), "application/json", accept="a/b")
    seen: dict[str, Any] = json.loads(answer.body)
    return seen


def test_the_model_is_where_sagemaker_extracts_it(container: ContainerProcess) -> None:
    seen = ask(container)
    if container.not_mounted:  # a kernel without user namespaces
        assert seen["variables"]["SAGEMAKER_BASE_DIR"] == str(container.place.base)
    else:
        assert seen["folder"] == "/opt/ml/model"
        assert seen["files"] == ["code", "slipway"]
    assert not Path("/opt/ml/model/code").exists()


def test_its_variables_are_its_own_and_the_platforms(container: ContainerProcess) -> None:
    os.environ["SLIPWAY_TEST_SECRET"] = "secret"
    variables = ask(container)["variables"]
    assert variables["SAGEMAKER_BIND_TO_PORT"] == str(container.place.port)
    assert variables["SAGEMAKER_SAFE_PORT_RANGE"] == "21000-21999"
    assert variables["SEPARATOR"] == ";"
    assert "SLIPWAY_TEST_SECRET" not in variables
    assert ask(container)["accept"] == "a/b"


def test_it_reaches_nothing_of_this_machine(container: ContainerProcess) -> None:
    if container.entrance is None:
        pytest.skip("this kernel has no network namespaces for users")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert not ask(container, port=listening.getsockname()[1])["reached"]


def test_a_container_that_answers_too_late_is_given_up(container: ContainerProcess) -> None:
    with pytest.raises(SlipwayError, match=r"no answer in 0\.2 s"):
        call.invoke(container, b'{"sleep": 5}', "application/json", timeout_s=0.2)


def test_a_container_that_ends_before_it_is_ready_shows_its_log(
    probe: tuple[Settings, Artifact], tmp_path: Path
) -> None:
    repository, artifact = probe
    with (
        pytest.raises(SlipwayError, match="ended before it answered /ping") as failed,
        start_container(
            artifact.path,
            repository,
            log_file=tmp_path / "log",
            environment={"SAGEMAKER_BIND_TO_PORT": "none"},
        ) as started,
    ):
        call.await_ready(started)
    assert "invalid literal for int() with base 10: 'none'" in str(failed.value)


STARTS = """
import sys
from pathlib import Path
from slipway import settings
from slipway.server.container import call, process

with process.start_container(Path(sys.argv[1]), settings.load(Path(sys.argv[2]))) as container:
    call.await_ready(container)
    print(container.place.base, container.process.pid, flush=True)
    sys.stdin.read()
"""


def test_nothing_stays_of_a_container_whose_owner_is_killed(
    probe: tuple[Settings, Artifact],
) -> None:
    repository, artifact = probe
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS, str(artifact.path), str(repository.root)],
        env=sample.ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    base, supervisor = owner.stdout.readline().split()
    processes = psutil.Process(int(supervisor)).children(recursive=True)
    assert Path(base).is_dir() and processes
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    deadline = time.monotonic() + 60
    while Path(base).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(process.is_running() for process in processes)
    assert not Path(base).exists()
