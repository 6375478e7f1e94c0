"""What a container of one model runs, and what it sees: SageMaker's contract for inference images.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html; the port:
https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-troubleshooting.html
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.artifact.manifest import Manifest
from slipway.artifact.pack_container import LOCK
from slipway.environment.tools import provide_tools
from slipway.environment.wheels.sources import build_locked
from slipway.model.container_folder import MODEL
from slipway.server import command
from slipway.server.command import SYSTEM_PATH, Command
from slipway.server.source import find_server
from slipway.settings import Settings

MOUNT = Path(__file__).with_name("mount_model.py")
BIND_TO_PORT, SAFE_PORTS = "SAGEMAKER_BIND_TO_PORT", "SAGEMAKER_SAFE_PORT_RANGE"
# for a second port of a container; AWS says that it gives one, not which
PORTS = "21000-21999"
TEMPORARY = "/tmp"  # which a container has for itself
DEFAULT_MODEL = "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"


@dataclass(frozen=True)
class Place:
    """The folders of one container below ``base``, and the ``port`` on which it has to listen."""

    base: Path
    port: int

    @property
    def model(self) -> Path:
        """Return the folder of the extracted artifact."""
        return self.base / "model"

    @property
    def mount(self) -> Path:
        """Return the folder in which the mounted view is made."""
        return self.base / "mount"

    def create(self, name: str) -> Path:
        """Return the folder ``name``, created."""
        folder = self.base / name
        folder.mkdir(exist_ok=True)
        return folder


def own_program(
    settings: Settings, manifest: Manifest, place: Place, environment: Mapping[str, str]
) -> Command:
    """Return the command of a model's own container, in the environment of its lock.

    It sees no variable of this machine, and ``environment`` as the container's.

    Raises:
        SlipwayError: the environment cannot be made.
    """
    assert manifest.container is not None
    lock = place.model / LOCK
    tools = provide_tools(lock, [wheel.path for wheel in build_locked(lock, settings)])
    temporary = place.create("tmp")
    env = {
        "PATH": f"{tools.python.parent}:{SYSTEM_PATH}",
        "HOME": str(place.create("home")),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        BIND_TO_PORT: str(place.port),
        SAFE_PORTS: PORTS,
        **environment,
    }
    place.create(place.mount.name)
    orders = {"folder": str(place.model), "at": MODEL, "work": str(place.mount)}
    needed = (tools.folder.resolve(), Path(sys.base_prefix).resolve())
    if not any(folder.is_relative_to(TEMPORARY) for folder in needed):
        orders["temporary"] = str(temporary)
    argv = [sys.executable, "-I", "-S", str(MOUNT), json.dumps(orders)]
    return Command([*argv, *manifest.container["entry"]], env)


def triton_program(
    settings: Settings, manifest: Manifest, place: Place, shm_prefix: str
) -> Command:
    """Return the command of Triton with one model, as its ``serve`` script starts it where the
    endpoint is not a multi-model one (docker/sagemaker/serve: ``--load-model``, ``/invocations``).

    Raises:
        SlipwayError: no Triton is installed.
    """
    flags = command.flags(
        place.model,
        place.port,
        shm_prefix,
        verbose=False,
        auto_complete=not settings.explicit_tensors,
    )
    flags = [flag for flag in flags if not flag.startswith("--model-namespacing")]
    place.create("tmp")
    return command.native_command(
        find_server(settings),
        settings.python,
        [*flags, f"--load-model={manifest.serves}"],
        place.base,
        {DEFAULT_MODEL: manifest.serves, BIND_TO_PORT: str(place.port), SAFE_PORTS: PORTS},
        settings.triton_release,
    )
