"""A real server, started, used, and ended in every way there is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

import slipway
from slipway.errors import SlipwayError
from slipway.server import triton
from slipway.server.client import InferenceError, RejectedError, ServerGoneError
from slipway.server.server import Server
from slipway.settings import Settings
from tests import fixture_models

REQUEST = {
    "TEXT": np.array([[b"a\0\xff"], ["h\u00e9"]], dtype=object),
    "NUMBERS": np.arange(6, dtype=np.float32).reshape(2, 3),
}
# a process that starts a server with a model, says so, and then waits for its fate
OWNER = """
import os, sys
from pathlib import Path
from slipway.server import triton
from slipway.settings import Settings
with triton.start(Settings(root=Path(sys.argv[1]))) as server:
    server.load("m.tar.gz", Path(sys.argv[2]))
    print("ready", flush=True)
    if sys.argv[3] == "fork":
        os.fork()  # it holds the pipe to the supervisor open
    sys.stdin.readline()
    raise ValueError("in the block")
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this test, with nothing of others in it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_python_model_answers_through_the_endpoints_path(server: Server, tmp_path: Path) -> None:
    server.load("answers.tar.gz", fixture_models.copy("identity", tmp_path))
    outputs = server.invoke("answers.tar.gz", REQUEST)
    assert outputs["TEXT_BACK"].tolist() == [[b"a\0\xff"], ["h\u00e9".encode()]]
    np.testing.assert_array_equal(outputs["NUMBERS_BACK"], REQUEST["NUMBERS"])
    server.unload("answers.tar.gz")


def test_an_artifact_is_extracted_and_served(server: Server, tmp_path: Path) -> None:
    model = fixture_models.copy("identity", tmp_path)
    server.load("packed.tar.gz", fixture_models.pack(model, tmp_path / "identity.tar.gz"))
    assert server.invoke("packed.tar.gz", REQUEST).keys() == {"TEXT_BACK", "NUMBERS_BACK"}
    server.unload("packed.tar.gz")


def test_gpu_instances_are_lowered_in_the_copy_only_and_the_load_says_so(
    server: Server, tmp_path: Path
) -> None:
    model = fixture_models.copy("identity", tmp_path)
    assert server.load("lowered.tar.gz", model) == ("identity_step: KIND_GPU → KIND_CPU",)
    assert "KIND_GPU" in (model / "identity_step" / "config.pbtxt").read_text(encoding="utf-8")
    server.unload("lowered.tar.gz")


def test_a_models_own_error_is_an_inference_error_with_its_words(
    server: Server, tmp_path: Path
) -> None:
    server.load("refuses.tar.gz", fixture_models.copy("identity", tmp_path))
    with pytest.raises(InferenceError, match="refused as asked") as caught:
        server.invoke("refuses.tar.gz", {**REQUEST, "TEXT": np.full((2, 1), "refuse me")})
    assert caught.value.status == 400
    server.unload("refuses.tar.gz")


def test_a_target_is_loaded_once_and_unloaded_once(server: Server, tmp_path: Path) -> None:
    model = fixture_models.copy("adder", tmp_path)
    server.load("once.tar.gz", model)
    with pytest.raises(RejectedError) as again:
        server.load("once.tar.gz", model)
    assert again.value.status == 409
    server.unload("once.tar.gz")
    for call in (server.unload, lambda target: server.invoke(target, {})):
        with pytest.raises(RejectedError) as missing:
            call("once.tar.gz")
        assert missing.value.status == 404


def test_two_servers_at_once_do_not_meet(
    server: Server, settings: Settings, tmp_path: Path
) -> None:
    model = fixture_models.copy("adder", tmp_path)
    ones = np.ones((1, 4), np.float32)
    server.load("both.tar.gz", model)
    with triton.start(settings) as other:
        assert other.port != server.port
        assert not other.is_loaded("both.tar.gz")
        other.load("both.tar.gz", model)
    np.testing.assert_array_equal(
        server.invoke("both.tar.gz", {"A": ones, "B": ones})["SUM"], 2 * ones
    )
    server.unload("both.tar.gz")


