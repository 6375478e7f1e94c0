"""An image of two models goes to a registry and comes back, and a container of it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.image.layout import Layout
from slipway.image.output import send
from slipway.image.references import InRegistry
from tests.image.bases import debian_base
from tests.image.made import make
from tests.image.registry import registry, skopeo
from tests.image.served import write_served

PROGRAMS = ("mmdebstrap", "skopeo", "umoci", "runc", "docker-registry", "nsenter")
CONTAINER = f"slipway_image_test_{os.getpid()}"
START_S = 120
TMP = {
    "destination": "/tmp",
    "type": "tmpfs",
    "source": "tmpfs",
    "options": ["nosuid", "nodev", "mode=1777", "size=64m"],
}


@pytest.fixture
def programs() -> None:
    for program in PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if os.geteuid() != 0:
        pytest.skip("runc and umoci need root here")


@pytest.fixture
def base(programs: None, tmp_path: Path) -> Path:
    try:
        return debian_base(tmp_path / "base", tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"Debian's packages cannot be fetched: {error.stderr.decode()[-300:]}")


def test_a_pulled_image_serves_its_models_without_root_or_a_writable_disk(
    base: Path, tmp_path: Path
) -> None:
    artifacts = [write_served(tmp_path / "dist", name) for name in ("twice", "again")]
    image = make(tmp_path, *artifacts, base=base)
    with registry(tmp_path) as host:
        pushed = InRegistry(host, f"{host}/ml/twice", "1.0.0")
        assert send(image, pushed, None) == f"{host}/ml/twice@{image.digest}"
        pulled = f"{tmp_path / 'pulled'}:twice"
        skopeo("copy", "--src-tls-verify=false", f"docker://{pushed}", f"oci:{pulled}")
        attached = json.loads(
            skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{host}/ml/twice:{image.index}")
        )  # fmt: skip
    assert Layout(tmp_path / "pulled").find("twice")["digest"] == image.digest
    assert len(attached["manifests"]) == image.attached
    with running(pulled, tmp_path / "bundle") as pid:
        answers = ask(pid, "twice_pipeline", "again_pipeline")
        healthy = runc("exec", CONTAINER, "/opt/slipway/serve", "healthy")
        written = runc("exec", CONTAINER, "touch", "/opt/slipway/x")
        user = runc("exec", CONTAINER, "id", "-u")
    assert answers["ping"] == 200
    assert answers["invocations"] == [200, [2.5, 4.5, 6.5, 8.5]]
    for each in (*answers["http"], *answers["grpc"]):
        assert each["sum"] == [[2.5, 4.5, 6.5, 8.5]]
        # not the base's own numpy
        assert each["where"].endswith("/site-packages/numpy/__init__.py")
    assert healthy.returncode == 0
    assert "Read-only file system" in written.stderr
    assert user.stdout.strip() == "1000"


@contextmanager
def running(image: str, bundle: Path) -> Iterator[int]:
    """A container of ``image`` in a network of its own; yields the id of its first process."""
    subprocess.run(["umoci", "unpack", "--image", image, str(bundle)], check=True)
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["terminal"] = False
    config["process"].pop("rlimits", None)
    # what a container within a container may not have
    linux = config["linux"]
    linux.pop("resources", None)
    linux.pop("cgroupsPath", None)
    linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "cgroup"]
    config["root"]["readonly"] = True
    mounts = [m for m in config["mounts"] if m["destination"] != "/sys/fs/cgroup"]
    config["mounts"] = [*mounts, TMP]
    (bundle / "config.json").write_text(json.dumps(config))
    log = bundle / "container.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["runc", "run", "-b", str(bundle), CONTAINER], stdout=output, stderr=output
        )
        try:
            yield await_healthy(process, log)
        finally:
            runc("kill", CONTAINER, "KILL")
            process.wait()
            runc("delete", "--force", CONTAINER)


def await_healthy(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the image's own health check says so."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        if runc("exec", CONTAINER, "/opt/slipway/serve", "healthy").returncode == 0:
            return int(json.loads(runc("state", CONTAINER).stdout)["pid"])
        time.sleep(0.5)
    raise AssertionError(log.read_text(errors="replace")[-3000:])


def ask(pid: int, *models: str) -> dict[str, Any]:
    script = Path(__file__).with_name("ask.py")
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, str(script), *models]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def runc(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["runc", *arguments], capture_output=True, text=True, check=False)
