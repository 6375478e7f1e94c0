"""Where a server's files lie: extracted artifacts, temporary ones, its log."""

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

from slipway.server import supervisor_client
from slipway.server.command import CONTAINER_MODELS
from slipway.server.source import Source, find
from slipway.settings import Settings

# servers of 26.06 and later refuse other places (sagemaker_server.h, model_path_regex_)
FIXED_PLACE_SINCE = "26.06"


@dataclass(frozen=True)
class Kept:
    """Extracted artifacts that outlive a server, for the one that takes its place.

    They lie in ``folder``, each in one whose name begins with ``names``; the servers' own folders
    lie in ``root``. All go when this process has ended, however it ended.
    """

    root: Path
    folder: Path
    names: str

    def place(self, target: str) -> Path:
        """Where a target's artifact lies; the endpoint's container has it below ``model/``."""
        return self.folder / model_hash(self.names, target)


@contextmanager
def keep(settings: Settings) -> Iterator[Kept]:
    """A new place for extracted artifacts, where the best Triton here can see it."""
    name = f"s{os.getpid():x}n{secrets.token_hex(4)}x"
    root = Path(tempfile.gettempdir()).resolve() / f"slipway_models_{name}"
    fixed = _fixed(find(settings))
    kept = Kept(root, CONTAINER_MODELS if fixed else root / "models", name)
    names = f"{glob.escape(str(CONTAINER_MODELS))}/"
    # named before they are there: nothing is left even by one killed in between
    patterns = [f"{names}{name}*", f"{names}.aside-{name}*"] if fixed else []
    keeper = supervisor_client.begin(None, [*patterns, glob.escape(str(root))])
    try:
        for folder in (kept.root, kept.folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield kept
    finally:
        supervisor_client.end(keeper)


def model_hash(names: str, target: str) -> str:
    """The platform's name for a target: hexadecimal, because a hyphen in it fails."""
    return names + hashlib.sha256(target.encode()).hexdigest()[:32]


def _fixed(source: Source) -> bool:
    return source.kind == "path" and source.release >= FIXED_PLACE_SINCE


class Places:
    """The folders of one server; ``seen_models`` is the models' folder as the server sees it.

    ``names`` begins the name of every folder of an extracted artifact.
    """

    def __init__(self, source: Source, log_file: Path | None, kept: Kept | None) -> None:
        self.name = f"s{os.getpid():x}n{secrets.token_hex(4)}x"
        self.names = kept.names if kept else self.name
        self.shm_prefix = f"slipway_{self.name}_"
        root = kept.root if kept else None
        self.base = Path(tempfile.mkdtemp(prefix="slipway_triton_", dir=root)).resolve()
        own = CONTAINER_MODELS if _fixed(source) else self.base / "opt" / "ml" / "models"
        self.models = kept.folder if kept else own
        self.seen_models = CONTAINER_MODELS if source.kind == "docker" else self.models
        self.empty = self.base / "empty"
        self.temporary = self.base / "tmp"
        for folder in (self.models, self.empty, self.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.log = log_file or self.base / "triton.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()

    def patterns(self) -> list[str]:
        """What is to be removed in the end."""
        return [
            f"/dev/shm/{self.shm_prefix}*",
            f"{glob.escape(str(self.models))}/{self.name}*",
            glob.escape(str(self.base)),
        ]
