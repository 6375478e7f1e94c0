"""A running Triton server, as its users load and invoke models on it."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.server import command, cpu_fallback, log, network, supervisor_client
from slipway.server.client import (
    TIMEOUT_S,
    Client,
    RejectedError,
    ServerDiedError,
    ServerGoneError,
    UnansweredError,
)
from slipway.server.directories import ServerDirectories, model_hash
from slipway.server.image_environments import provide_environments
from slipway.server.model_stacks import read_stacks
from slipway.server.source import Source
from slipway.server.stalled_load import LoadWatch, stub_program, watching
from slipway.server.standins import provide_stand_ins
from slipway.server.unanswered import (
    not_sent_error,
    stalled_load_error,
    unanswered_error,
)
from slipway.settings import Settings
from slipway.triton.datatypes import Array
from slipway.triton.standins import StandIn

# a connection breaks some time before its process has ended, which may write a core file
DEATH_TIMEOUT_S = 10


class Server:
    """A server that accepts loads and invocations; :func:`start` creates it."""

    def __init__(
        self,
        source: Source,
        client: Client,
        directories: ServerDirectories,
        settings: Settings,
        process: subprocess.Popen[bytes],
        env: Mapping[str, str],
    ) -> None:
        self.source = source
        self.client = client
        self.port = client.port
        self.log_file = directories.log
        self.supervisor = process.pid
        # readable once the server has ended by itself
        self.ended = process.stdout
        # what leads into its network, and why that is the machine's, if it is
        self.shared = network.shared_because(directories.network)
        self.entrance = directories.network if self.shared is None else None
        self._directories = directories
        self._root = settings.root
        self._release = settings.triton_release
        self._served_environments = settings.served_environments
        self._process = process
        self._died: ServerDiedError | None = None
        self._unanswered: dict[str, UnansweredError] = {}
        self._dying = threading.Lock()
        self._stub = stub_program(
            source, settings.python, env, directories.temporary, directories.shm_prefix
        )
        self._numpy: dict[str, tuple[str, ...]] = {}
        self._stand_ins: dict[str, tuple[StandIn, ...]] = {}

    def describe(self, target: str) -> str:
        """Return the server, to which numpy it is adapted for a loaded target model, and what
        stands in for its native backends."""
        versions = self.adapted_numpy(target)
        numpy = f", adapted to numpy {', '.join(versions)}" if versions else ""
        return f"{self.source}{numpy}" + "".join(f"; {each}" for each in self.stand_ins(target))

    def adapted_numpy(self, target: str) -> tuple[str, ...]:
        """Return the versions of numpy to which stubs were adapted when ``target`` was loaded."""
        return self._numpy.get(target, ())

    def stand_ins(self, target: str) -> tuple[StandIn, ...]:
        """Return what stands in for the native backends of a target model, once it was loaded."""
        return self._stand_ins.get(target, ())

    def prepare(self, target: str) -> None:
        """Provide what an extracted target needs besides its artifact, if it is missing: what
        stands in for native backends, and the environment that the endpoint's image has.

        Raises:
            SlipwayError: see :func:`provide_stand_ins` and :func:`provide_environments`.
        """
        if self.source.kind != "docker":  # whose image has them, or Triton says that it has not
            provide_environments(self.folder(target), self._served_environments)
        if self.source.kind == "wheel":
            self._stand_ins[target] = provide_stand_ins(
                self.folder(target), self._directories.base, self._release
            )

    @property
    def visible_libraries(self) -> str | None:
        """Return why models see all libraries of this machine, if they do."""
        return command.visible_libraries(self._directories.base)

    def load(self, target: str, artifact: Path) -> tuple[str, ...]:
        """Extract ``artifact``, a ``.tar.gz`` or a model repository's folder, and load it.

        ``target`` is the target model: the key below the endpoint's prefix.
        Return what was changed in the extracted copy because this machine has no GPU.

        Raises:
            SlipwayError: the load failed; the model's own log lines come first.
            RejectedError: 409, the target is already loaded.
        """
        folder = self.folder(target)
        if folder.parent.exists():
            if self.is_loaded(target):
                raise RejectedError(409, f"target model {target!r} is already loaded")
            shutil.rmtree(folder.parent)
        folder.parent.mkdir(parents=True)
        if artifact.is_dir():
            shutil.copytree(artifact, folder, symlinks=True)
        else:
            # only here: packing, in the same package, imports what builds environments
            from slipway.artifact.extract import extract

            extract(artifact, folder)
        changes = () if command.has_gpu() else cpu_fallback.to_cpu(folder)
        self.load_extracted(target)
        return changes

    def load_extracted(self, target: str) -> None:
        """Load what an earlier :meth:`load` of this target has extracted.

        Raises:
            SlipwayError: as :meth:`load`.
        """
        self.prepare(target)
        model = self.model_hash(target)
        log_size = self.log_file.stat().st_size
        try:
            with watching(self.watch_load()):
                self.client.load(model, self.url(target), target)
        except RejectedError as error:
            if error.status == 409:
                raise
            raise self.load_error(target, str(error), log_size) from error
        except ServerGoneError as error:
            if isinstance(error.__cause__, TimeoutError):
                raise self._stalled_load(target) from error
            died = self._death(target)
            message = str(error) if died is None else f"the Triton server ended {died.how}"
            raise self.load_error(target, message, log_size) from (died or error)
        self._numpy[target] = log.adapted_numpy(self._logged(log_size))

    def _stalled_load(self, target: str) -> SlipwayError:
        folder = self.folder(target)
        stacks = read_stacks(self.supervisor, folder, self.log_file)
        return stalled_load_error(target, TIMEOUT_S, stacks, folder, self.model_hash(target))

    def watch_load(self) -> LoadWatch | None:
        """Return a watch for a load that is about to begin, where it can be ended."""
        return None if self._stub is None else LoadWatch(self.supervisor, self._stub)

    def load_error(self, target: str, message: str, since: int) -> SlipwayError:
        """Return the error of a failed load: the server's answer ``message``, and what it has
        logged since its log had ``since`` bytes."""
        logged, log_copy = self._logged(since), self._copy_log(target)
        return log.load_error(target, message, logged, self.folder(target), log_copy)

    def unload(self, target: str) -> None:
        """Unload a target model; its files stay, as on the platform.

        Raises:
            RejectedError: 404, the target is not loaded.
        """
        self.client.unload(self.model_hash(target), target)

    def folder(self, target: str) -> Path:
        """Return the directory of the target's extracted artifact."""
        return self._directories.models / self.model_hash(target) / "model"

    def url(self, target: str) -> str:
        """Return the path at which the server sees the target's artifact."""
        return str(self._directories.mounted_models / self.model_hash(target) / "model")

    def is_loaded(self, target: str) -> bool:
        """Return whether the target model is loaded."""
        return self.client.call("GET", f"/models/{self.model_hash(target)}").status == 200

    def invoke(
        self,
        target: str,
        inputs: Mapping[str, Array],
        parameters: Mapping[str, Any] | None = None,
    ) -> dict[str, Array]:
        """Invoke a target model; see :meth:`Client.invoke`.

        Raises:
            InferenceError: the request was rejected, or the model failed on it.
            UnansweredError: there was no answer in time, to this request or an earlier one; says
                where the model's code is.
            ServerDiedError: the server has ended; names the signal and its last log lines.
            ServerGoneError: the server does not answer.
        """
        if target in self._unanswered:
            raise not_sent_error(self._unanswered[target])
        try:
            hashed = self.model_hash(target)
            return self.client.invoke(hashed, target, inputs, parameters=parameters)
        except UnansweredError as error:
            stacks = read_stacks(self.supervisor, self.folder(target), self.log_file)
            explained = unanswered_error(error, inputs, stacks, self.folder(target), hashed)
            self._unanswered[target] = explained
            raise explained from error
        except ServerGoneError as error:
            died = self._death(target)
            if died is None:
                raise
            raise died from error

    def answers(self, target: str) -> bool:
        """Return whether every request to a target model has been answered in time."""
        return target not in self._unanswered

    def loads_of(self, target: str, since: int) -> list[str]:
        """Return the models of a target that were loaded since the log had ``since`` bytes."""
        pattern = rf"loading: {re.escape(str(self.folder(target)))}::([^:\"\n]+)"
        return re.findall(pattern, self._logged(since))

    def _death(self, target: str) -> ServerDiedError | None:
        """Return the error of a server that has ended, or is about to; ``None`` if it runs."""
        with self._dying:
            if self._died is None:
                how = supervisor_client.await_exit(self._process, DEATH_TIMEOUT_S)
                self._died = None if how is None else log.death_error(how, self._copy_log(target))
            return self._died

    def _logged(self, since: int) -> str:
        with self.log_file.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace")

    def _copy_log(self, target: str) -> Path:
        """Return a log that can be read later: one in the temporary directory is copied."""
        if not self.log_file.is_relative_to(self._directories.base):
            return self.log_file
        log_copy = self._root / ".slipway" / "logs" / f"{target.replace('/', '_')}.log"
        log_copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.log_file, log_copy)
        return log_copy

    def model_hash(self, target: str) -> str:
        """Return the platform's name for a target: hexadecimal, because a hyphen in it fails."""
        return model_hash(self._directories.names, target)