def test_variables_of_the_callers_python_do_not_reach_the_models(
    settings: Settings, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with triton.start(settings, log_file=log_file, environment={"MODE": "test"}) as ours:
        variables = Path(f"/proc/{_server_pid(ours.port)}/environ").read_bytes()
    assert b"MODE=test" in variables
    assert b"PYTHONPATH" not in variables and b"secret" not in variables


def test_a_server_that_dies_is_noticed(settings: Settings, tmp_path: Path) -> None:
    with triton.start(settings) as running:
        running.load("adder.tar.gz", fixture_models.copy("adder", tmp_path))
        os.kill(_server_pid(running.port), signal.SIGKILL)
        with pytest.raises(ServerGoneError):
            while True:
                running.invoke("adder.tar.gz", {"A": np.ones((1, 4), np.float32)})


def test_a_server_that_does_not_start_is_reported_with_its_last_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    program = tmp_path / "tritonserver"
    program.write_text("#!/bin/sh\necho the disk is on fire\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with (
        pytest.raises(SlipwayError, match="the disk is on fire") as caught,
        triton.start(settings),
    ):
        pass
    assert caught.value.fix
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("fate", ["error", "SIGINT", "SIGTERM", "SIGKILL", "fork", "group"])
def test_nothing_is_left_however_the_owner_ends(
    settings: Settings, tmp_path: Path, temporary: Path, fate: str
) -> None:
    model = fixture_models.copy("identity", tmp_path)
    library = str(Path(slipway.__file__).parent.parent)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(settings.root), str(model), fate],
        env=os.environ | {"PYTHONPATH": library, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert owner.stdout is not None and owner.stdout.readline() == b"ready\n"
    ours = f"slipway_s{owner.pid:x}n"
    assert list(Path("/dev/shm").glob(f"{ours}*")), "the model's shared memory, found by its name"
    assert _processes_in(temporary)
    assert owner.stdin is not None
    if fate == "error":
        owner.stdin.write(b"\n")
        owner.stdin.flush()
    elif fate == "group":
        os.killpg(owner.pid, signal.SIGKILL)
    else:
        owner.send_signal(getattr(signal, "SIGKILL" if fate == "fork" else fate))
    owner.wait()
    _until_gone(temporary)
    owner.stdin.close()  # which ends the fork as well
    assert not _processes_in(temporary)
    assert not list(Path("/dev/shm").glob(f"{ours}*"))
    assert not list(temporary.iterdir())


def test_the_end_of_the_block_waits_until_nothing_is_left(
    settings: Settings, tmp_path: Path, temporary: Path
) -> None:
    shared = f"slipway_s{os.getpid():x}n"
    before = set(Path("/dev/shm").glob(f"{shared}*"))
    with triton.start(settings) as running:
        running.load("adder.tar.gz", fixture_models.copy("adder", tmp_path))
        assert set(Path("/dev/shm").glob(f"{shared}*")) > before
        assert len(_processes_in(temporary)) >= 2
    assert set(Path("/dev/shm").glob(f"{shared}*")) == before
    assert not _processes_in(temporary)
    assert not list(temporary.iterdir())


def _until_gone(temporary: Path) -> None:
    # the supervisor works on after its owner's death; a test may wait for it, but not for ever
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (list(temporary.iterdir()) or _processes_in(temporary)):
        time.sleep(0.02)


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _processes_in(folder: Path) -> list[int]:
    """The servers, stubs and supervisors that work in ``folder``."""
    return [pid for pid in _all_pids() if _is_ours(pid, bytes(folder))]


def _is_ours(pid: int, folder: bytes) -> bool:
    words = _words(pid)
    kinds = (b"tritonserver", b"triton_python_backend_stub", b"supervisor.py")
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return folder in variables and any(word.endswith(kinds) for word in words)


def _server_pid(port: int) -> int:
    """The process of the server on ``port``."""
    word = f"--sagemaker-port={port}".encode()
    return next(pid for pid in _all_pids() if word in _words(pid))


def _words(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
