"""An artifact's members, one after the other, against what its manifest says of them."""

from __future__ import annotations

import hashlib
import json
from importlib.util import cache_from_source
from typing import BinaryIO

from slipway.artifact.manifest import Manifest

CHUNK = 1 << 20
DIRECTORY = ".dir"  # the end of an md5 of DVC's that is of a folder's list
MOST = 5  # problems of one kind


class MemberCheck:
    """What was read of the artifact that ``made`` describes.

    Sources have a SHA-256 and weights an md5 in the manifest. Of an environment as a folder it has
    the number of files and bytes, of one as an archive the SHA-256. Bytecode is known
    by the name of its source alone: the digest of the artifact covers it.
    """

    def __init__(self, made: Manifest) -> None:
        self._made = made
        self._problems: list[str] = []
        self._strangers: list[str] = []
        self._seen: set[str] = set()
        self._folders: dict[str, dict[str, str]] = {
            name: {}
            for name, weights in made.weights.items()
            if str(weights["md5"]).endswith(DIRECTORY)
        }
        self._environment = (0, 0)
        self._bytecode = {cache_from_source(name) for name in made.sources if name.endswith(".py")}

    def take(self, name: str, size: int, content: BinaryIO) -> None:
        """Read one member; the manifest itself is none."""
        if name in self._seen:
            self._problems.append(f"{name} is in it twice")
        self._seen.add(name)
        made = self._made
        if name in made.sources:
            self._compare(name, "SHA-256", _digest(content, "sha256"), made.sources[name])
        elif name in made.weights:
            self._compare(name, "md5", _digest(content, "md5"), str(made.weights[name]["md5"]))
        elif (folder := self._folder(name)) is not None:
            self._folders[folder][name.removeprefix(f"{folder}/")] = _digest(content, "md5")
        elif made.environment and name == made.environment["path"]:
            digest = _digest(content, "sha256")
            self._compare(name, "SHA-256", digest, str(made.environment["sha256"]))
        elif made.environment and name.startswith(f"{made.environment['path']}/"):
            files, unpacked = self._environment
            self._environment = files + 1, unpacked + size
        elif name not in self._bytecode:
            self._strangers.append(name)

    def problems(self) -> list[str]:
        """What is wrong, once every member was taken."""
        found = list(self._problems)
        made = self._made
        for name, files in self._folders.items():
            self._seen.add(name)
            listed = [{"md5": files[path], "relpath": path} for path in sorted(files)]
            # as DVC names a folder: the md5 of its sorted list, as JSON
            md5 = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + DIRECTORY
            if md5 != made.weights[name]["md5"]:
                found.append(f"{name}: its files have the md5 {md5}, not the manifest's")
        missing = sorted({*made.sources, *made.weights} - self._seen)
        found += _few(missing, "is missing, and the manifest names it")
        found += _few(self._strangers, "is in it, and the manifest does not name it")
        return found + self._of_environment()

    def _of_environment(self) -> list[str]:
        made = self._made.environment
        if made is None:
            return []
        if made["layout"] != "directory":
            return [] if made["path"] in self._seen else [f"{made['path']} is missing"]
        files, unpacked = self._environment
        if (files, unpacked) == (made["files"], made["unpacked"]):
            return []
        return [
            f"its environment has {files:,} files of {unpacked:,} bytes,"
            f" the manifest says {made['files']:,} of {made['unpacked']:,}"
        ]

    def _folder(self, name: str) -> str | None:
        return next((one for one in self._folders if name.startswith(f"{one}/")), None)

    def _compare(self, name: str, kind: str, found: str, expected: str) -> None:
        if found != expected:
            self._problems.append(f"{name}: its {kind} is {found}, the manifest says {expected}")


def _few(names: list[str], what: str) -> list[str]:
    said = [f"{name} {what}" for name in names[:MOST]]
    return said + ([f"{len(names) - MOST} more like it"] if len(names) > MOST else [])


def _digest(content: BinaryIO, kind: str) -> str:
    digest = hashlib.new(kind, usedforsecurity=False)
    while chunk := content.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
