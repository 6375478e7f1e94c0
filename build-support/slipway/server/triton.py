"""A running Triton server, in the mode of SageMaker's multi-model endpoints."""

from __future__ import annotations

import re
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.server import command, cpu_fallback, log, supervisor_client
from slipway.server.client import HOST, Client, Refused, ServerGone
from slipway.server.command import Command
from slipway.server.directories import Kept, Places, model_hash
from slipway.server.source import Source, find
from slipway.settings import Settings
from slipway.triton.datatypes import Array

START_TIMEOUT_S = 120


class Server:
    """A server that takes loads and invocations; made by :func:`start`."""

    def __init__(
        self,
        source: Source,
        client: Client,
        places: Places,
        settings: Settings,
        process: subprocess.Popen[bytes],
    ) -> None:
        self.source = source
        self.client = client
        self.port = client.port
        self.log_file = places.log
        self.supervisor = process.pid
        # readable once the server has ended by itself
        self.ended = process.stdout
        self._places = places
        self._root = settings.root

    def load(self, target: str, artifact: Path) -> tuple[str, ...]:
        """Extract ``artifact``, a ``.tar.gz`` or a model repository's folder, and load it.

        ``target`` is the target model: the key below the endpoint's prefix.
        Returns what was changed in the extracted copy because this machine has no GPU.

        Raises:
            SlipwayError: it could not be loaded; the model's own log lines come first.
            Refused: 409, the target is loaded already.
        """
        folder = self.folder(target)
        if folder.parent.exists():
            if self.is_loaded(target):
                raise Refused(409, f"target model {target!r} is loaded already")
            shutil.rmtree(folder.parent)
        folder.parent.mkdir(parents=True)
        if artifact.is_dir():
            shutil.copytree(artifact, folder, symlinks=True)
        else:
            # only here: packing, in the same package, imports what builds environments
            from slipway.artifact.extract import extract

            extract(artifact, folder)
        lowered = () if command.has_gpu() else cpu_fallback.to_cpu(folder)
        self.load_placed(target)
        return lowered

    def load_placed(self, target: str) -> None:
        """Load again what an earlier :meth:`load` of this target has extracted.

        Raises:
            SlipwayError: as :meth:`load`.
        """
        model = self.model_hash(target)
        before = self.log_file.stat().st_size
        try:
            self.client.load(model, self.url(target), target)
        except (Refused, ServerGone) as error:
            if isinstance(error, Refused) and error.status == 409:
                raise
            raise self.failed_load(target, str(error), before) from error

    def failed_load(self, target: str, message: str, since: int) -> SlipwayError:
        """The error for a load that was answered with ``message``, with what the server has logged
        since its log had ``since`` bytes."""
        logged, kept = self._logged(since), self._kept_log(target)
        return log.failed_load(target, message, logged, self.folder(target), kept)

    def unload(self, target: str) -> None:
        """Unload a target model; its files stay, as on the platform.

        Raises:
            Refused: 404, it is not loaded.
        """
        self.client.unload(self.model_hash(target), target)

    def folder(self, target: str) -> Path:
        """Where the target's artifact lies extracted."""
        return self._places.models / self.model_hash(target) / "model"

    def url(self, target: str) -> str:
        """Where the server sees the target's artifact."""
        return str(self._places.seen_models / self.model_hash(target) / "model")

    def is_loaded(self, target: str) -> bool:
        """Whether the target model is loaded."""
        return self.client.call("GET", f"/models/{self.model_hash(target)}").status == 200

    def invoke(self, target: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Ask a target model; see :meth:`Client.invoke`.

        Raises:
            InferenceError: the request was refused, or the model failed on it.
            ServerGone: the server has died.
        """
        return self.client.invoke(self.model_hash(target), target, inputs)

    def loads_of(self, target: str, since: int) -> list[str]:
        """The models of a target that were loaded since the log had ``since`` bytes."""
        pattern = rf"loading: {re.escape(str(self.folder(target)))}::([^:\"\n]+)"
        return re.findall(pattern, self._logged(since))

    def _logged(self, since: int) -> str:
        with self.log_file.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")

    def _kept_log(self, target: str) -> Path:
        """The log where it can be read later: one in the temporary folder is copied."""
        if not self.log_file.is_relative_to(self._places.base):
            return self.log_file
        kept = self._root / ".slipway" / "logs" / f"{target.replace('/', '_')}.log"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.log_file, kept)
        return kept

    def model_hash(self, target: str) -> str:
        """The platform's name for a target: hexadecimal, because a hyphen in it fails."""
        return model_hash(self._places.names, target)


@contextmanager
def start(
    settings: Settings,
    *,
    log_file: Path | None = None,
    verbose: bool = False,
    auto_complete: bool = False,
    environment: Mapping[str, str] | None = None,
    kept: Kept | None = None,
) -> Iterator[Server]:
    """Run the best Triton there is until the block ends, however it ends.

    Whatever becomes of this process, SIGKILL included, no process, shared memory or folder of the
    server stays. ``log_file`` is appended to and kept; ``environment`` is set for server and models
    as an endpoint's model environment would be. ``auto_complete`` lets Triton derive what configs
    leave out, its own default. Models extracted into ``kept`` are there for the next server.

    The server takes connections on every interface, because its SageMaker port has no address
    option in any release (``sagemaker_address_`` in command_line_parser.h); only Docker can confine
    it to loopback. The port is free and differs at every start.

    Raises:
        SlipwayError: there is no Triton, or it did not start; its last log lines are in it.
    """
    source = find(settings)
    places = Places(source, log_file, kept)
    with _reserved_port() as port:
        try:
            process = supervisor_client.begin(
                _command(source, settings, places, port, verbose, auto_complete, environment or {}),
                places.patterns(),
                cwd=places.temporary,
                log=places.log,
            )
        except BaseException:
            shutil.rmtree(places.base, ignore_errors=True)
            raise
        client = Client(port)
        try:
            _await_ready(process, client, source, places)
            yield Server(source, client, places, settings, process)
        finally:
            client.close()
            supervisor_client.end(process)


def _command(
    source: Source,
    settings: Settings,
    places: Places,
    port: int,
    verbose: bool,
    auto_complete: bool,
    environment: Mapping[str, str],
) -> Command:
    repository = Path("/mnt") if source.kind == "docker" else places.empty
    arguments = command.flags(
        repository, port, places.shm_prefix, verbose=verbose, auto_complete=auto_complete
    )
    if source.kind == "docker":
        name = f"slipway-{places.name}"
        return command.docker(source, arguments, places.models, name, port, environment)
    return command.native(source, settings.python, arguments, places.temporary, environment)


@contextmanager
def _reserved_port() -> Iterator[int]:
    """A free port that the kernel gives to nobody else meanwhile.

    A bound socket that never listens keeps it; SO_REUSEADDR, which the server sets too, lets the
    server take it all the same.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((HOST, 0))
        yield holder.getsockname()[1]


def _await_ready(
    process: subprocess.Popen[bytes], client: Client, source: Source, places: Places
) -> None:
    assert process.stdout is not None
    waited = 0.0
    while not client.ready():
        # returns at once when the server has ended
        ended, _, _ = select.select([process.stdout], [], [], 0.01)
        waited += 0.01
        if ended or waited > START_TIMEOUT_S:
            what = "ended before it was ready" if ended else f"not ready after {START_TIMEOUT_S} s"
            raise log.failed_start(str(source), what, places.log)
