"""The environment of the library: made once per user, whatever happens while it is made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bootstrap.machine import ROOT, TIMEOUT, Machine


@pytest.fixture
def ready(with_uv: Machine) -> Machine:
    """Return a machine that has its interpreters, and uv."""
    with_uv.add_python("3.12")
    with_uv.add_python("3.9")
    return with_uv


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never appeared"
        time.sleep(0.02)


def test_a_later_start_installs_nothing_and_needs_no_installer(ready: Machine) -> None:
    assert ready.run("slipway", "status").returncode == 0
    calls = ready.uv_calls()
    for name in ("python3", "flock"):
        (ready.bin / name).unlink()
    done = ready.run("slipway", "status")
    assert done.returncode == 0 and done.stderr == ""
    assert ready.uv_calls() == calls


@pytest.mark.parametrize("program", ["slipway", "pants"])
def test_parallel_first_starts_install_once(ready: Machine, program: str) -> None:
    ready.variables["FAKE_UV_SLEEP"] = "0.3"
    starts = [ready.start(program, str(number)) for number in range(4)]
    for number, start in enumerate(starts):
        stdout, stderr = start.communicate(timeout=TIMEOUT)
        assert start.returncode == 0, stderr
        assert f"argument {number}\n" in stdout
    environments = {"slipway": 1, "pants": 2}  # pants makes one more for the pex command
    assert len(ready.uv_calls("pip install")) == environments[program]
    assert len(ready.uv_calls("installed")) == environments[program]


def test_a_killed_installation_is_repeated(ready: Machine) -> None:
    ready.variables["FAKE_UV_SLEEP"] = "600"
    start = ready.start("slipway", "status")
    _wait_for(ready.folder / "uv.log.installing")
    os.killpg(start.pid, signal.SIGKILL)
    start.communicate()
    ready.variables["FAKE_UV_SLEEP"] = "0"
    done = ready.run("slipway", "status")
    assert done.returncode == 0, done.stderr
    assert len(ready.uv_calls("pip install")) == 2 and len(ready.uv_calls("installed")) == 1


def test_an_installation_whose_launcher_alone_is_killed_is_waited_for(ready: Machine) -> None:
    ready.variables["FAKE_UV_SLEEP"] = "2"
    start = ready.start("slipway", "status")
    _wait_for(ready.folder / "uv.log.installing")
    start.kill()
    ready.variables["FAKE_UV_SLEEP"] = "0"
    done = ready.run("slipway", "status")
    start.communicate()
    assert done.returncode == 0, done.stderr
    lines = [line for line in ready.uv_calls() if line.startswith(("pip install", "installed"))]
    assert [line.split()[0] for line in lines] == ["pip", "installed", "pip", "installed"]


def test_a_failed_installation_says_what_to_do_and_is_repeated(ready: Machine) -> None:
    ready.variables["FAKE_UV_FAILS"] = "yes"
    done = ready.run("slipway", "status")
    assert done.returncode == 1 and done.stdout == ""
    assert "error: no such package" in done.stderr
    assert "error: slipway: what slipway needs could not be installed" in done.stderr
    assert done.stderr.count("fix:") == 1
    assert not [path for path in ready.cache.glob("library/*") if path.is_dir()]
    del ready.variables["FAKE_UV_FAILS"]
    assert ready.run("slipway", "status").returncode == 0


def test_another_lockfile_has_another_environment(ready: Machine) -> None:
    assert ready.run("slipway").returncode == 0
    lock = ready.checkout / "build-support" / "lockfiles" / "slipway.txt"
    with lock.open("a", encoding="utf-8") as text:
        text.write("# newer\n")
    assert ready.run("slipway").returncode == 0
    assert len([path for path in ready.cache.glob("library/*") if path.is_dir()]) == 2


def test_an_environment_whose_interpreter_was_removed_is_made_again(ready: Machine) -> None:
    assert ready.run("pants", "list").returncode == 0
    (ready.bin / "python3.9").unlink()
    done = ready.run("pants", "list")
    assert done.returncode == 0, done.stderr
    assert ready.uv_calls("python install") == ["python install 3.9"]
    assert "cpython-3.9.0-linux" in done.stdout


def test_every_package_is_installed_by_its_hash(ready: Machine) -> None:
    assert ready.run("pants", "list").returncode == 0
    assert ready.run("slipway").returncode == 0
    installs = ready.uv_calls("pip install")
    assert len(installs) == 3
    assert all("--require-hashes -r " in call for call in installs)


def test_slipway_and_the_pipeline_share_one_environment(ready: Machine) -> None:
    assert ready.run("slipway", "status").returncode == 0
    done = ready.run("ci/slipway", "status")
    assert done.returncode == 0, done.stderr
    assert "argument slipway\nargument status\n" in done.stdout
    assert len(ready.uv_calls("pip install")) == 1


@pytest.mark.parametrize("program", ["slipway", "ci/python"])
def test_a_failing_command_fails(ready: Machine, program: str) -> None:
    assert ready.run(program, "--fail").returncode == 7


def test_a_link_to_slipway_runs_from_any_folder(ready: Machine, tmp_path: Path) -> None:
    link = ready.home / "slipway"
    link.symlink_to(ready.checkout / "slipway")
    done = ready.run(str(link), "status", cwd=ready.home)
    assert done.returncode == 0, done.stderr
    assert f"library {ready.checkout}/build-support\n" in done.stdout


def test_another_python_takes_the_place_of_the_environment(ready: Machine) -> None:
    ready.variables["SLIPWAY_PYTHON"] = str(Path(__file__).with_name("fixtures") / "program")
    for program in ("slipway", "ci/slipway"):
        done = ready.run(program, "status")
        assert "argument slipway\nargument status\n" in done.stdout, done.stderr
    assert ready.uv_calls() == [] and not (ready.cache / "library").exists()


def test_slipway_is_the_command_of_this_checkout() -> None:
    done = subprocess.run(
        [ROOT / "slipway", "--help"],
        env=os.environ | {"SLIPWAY_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: slipway" in done.stdout and "publish" in done.stdout
