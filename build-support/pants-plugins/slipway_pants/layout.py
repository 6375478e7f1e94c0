"""Names and paths shared by the plugin and the library, without Pants."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any, Protocol

SETTINGS = "slipway.toml"
MODELS = "models"
REQUIREMENTS = "requirements.txt"
PYPROJECT = "pyproject.toml"
LIBRARIES = "libs"
POINTER = ".dvc"
CONFIG = "config.pbtxt"
# for the manifest: what weights were converted or folded from
CONVERSION = ("original/conversion.json", "original/conversion.toml", "folded/fold.json")
PROFILE = "profile.json"
VERSION = "model_version.txt"
TRAINING = "training"
TESTS = "tests"
TEST = "test_*.py"
CHECKSUM = ".sha256"
# the folder into which a step writes an environment, and from which it reads the lock
ENVIRONMENT = "environment"
# the folder into which a step writes weights, at their own path
PULLED = "pulled"
# as deep as a model's folder: its requirements name packages by relative paths
LOCKED = "models/locked"
LOCK = f"{LOCKED}/requirements.lock"
# where the library's pytest plugin looks for `<model>.tar.gz`, or `<model>.error.txt`
FOR_TESTS = ".slipway/artifacts"
MYPY_CACHE = ".cache/slipway_mypy"

# Pants writes an artifact and its checksum at the same time, in any order
SLACK_NS = 2_000_000_000

# Publishing may need credentials and network settings; builds never see these variables.
PUBLISH_VARIABLES = (
    "HOME",
    "PATH",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)

# a requirement by its path: `-e ../../libs/x`, `x @ file:../../libs/x`, `../../libs/x[extra]`
BY_PATH = re.compile(
    r"(?:-e\s*|--editable[=\s]\s*)?(?:[\w.-]+(?:\[[^]]*\])?\s*@\s*)?(?:file:)?(\.{1,2}/[^\s;\[#]+)"
)


class File(Protocol):
    """A file of a digest."""

    @property
    def path(self) -> str: ...

    @property
    def content(self) -> bytes: ...


def weights(pointers: Iterable[str]) -> Mapping[str, str]:
    """Return the path of the weights of each DVC pointer, by pointer."""
    return {pointer: pointer[: -len(POINTER)] for pointer in pointers}


def missing_lock(folder: str, files: Iterable[str]) -> str | None:
    """Return the error for requirements without a lock, `None` if there is none."""
    requirements, lock = f"{folder}/requirements.txt", f"{folder}/requirements.lock"
    if requirements in files and lock not in files:
        return f"error: {lock}: no such file\nfix: slipway lock {folder}"
    return None


def shared(folder: str, requirements: Iterable[File]) -> list[str]:
    """Return the folders of the repository that `requirements` of a model in `folder` name by path.

    The library judges the lines; here only the inputs of its steps are chosen.
    """
    text = "\n".join(file.content.decode(errors="replace") for file in requirements)
    paths = [match[1] for line in text.splitlines() if (match := BY_PATH.match(line.strip()))]
    folders = {posixpath.normpath(posixpath.join(folder, path)) for path in paths}
    return sorted(path for path in folders if not path.startswith("../"))


def unowned(folder: str, path: str) -> str:
    """Return the error for a package that no target owns: no change of it would be noticed."""
    return (
        f"error: {folder}/{REQUIREMENTS}: no target owns {path}\n"
        f"fix: ./pants tailor {path}: writes {path}/BUILD, with shared_package()"
    )


def import_roots(path: str, files: Iterable[str]) -> list[str]:
    """Return the folders of the package in `path` from which its modules are imported."""
    in_src = any(file.startswith(f"{path}/src/") for file in files)
    return [f"{path}/src"] if in_src else [path]


def packed(folder: str, files: Iterable[str], pointers: Iterable[str]) -> list[str]:
    """Return globs for the parts of a model's `files` that belong to its artifact.

    These are the Triton model directories, the version, the reference profile, and the record of a
    conversion. Weights in the checkout next to their pointers are excluded: the weights that the
    pointers name are packed.
    """
    present = set(files)
    directories = sorted(
        str(PurePath(file).parent)
        for file in present
        if PurePath(file).name == CONFIG and str(PurePath(file).parent.parent) == folder
    )
    globs = [f"{folder}/{VERSION}", *(f"{directory}/**" for directory in directories)]
    globs += sorted({f"{folder}/{name}" for name in (*CONVERSION, PROFILE)} & present)
    for weight in weights(pointers).values():
        globs += [f"!{weight}", f"!{weight}/**"]
    return globs


def checked(folders: Iterable[str]) -> list[str]:
    """Return globs for the files that a check of the models in `folders` reads.

    The configs of every model are included: their names must be unique in the repository. So are
    the packages that models may share.
    """
    globs = [SETTINGS, f"{MODELS}/*/*/{CONFIG}", f"{LIBRARIES}/**", "!**/BUILD"]
    for folder in folders:
        globs += [f"{folder}/**", f"!{folder}/{TESTS}/**", f"!{folder}/{TRAINING}/**"]
    return globs


def models_of(files: Iterable[str]) -> set[str]:
    """Return the model folders of `files`: a version, a config, or a test in `tests/`."""
    folders = set()
    for file in map(PurePath, files):
        in_model = file.parts[0] == MODELS and len(file.parts) > 2
        if in_model and (not file.match(TEST) or file.parts[2:-1] == (TESTS,)):
            folders.add(f"{MODELS}/{file.parts[1]}")
    return folders


def packages_of(files: Iterable[str]) -> set[str]:
    """Return the folders of `libs/` that hold one of these `pyproject.toml`."""
    parts = (PurePath(file).parts for file in files)
    return {"/".join(path[:2]) for path in parts if path[0] == LIBRARIES and len(path) == 3}


def version_file(folder: str) -> str:
    """Return the path of a model's release version."""
    return f"{folder}/{VERSION}"


