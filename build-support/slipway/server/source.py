"""Where a real Triton server can be had on this machine, best first."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slipway.errors import SlipwayError
from slipway.settings import Settings

WHEEL = "nvidia-pytriton"
REPOSITORY = "nvcr.io/nvidia/tritonserver"
UNKNOWN = "unknown"
# what the wheel holds is written nowhere in it; its changelog says it
WHEEL_VERSIONS = {"0.5.14": "2.51.0", "0.6.0": "2.51.0", "0.7.0": "2.51.0"}

Kind = Literal["path", "docker", "wheel"]


@dataclass(frozen=True)
class Source:
    """A Triton server that can be started.

    ``version`` is the server's (2.51.0), ``release`` its container's (24.10); either may be
    ``unknown``. ``program`` is the executable: the server's own, or Docker's. ``absent`` is an image
    that is yet to be pulled.
    """

    kind: Kind
    version: str
    release: str
    program: Path
    image: str | None = None
    absent: bool = False

    def __str__(self) -> str:
        place = {
            "path": f"tritonserver on PATH ({self.program})",
            "docker": f"the Docker image {self.image}",
            "wheel": f"the {WHEEL} wheel",
        }[self.kind]
        return f"Triton {self.version} (release {self.release}), from {place}"


def find(settings: Settings) -> Source:
    """The best source of a Triton server.

    Raises:
        SlipwayError: there is none on this machine.
    """
    for source in candidates(settings):
        return source
    raise SlipwayError(
        "no Triton server on this machine: no tritonserver on PATH, no Docker image, no wheel",
        fix=f"pip install {WHEEL}==0.7.0, or docker pull {REPOSITORY}:{settings.test_release}-py3",
    )


def candidates(settings: Settings) -> Iterator[Source]:
    """Every source here, best first: PATH, Docker, the wheel."""
    for look in (_on_path, _in_docker, _in_wheel):
        source = look(settings)
        if source:
            yield source


def release_of(version: str) -> str:
    """The container release of a server version: ``2.51.0`` → ``24.10``.

    One minor version a month since 2.42.0 (24.01), but for 25.07, which was 2.59.1
    (triton-inference-server/server, build.py at each tag).
    """
    parts = version.split(".")
    if len(parts) < 2 or not parts[1].isdigit() or int(parts[1]) < 42:
        return UNKNOWN
    minor = int(parts[1])
    later = minor >= 60 or parts[:3] == ["2", "59", "1"]
    month = 24 * 12 + (minor - 42) + (1 if later else 0)
    return f"{month // 12}.{month % 12 + 1:02d}"


def _on_path(settings: Settings) -> Source | None:
    program = shutil.which("tritonserver")
    if not program:
        return None
    path = Path(program).resolve()
    # NVIDIA's container: /opt/tritonserver/bin/tritonserver beside /opt/tritonserver/TRITON_VERSION
    said = path.parent.parent / "TRITON_VERSION"
    version = said.read_text(encoding="utf-8").strip() if said.is_file() else UNKNOWN
    release = os.environ.get("NVIDIA_TRITON_SERVER_VERSION") or release_of(version)
    return Source("path", version, release, path)


def _in_docker(settings: Settings) -> Source | None:
    program = shutil.which("docker")
    if not program:
        return None
    releases = dict.fromkeys((settings.test_release, settings.triton_release))
    images = [f"{REPOSITORY}:{release}-py3" for release in releases]
    for image in [settings.docker_image] if settings.docker_image else images:
        variables = _image_environment(program, image)
        if variables is None:
            continue
        version = variables.get("TRITON_SERVER_VERSION", UNKNOWN)
        release = variables.get("NVIDIA_TRITON_SERVER_VERSION") or release_of(version)
        return Source("docker", version, release, Path(program), image)
    if settings.docker_image and _answers(program):
        # asked for by name: `docker run` pulls it
        return Source("docker", UNKNOWN, UNKNOWN, Path(program), settings.docker_image, absent=True)
    return None


def _image_environment(docker: str, image: str) -> dict[str, str] | None:
    """The variables of an image that is present; None where it, or Docker's engine, is not."""
    said = _ask(docker, "image", "inspect", "--format", "{{json .Config.Env}}", image)
    if said is None:
        return None
    pairs = (entry.partition("=") for entry in json.loads(said) or ())
    return {name: value for name, _, value in pairs}


def _answers(docker: str) -> bool:
    return _ask(docker, "version", "--format", "{{.Server.Version}}") is not None


def _ask(docker: str, *words: str) -> str | None:
    try:
        done = subprocess.run(
            [docker, *words], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _in_wheel(settings: Settings) -> Source | None:
    try:
        wheel = importlib.metadata.distribution(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        return None
    program = Path(str(wheel.locate_file("pytriton/tritonserver/bin/tritonserver")))
    if not program.is_file():
        return None
    version = WHEEL_VERSIONS.get(wheel.version, UNKNOWN)
    return Source("wheel", version, release_of(version), program)
