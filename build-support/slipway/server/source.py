"""The real Triton servers that this machine can start, best first."""

from __future__ import annotations

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
# the wheel does not name its server's version; its changelog does
WHEEL_VERSIONS = {"0.5.14": "2.51.0", "0.6.0": "2.51.0", "0.7.0": "2.51.0"}

SourceKind = Literal["path", "docker", "wheel"]


@dataclass(frozen=True)
class Source:
    """A Triton server that can be started.

    ``version`` is the server's (2.51.0), ``release`` its container's (24.10); either may be
    ``unknown``. ``program`` is the executable: the server's own, or Docker's. An ``absent`` image
    is still to be pulled.
    """

    kind: SourceKind
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


def find_server(settings: Settings) -> Source:
    """Return the best source of a Triton server.

    Raises:
        SlipwayError: this machine has none.
    """
    for source in candidates(settings):
        return source
    raise SlipwayError(
        "no Triton server on this machine: no tritonserver on PATH, no Docker image, no wheel",
        fix=f"pip install {WHEEL}==0.7.0, or docker pull {REPOSITORY}:{settings.test_release}-py3",
    )


def candidates(settings: Settings) -> Iterator[Source]:
    """Yield every source on this machine, best first: PATH, Docker, the wheel."""
    for find in (_on_path, _in_docker, _in_wheel):
        source = find(settings)
        if source:
            yield source


def release_of(version: str) -> str:
    """Return the container release of a server version: ``2.51.0`` → ``24.10``.

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
    # NVIDIA's container: /opt/tritonserver/bin/tritonserver next to
    # /opt/tritonserver/TRITON_VERSION
    version_file = path.parent.parent / "TRITON_VERSION"
    version = (
        version_file.read_text(encoding="utf-8").strip() if version_file.is_file() else UNKNOWN
    )
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
    if settings.docker_image and _engine_runs(program):
        # named in slipway.toml: it is pulled before it is run
        return Source("docker", UNKNOWN, UNKNOWN, Path(program), settings.docker_image, absent=True)
    return None


def _image_environment(docker: str, image: str) -> dict[str, str] | None:
    """Return the variables of an image; ``None`` where it, or Docker's engine, is not present."""
    output = _run_docker(docker, "image", "inspect", "--format", "{{json .Config.Env}}", image)
    if output is None:
        return None
    pairs = (entry.partition("=") for entry in json.loads(output) or ())
    return {name: value for name, _, value in pairs}


def _engine_runs(docker: str) -> bool:
    return _run_docker(docker, "version", "--format", "{{.Server.Version}}") is not None


def _run_docker(docker: str, *arguments: str) -> str | None:
    try:
        process = subprocess.run(
            [docker, *arguments], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return process.stdout if process.returncode == 0 else None


def _in_wheel(settings: Settings) -> Source | None:
    from importlib import metadata  # a parser of e-mails: not at every start

    try:
        wheel = metadata.distribution(WHEEL)
    except metadata.PackageNotFoundError:
        return None
    program = Path(str(wheel.locate_file("pytriton/tritonserver/bin/tritonserver")))
    if not program.is_file():
        return None
    version = WHEEL_VERSIONS.get(wheel.version, UNKNOWN)
    return Source("wheel", version, release_of(version), program)
