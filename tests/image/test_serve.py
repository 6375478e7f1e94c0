"""The program that an image starts, with a server that only says how it was started."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from slipway.image.config import SCRIPT

SERVER = """#!/bin/sh
for each; do echo "$each"; done
echo "default=$SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    server = tmp_path / "tritonserver"
    server.write_text(SERVER)
    server.chmod(0o755)
    return tmp_path


def start(programs: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{programs}:{os.defpath}", "SLIPWAY_SERVES": "a_pipeline b_pipeline"}
    return subprocess.run(
        ["/bin/sh", SCRIPT, *arguments], env=env | variables, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_all_models_are_loaded_and_the_first_is_sagemakers(programs: Path) -> None:
    lines = start(programs, "serve").stdout.splitlines()
    assert [line for line in lines if "load-model" in line] == [
        "--load-model=a_pipeline", "--load-model=b_pipeline"
    ]  # fmt: skip
    assert lines[-1] == "default=a_pipeline"
    for option in ("--http-port=8000", "--grpc-port=8001", "--metrics-port=8002"):
        assert option in lines
    assert "--sagemaker-port=8080" in lines
    assert "--disable-auto-complete-config" in lines


def test_without_an_argument_it_serves(programs: Path) -> None:
    assert start(programs).stdout == start(programs, "serve").stdout != ""


def test_in_an_endpoint_of_several_containers_only_sagemakers_port_is_opened(
    programs: Path,
) -> None:
    lines = start(
        programs, "serve", SAGEMAKER_BIND_TO_PORT="14000", SAGEMAKER_SAFE_PORT_RANGE="14000-14999"
    ).stdout.splitlines()
    assert {"--sagemaker-port=14000", "--sagemaker-safe-port-range=14000-14999"} < {*lines}
    assert {"--allow-http=false", "--allow-grpc=false", "--allow-metrics=false"} < {*lines}


def test_sagemakers_variables_become_the_servers_options(programs: Path) -> None:
    lines = start(
        programs,
        "serve",
        "--strict-readiness=false",
        SAGEMAKER_TRITON_DEFAULT_MODEL_NAME="b_pipeline",
        SAGEMAKER_TRITON_LOG_VERBOSE="1",
        SAGEMAKER_TRITON_THREAD_COUNT="4",
        SAGEMAKER_TRITON_SHM_DEFAULT_BYTE_SIZE="33554432",
        SLIPWAY_HTTP_PORT="9000",
        SLIPWAY_GRPC_PORT="off",
        SLIPWAY_EXPLICIT_TENSORS="false",
    ).stdout.splitlines()
    for option in ("--log-verbose=1", "--sagemaker-thread-count=4", "--http-port=9000",
                   "--backend-config=python,shm-default-byte-size=33554432", "--allow-grpc=false",
                   "--strict-readiness=false"):  # fmt: skip
        assert option in lines
    assert "--disable-auto-complete-config" not in lines
    assert lines[-1] == "default=b_pipeline"


def test_a_default_model_that_is_not_in_the_image_is_an_error_with_a_fix(programs: Path) -> None:
    refused = start(programs, "serve", SAGEMAKER_TRITON_DEFAULT_MODEL_NAME="c")
    assert refused.returncode == 1
    assert "fix: one of: a_pipeline b_pipeline" in refused.stderr


def test_it_is_no_container_of_a_multi_model_endpoint(programs: Path) -> None:
    refused = start(programs, "serve", SAGEMAKER_MULTI_MODEL="true")
    assert refused.returncode == 1
    assert "no container of a multi-model endpoint" in refused.stderr


def test_an_image_without_a_server_says_so(tmp_path: Path) -> None:
    refused = start(tmp_path, "serve")
    assert (refused.returncode, "no tritonserver on PATH" in refused.stderr) == (1, True)


def test_any_other_argument_is_a_program(programs: Path) -> None:
    assert start(programs, "echo", "a", "b").stdout == "a b\n"


def test_a_container_that_does_not_answer_is_not_healthy(programs: Path) -> None:
    assert start(programs, "healthy", SAGEMAKER_BIND_TO_PORT="9").returncode != 0
