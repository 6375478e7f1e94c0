"""Run a container's program as a process: no network but its own loopback, and nothing stays."""

from __future__ import annotations

import glob
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from slipway.artifact.configs import read_configs
from slipway.artifact.extract import extract
from slipway.artifact.manifest import Manifest
from slipway.server import command, cpu_fallback, network, supervisor_client
from slipway.server.container.mount_model import NOT_MOUNTED
from slipway.server.container.program import Place, own_program, triton_program
from slipway.server.free_port import reserved_port
from slipway.settings import Settings

# AWS's own Multi Model Server takes no port above 32767; those of SAFE_PORT_RANGE come next
PORTS = range(20_000, 21_000)


@dataclass(frozen=True)
class ContainerProcess:
    """A container that was started, which may not be ready yet.

    ``entrance`` is the folder that leads into its network, ``None`` where that is the machine's.
    ``not_mounted`` says why its model is not at ``/opt/ml/model``, if so.
    """

    manifest: Manifest
    place: Place
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def entrance(self) -> Path | None:
        """Return the folder that leads into its network; ``None`` where that is the machine's."""
        folder = self.place.base / network.FOLDER
        return None if network.shared_because(folder) else folder

    @property
    def not_mounted(self) -> str | None:
        """Return why the model is not at ``/opt/ml/model``, if it is not."""
        file = self.place.mount / NOT_MOUNTED
        return file.read_text(encoding="utf-8") if file.is_file() else None


@contextmanager
def start_container(
    artifact: Path,
    settings: Settings,
    *,
    log_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    isolated: bool = True,
) -> Iterator[ContainerProcess]:
    """Run the container of the file ``artifact`` until the block ends.

    An artifact of Triton's runs on the best Triton here. Whatever happens to this process, nothing
    of the container remains. ``environment`` are its variables.

    Raises:
        SlipwayError: it is not an artifact of Slipway, its environment cannot be made, or there is
            no Triton here.
    """
    base = Path(tempfile.mkdtemp(prefix="slipway_container_")).resolve()
    log = log_file or base / "container.log"
    shm_prefix = f"slipway_container_{secrets.token_hex(4)}_"
    patterns = [f"/dev/shm/{shm_prefix}*", glob.escape(str(base))]
    with reserved_port(PORTS) as port:
        place = Place(base, port)
        try:
            manifest = read_configs(artifact).manifest
            extract(artifact, place.model)
            if manifest.container is not None:
                program = own_program(settings, manifest, place, environment or {})
            else:
                if not command.has_gpu():
                    cpu_fallback.to_cpu(place.model)
                program = triton_program(settings, manifest, place, shm_prefix)
            if isolated:
                argv = network.isolated(program.argv, base / network.FOLDER, port)
                program = replace(program, argv=argv)
            log.parent.mkdir(parents=True, exist_ok=True)
            process = supervisor_client.start_supervisor(program, patterns, cwd=base, log=log)
        except BaseException:
            shutil.rmtree(base, ignore_errors=True)
            raise
        try:
            yield ContainerProcess(manifest, place, log, process)
        finally:
            supervisor_client.stop_supervisor(process)