def artifact(folder: str, version: Iterable[File]) -> str:
    """Return the artifact's file name; the library reports a missing version when it packs."""
    text = "".join(file.content.decode(errors="replace").strip() for file in version)
    return f"{PurePath(folder).name}_{text.replace('/', '_') or '0'}.tar.gz"


def addresses(arguments: Iterable[str]) -> list[str]:
    """Return the addresses among a command line's arguments."""
    return [
        argument[2:] if argument.startswith("//") else argument
        for argument in arguments
        if ":" in argument and not argument.startswith("-")
    ]


def packed_artifacts(folder: Path) -> dict[str, str]:
    """Return the artifacts in `folder` that are unmodified since packing, by file name.

    Each is "<SHA-256> <bytes>", from the checksum file next to it. An artifact modified later than
    its checksum is omitted, because its bytes may differ.
    """
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:  # one look at each file: there may be thousands
        files = {entry.name: entry.stat() for entry in entries if entry.is_file()}
    artifacts = {}
    for name, checksum in files.items():
        artifact = files.get(name.removesuffix(CHECKSUM))
        if not name.endswith(CHECKSUM) or artifact is None:
            continue
        words = (folder / name).read_text(encoding="utf-8", errors="replace").split()
        if words and artifact.st_mtime_ns - checksum.st_mtime_ns <= SLACK_NS:
            artifacts[name.removesuffix(CHECKSUM)] = f"{words[0]} {artifact.st_size}"
    return artifacts


def is_up_to_date(file: str, entries: Iterable[Any], artifacts: Mapping[str, str]) -> bool:
    """Return whether `file` of the digest with these `entries` is among `artifacts`, on disk."""
    for entry in entries:
        if getattr(entry, "path", None) == file:
            digest = entry.file_digest
            return artifacts.get(file) == f"{digest.fingerprint} {digest.serialized_bytes_length}"
    return False


def with_artifact(command: str, folder: str, file: str) -> tuple[str, ...]:
    """Return the library's `command` for a model whose artifact is already packed."""
    return (command, folder, "--artifact", f"{{chroot}}/{file}")


def fail_with(problem: str) -> tuple[str, ...]:
    """Return Python's arguments to print `problem` and fail."""
    return ("-c", "import sys; sys.exit(sys.argv[1])", problem)
