"""Compare an artifact's members with its manifest, one after the other."""

from __future__ import annotations

import hashlib
import json
from importlib.util import cache_from_source
from typing import BinaryIO

from slipway.artifact.manifest import Manifest
from slipway.files import digest_of_stream

DIRECTORY = ".dir"  # suffix of DVC's md5 of a folder, which is that of its list of files
SHOWN = 5  # problems of one kind


class MemberCheck:
    """Collect the problems of the artifact that ``manifest`` describes, a member at a time.

    Sources have a SHA-256 and weights an md5 in the manifest. Of an environment as a folder it has
    the number of files and bytes, of one as an archive the SHA-256. Bytecode is identified by the
    name of its source alone: the digest of the artifact covers it.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._problems: list[str] = []
        self._unlisted: list[str] = []
        self._seen: set[str] = set()
        self._folders: dict[str, dict[str, str]] = {
            name: {}
            for name, weights in manifest.weights.items()
            if str(weights["md5"]).endswith(DIRECTORY)
        }
        self._environment = (0, 0)
        self._bytecode = {
            cache_from_source(name) for name in manifest.sources if name.endswith(".py")
        }

    def add(self, name: str, size: int, content: BinaryIO) -> None:
        """Read and compare one member, but not the manifest itself."""
        if name in self._seen:
            self._problems.append(f"{name} is in it twice")
        self._seen.add(name)
        sources, weights = self._manifest.sources, self._manifest.weights
        environment = self._manifest.environment
        if name in sources:
            self._compare(name, "SHA-256", digest_of_stream(content, "sha256"), sources[name])
        elif name in weights:
            md5 = digest_of_stream(content, "md5")
            self._compare(name, "md5", md5, str(weights[name]["md5"]))
        elif (folder := self._folder(name)) is not None:
            path = name.removeprefix(f"{folder}/")
            self._folders[folder][path] = digest_of_stream(content, "md5")
        elif environment and name == environment["path"]:
            sha256 = digest_of_stream(content, "sha256")
            self._compare(name, "SHA-256", sha256, str(environment["sha256"]))
        elif environment and name.startswith(f"{environment['path']}/"):
            files, unpacked = self._environment
            self._environment = files + 1, unpacked + size
        elif name not in self._bytecode:
            self._unlisted.append(name)

    def problems(self) -> list[str]:
        """Return the problems, after every member was added."""
        problems = list(self._problems)
        manifest = self._manifest
        for name, files in self._folders.items():
            self._seen.add(name)
            entries = [{"md5": files[path], "relpath": path} for path in sorted(files)]
            # DVC's digest of a folder: the md5 of its sorted list of files, as JSON
            md5 = hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + DIRECTORY
            if md5 != manifest.weights[name]["md5"]:
                problems.append(f"{name}: its files have the md5 {md5}, not the manifest's")
        missing = sorted({*manifest.sources, *manifest.weights} - self._seen)
        problems += _summarize(missing, "is missing, and the manifest names it")
        problems += _summarize(self._unlisted, "is in it, and the manifest does not name it")
        return problems + self._environment_problems()

    def _environment_problems(self) -> list[str]:
        environment = self._manifest.environment
        if environment is None:
            return []
        path = environment["path"]
        if environment["layout"] == "image":
            return []
        if environment["layout"] != "directory":
            return [] if path in self._seen else [f"{path} is missing"]
        files, unpacked = self._environment
        if (files, unpacked) == (environment["files"], environment["unpacked"]):
            return []
        return [
            f"its environment has {files:,} files of {unpacked:,} bytes,"
            f" the manifest says {environment['files']:,} of {environment['unpacked']:,}"
        ]

    def _folder(self, name: str) -> str | None:
        return next((folder for folder in self._folders if name.startswith(f"{folder}/")), None)

    def _compare(self, name: str, kind: str, actual: str, expected: str) -> None:
        if actual != expected:
            self._problems.append(f"{name}: its {kind} is {actual}, the manifest says {expected}")


def _summarize(names: list[str], what: str) -> list[str]:
    lines = [f"{name} {what}" for name in names[:SHOWN]]
    return lines + ([f"{len(names) - SHOWN} more like it"] if len(names) > SHOWN else [])
