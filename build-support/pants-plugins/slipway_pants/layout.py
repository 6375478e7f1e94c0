"""Names and places that the plugin and the library agree upon. No Pants here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Protocol

SETTINGS = "slipway.toml"
MODELS = "models"
POINTER = ".dvc"
CONFIG = "config.pbtxt"
VERSION = "model_version.txt"
TRAINING = "training"
TESTS = "tests"
TEST = "test_*.py"
CHECKSUM = ".sha256"
# the folder that a step writes an environment into, and where it reads the lock from
ENVIRONMENT = "environment"
LOCKED = "locked"
LOCK = f"{LOCKED}/requirements.lock"
# where the library's pytest plugin looks for `<model>.tar.gz`, or `<model>.error.txt`
FOR_TESTS = ".slipway/artifacts"
MYPY_CACHE = ".cache/slipway_mypy"

# Pants writes an artifact and its checksum at once, in no order
SLACK_NS = 2_000_000_000

# A publisher may need credentials and the way to the network; builds never see these.
PUBLISHERS_VARIABLES = (
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


class File(Protocol):
    """A file of a digest."""

    @property
    def path(self) -> str: ...

    @property
    def content(self) -> bytes: ...


def weights(pointers: Iterable[str]) -> Mapping[str, str]:
    """Where the bytes behind each DVC pointer belong, by the pointer."""
    return {pointer: pointer[: -len(POINTER)] for pointer in pointers}


def missing_lock(folder: str, files: Iterable[str]) -> str | None:
    """What to tell when there are requirements and no lock."""
    requirements, lock = f"{folder}/requirements.txt", f"{folder}/requirements.lock"
    if requirements in files and lock not in files:
        return f"error: {lock}: no such file\nfix: slipway lock {folder}"
    return None


def packed(folder: str, files: Iterable[str], pointers: Iterable[str]) -> list[str]:
    """Globs for what of a model's `files` belongs to its artifact.

    That is the Triton model directories and the version, without any weights that happen to lie
    beside their pointers in the checkout: those of the pointers are packed.
    """
    directories = sorted(
        str(PurePath(file).parent)
        for file in files
        if PurePath(file).name == CONFIG and str(PurePath(file).parent.parent) == folder
    )
    globs = [f"{folder}/{VERSION}", *(f"{directory}/**" for directory in directories)]
    for weight in weights(pointers).values():
        globs += [f"!{weight}", f"!{weight}/**"]
    return globs


def checked(folders: Iterable[str]) -> list[str]:
    """Globs for what a check of the models in `folders` looks at.

    The configs of every model are among it: their names must be unique in the repository.
    """
    globs = [SETTINGS, f"{MODELS}/*/*/{CONFIG}", "!**/BUILD"]
    for folder in folders:
        globs += [f"{folder}/**", f"!{folder}/{TESTS}/**", f"!{folder}/{TRAINING}/**"]
    return globs


def models_of(files: Iterable[str]) -> set[str]:
    """The model folders that `files` tell of: a version, a config, or a test in `tests/`."""
    found = set()
    for file in map(PurePath, files):
        is_test = file.match(TEST)
        if file.parts[0] == MODELS and len(file.parts) > 2:
            if not is_test or file.parts[2:-1] == (TESTS,):
                found.add(f"{MODELS}/{file.parts[1]}")
    return found


def version_file(folder: str) -> str:
    """The file that holds a model's release version."""
    return f"{folder}/{VERSION}"


def artifact(folder: str, version: Iterable[File]) -> str:
    """The artifact's file name; a version that is missing is told by the library when it packs."""
    text = "".join(file.content.decode(errors="replace").strip() for file in version)
    return f"{PurePath(folder).name}_{text.replace('/', '_') or '0'}.tar.gz"


def addresses(arguments: Iterable[str]) -> list[str]:
    """The addresses among a command line's arguments."""
    return [
        argument[2:] if argument.startswith("//") else argument
        for argument in arguments
        if ":" in argument and not argument.startswith("-")
    ]


def written(folder: Path) -> dict[str, str]:
    """The artifacts in `folder` that stand as packing left them, by file name.

    Each is "<SHA-256> <bytes>". The checksum beside an artifact says which it is; one that was
    touched later than its checksum is not counted, for its bytes may be others.
    """
    found = {}
    for checksum in folder.glob(f"*{CHECKSUM}"):
        artifact = checksum.with_suffix("")
        words = checksum.read_text(encoding="utf-8", errors="replace").split()
        if words and artifact.is_file():
            if artifact.stat().st_mtime_ns - checksum.stat().st_mtime_ns <= SLACK_NS:
                found[artifact.name] = f"{words[0]} {artifact.stat().st_size}"
    return found


def stands(file: str, entries: Iterable[object], written: Mapping[str, str]) -> bool:
    """Whether `file` of the digest with these `entries` is what was `written` before."""
    for entry in entries:
        if getattr(entry, "path", None) == file:
            digest = entry.file_digest
            there = f"{digest.fingerprint} {digest.serialized_bytes_length}"
            return written.get(file) == there
    return False


def with_artifact(command: str, folder: str, file: str) -> tuple[str, ...]:
    """The library's `command` on a model whose artifact is packed already."""
    return (command, folder, "--artifact", f"{{chroot}}/{file}")


def told(problem: str) -> tuple[str, ...]:
    """Python's arguments to say `problem` and fail."""
    return ("-c", "import sys; sys.exit(sys.argv[1])", problem)
