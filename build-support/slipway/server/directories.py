"""The directories of a server: extracted artifacts, temporary files, its log."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.server import network, supervisor_client
from slipway.server.command import CONTAINER_MODELS
from slipway.server.source import Source, find_server
from slipway.settings import Settings

# servers of 26.06 and later refuse other paths (sagemaker_server.h, model_path_regex_)
FIXED_PATH_SINCE = "26.06"


@dataclass(frozen=True)
class ModelsDirectory:
    """The directory of extracted artifacts, which outlives a server and is given to the next one.

    Each artifact is in a subdirectory of ``folder`` whose name begins with ``names``; the servers'
    own directories are in ``root``. Everything is removed when this process ends, however it ends.
    """

    root: Path
    folder: Path
    names: str

    def directory_of(self, target: str) -> Path:
        """Return the directory of a target's artifact, whose files are below ``model/`` in it."""
        return self.folder / model_hash(self.names, target)


@contextmanager
def models_directory(settings: Settings) -> Iterator[ModelsDirectory]:
    """Create a directory for extracted artifacts that the best Triton here can read."""
    name = f"s{os.getpid():x}n{secrets.token_hex(4)}x"
    root = Path(tempfile.gettempdir()).resolve() / f"slipway_models_{name}"
    fixed = _requires_fixed_path(find_server(settings))
    directory = ModelsDirectory(root, CONTAINER_MODELS if fixed else root / "models", name)
    names = f"{glob.escape(str(CONTAINER_MODELS))}/"
    # named before they exist: nothing is left even by a process killed in between
    patterns = [f"{names}{name}*", f"{names}.aside-{name}*"] if fixed else []
    keeper = supervisor_client.start_supervisor(None, [*patterns, glob.escape(str(root))])
    try:
        for folder in (directory.root, directory.folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield directory
    finally:
        supervisor_client.stop_supervisor(keeper)


def model_hash(names: str, target: str) -> str:
    """Return the platform's name for a target: hexadecimal, because a hyphen in it fails."""
    return names + hashlib.sha256(target.encode()).hexdigest()[:32]


def _requires_fixed_path(source: Source) -> bool:
    return source.kind == "path" and source.release >= FIXED_PATH_SINCE


class ServerDirectories:
    """The directories of one server; ``mounted_models`` is the models' directory as the server sees
    it.

    The name of every extracted artifact's directory begins with ``names``.
    """

    def __init__(
        self, source: Source, log_file: Path | None, models_directory: ModelsDirectory | None
    ) -> None:
        self.name = f"s{os.getpid():x}n{secrets.token_hex(4)}x"
        self.names = models_directory.names if models_directory else self.name
        self.shm_prefix = f"slipway_{self.name}_"
        root = models_directory.root if models_directory else None
        self.base = Path(tempfile.mkdtemp(prefix="slipway_triton_", dir=root)).resolve()
        own = (
            CONTAINER_MODELS
            if _requires_fixed_path(source)
            else self.base / "opt" / "ml" / "models"
        )
        self.models = models_directory.folder if models_directory else own
        self.mounted_models = CONTAINER_MODELS if source.kind == "docker" else self.models
        self.empty = self.base / "empty"
        self.temporary = self.base / "tmp"
        self.network = self.base / network.FOLDER
        for folder in (self.models, self.empty, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.log = log_file or self.base / "triton.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()

    def cleanup_patterns(self) -> list[str]:
        """Return glob patterns of everything to remove once the server has ended."""
        return [
            f"/dev/shm/{self.shm_prefix}*",
            f"{glob.escape(str(self.models))}/{self.name}*",
            glob.escape(str(self.base)),
        ]
