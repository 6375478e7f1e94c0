"""Where a server's files lie: extracted artifacts, temporary ones, its log."""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from slipway.server.command import CONTAINER_MODELS
from slipway.server.source import Source, find
from slipway.settings import Settings

# servers of 26.06 and later refuse other places (sagemaker_server.h, model_path_regex_)
FIXED_PLACE_SINCE = "26.06"


@dataclass(frozen=True)
class Kept:
    """Extracted artifacts that outlive a server, for the one that takes its place.

    They lie in ``folder``, each in one whose name begins with ``names``. Both go when this process
    has ended, however it ended.
    """

    folder: Path
    names: str

    def place(self, target: str) -> Path:
        """Where a target's artifact lies; the endpoint's container has it below ``model/``."""
        return self.folder / model_hash(self.names, target)

    def patterns(self) -> list[str]:
        """What is to be removed in the end."""
        folder = glob.escape(str(self.folder))
        kept = [f"{folder}/{self.names}*", f"{folder}/.aside-{self.names}*"]
        return kept if self.folder == CONTAINER_MODELS else [folder]

    def remove(self) -> None:
        """Remove every extracted artifact."""
        for pattern in self.patterns():
            for path in glob.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)


def keep(settings: Settings) -> Kept:
    """A new place for extracted artifacts, where the best Triton here can see it."""
    names = f"k{os.getpid():x}n{secrets.token_hex(4)}x"
    if _fixed(find(settings)):
        return Kept(CONTAINER_MODELS, names)
    return Kept(Path(tempfile.mkdtemp(prefix="slipway_models_")).resolve(), names)


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
        self.kept = kept
        self.shm_prefix = f"slipway_{self.name}_"
        self.base = Path(tempfile.mkdtemp(prefix="slipway_triton_")).resolve()
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

    def patterns_with_owner(self) -> list[str]:
        """What is to be removed once this process has ended."""
        return self.kept.patterns() if self.kept else []
