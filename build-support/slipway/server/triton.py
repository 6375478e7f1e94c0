"""Start a Triton server, in the mode of SageMaker's multi-model endpoints."""

from __future__ import annotations

import select
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from slipway.server import command, log, network, supervisor_client
from slipway.server.client import Client
from slipway.server.command import Command
from slipway.server.directories import ModelsDirectory, ServerDirectories
from slipway.server.free_port import reserved_port
from slipway.server.server import Server
from slipway.server.source import Source, find_server
from slipway.settings import Settings

START_TIMEOUT_S = 120


@contextmanager
def start(
    settings: Settings,
    *,
    log_file: Path | None = None,
    verbose: bool = False,
    auto_complete: bool | None = None,
    environment: Mapping[str, str] | None = None,
    models_directory: ModelsDirectory | None = None,
    isolated: bool = True,
    statistics_port: int | None = None,
) -> Iterator[Server]:
    """Run the best available Triton until the block ends, however it ends.

    Whatever happens to this process, SIGKILL included, no process, shared memory or directory of
    the server remains. ``log_file`` is appended to and not removed; ``environment`` is set for
    server and models as an endpoint's model environment would be. ``auto_complete`` lets Triton
    derive what configs leave out; ``None`` is what the settings say. Models extracted into
    ``models_directory`` are available to the next server.

    The server's SageMaker port has no address option in any release (``sagemaker_address_`` in
    command_line_parser.h) and listens on every interface: of a network namespace of its own, where
    the machine has them, unless ``isolated`` is false; Docker confines it to loopback. The port is
    free and differs at every start. With ``statistics_port``, Triton's own HTTP port listens there
    on loopback, which a production endpoint does not have: it gives statistics.

    Raises:
        SlipwayError: no Triton is installed, or it did not start; the error has its last log lines.
    """
    source = find_server(settings)
    if auto_complete is None:
        auto_complete = not settings.explicit_tensors
    directories = ServerDirectories(source, log_file, models_directory)
    with reserved_port() as port:
        try:
            server_command = _command(
                source, settings, directories, port, verbose, auto_complete, environment or {}
            )
            if statistics_port is not None:
                server_command = replace(
                    server_command,
                    argv=command.with_statistics(server_command.argv, statistics_port),
                )
            if isolated and source.kind != "docker":
                argv = network.isolated(server_command.argv, directories.network, port)
                server_command = replace(server_command, argv=argv)
            process = supervisor_client.start_supervisor(
                server_command,
                directories.cleanup_patterns(),
                cwd=directories.temporary,
                log=directories.log,
            )
        except BaseException:
            shutil.rmtree(directories.base, ignore_errors=True)
            raise
        timeout = settings.time_limits.request_timeout
        client = Client(port, directories.network, request_timeout_s=timeout)
        try:
            _await_ready(process, client, source, directories)
            yield Server(source, client, directories, settings, process, server_command.env)
        finally:
            client.close()
            supervisor_client.stop_supervisor(process)


def _command(
    source: Source,
    settings: Settings,
    directories: ServerDirectories,
    port: int,
    verbose: bool,
    auto_complete: bool,
    environment: Mapping[str, str],
) -> Command:
    repository = Path("/mnt") if source.kind == "docker" else directories.empty
    arguments = command.flags(
        repository, port, directories.shm_prefix, verbose=verbose, auto_complete=auto_complete
    )
    if source.kind == "docker":
        name = f"slipway-{directories.name}"
        return command.docker_command(
            source, arguments, directories.models, name, port, environment
        )
    return command.native_command(
        source,
        settings.python,
        arguments,
        directories.base,
        environment,
        settings.triton_release,
    )


def _await_ready(
    process: subprocess.Popen[bytes], client: Client, source: Source, directories: ServerDirectories
) -> None:
    assert process.stdout is not None
    waited = 0.0
    while not client.ready():
        # returns at once when the server has ended
        ended, _, _ = select.select([process.stdout], [], [], 0.01)
        waited += 0.01
        if ended or waited > START_TIMEOUT_S:
            what = "ended before it was ready" if ended else f"not ready after {START_TIMEOUT_S} s"
            raise log.start_error(str(source), what, directories.log)
