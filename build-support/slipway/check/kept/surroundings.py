"""What every model's check depends on besides the models: one digest for all of it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import slipway
from slipway.check.kept.folder import identity_of, read_folder
from slipway.errors import SlipwayError
from slipway.files import cache_root
from slipway.process import run
from slipway.settings import FILE_NAME

# of the kept file
FORMAT = 1
LIBRARIES = "libs"
MODELS = "models"
# DVC's settings decide the digest of a folder of weights
DVC_FILES = (".dvc/config", ".dvc/config.local", ".dvcignore")
INSTALLED = (".dist-info", ".egg-info", ".egg-link", ".pth")


def list_ignored(root: Path) -> dict[str, list[str]] | None:
    """Return the files that git ignores in each folder of ``models/``, relative to that folder, and
    those in all of ``libs/`` under "". ``None`` outside of a git checkout."""
    command = ["git", "-C", str(root), "ls-files", "--others", "--ignored", "--exclude-standard"]
    try:
        listing = run(
            [*command, "-z", "--", MODELS, LIBRARIES], what="asking git for ignored files"
        )
    except SlipwayError:
        return None
    ignored: dict[str, list[str]] = {}
    for name in filter(None, listing.stdout.split("\0")):
        top, _, rest = name.partition("/")
        folder, _, rest = rest.partition("/") if top == MODELS else ("", "", rest)
        ignored.setdefault(folder, []).append(rest)
    return ignored


def digest_of_surroundings(root: Path, libraries_ignored: list[str]) -> str | None:
    """Return a digest of the settings, the shared packages, Slipway, Python and its packages.

    ``None`` where not all of it can be looked at.
    """
    shared = read_folder(root / LIBRARIES)
    try:
        parts = [
            FORMAT,
            str(root),
            os.getcwd(),  # paths in findings are relative to it
            str(cache_root()),
            (root / FILE_NAME).read_bytes().hex(),
            sorted((name, value) for name, value in os.environ.items() if "SLIPWAY" in name),
            sys.version,
            sorted(_installed()),
            read_folder(Path(slipway.__file__).parent).content(),
            shared.content(),
            sorted(libraries_ignored),
            [identity_of(root / name) for name in DVC_FILES],
            (root / ".dvc").is_dir(),
            (root / MODELS / FILE_NAME).exists(),  # another root
        ]
    except OSError:
        return None
    if not shared.is_whole:
        return None
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _installed() -> list[str]:
    """Return the names of what is installed in this Python, with their versions."""
    found: list[str] = []
    for folder in dict.fromkeys(sys.path):
        try:
            found += [name for name in os.listdir(folder or ".") if name.endswith(INSTALLED)]
        except OSError:
            continue
    return found
