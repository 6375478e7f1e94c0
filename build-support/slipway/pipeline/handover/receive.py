"""Install handed-over weights in a model's folder, with a new release version."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import semver

from slipway import signature
from slipway.artifact.extract import extract, unpacked_size
from slipway.errors import SlipwayError
from slipway.model.folder import VERSION_FILE, read_model_folder
from slipway.model.weights import Weights
from slipway.process import run
from slipway.settings import Settings

# extensions of weights that have no pointer yet; code is changed by a merge request
WEIGHTS_EXTENSIONS = (".onnx", ".pt", ".plan", ".safetensors", ".bin", ".json", ".npy", ".npz")
MAX_BYTES = 20_000_000_000  # bytes, packed and unpacked
POINTER = ".dvc"


@dataclass(frozen=True)
class ReceivedWeights:
    """The model's ``name`` and ``version``, and the weights now under DVC."""

    name: str
    version: str
    files: tuple[Path, ...]


def receive_weights(
    settings: Settings, archive: Path, name: str, version: str, *, max_bytes: int = MAX_BYTES
) -> ReceivedWeights:
    """Copy the files of ``archive`` to their paths in the model's folder, put them under DVC,
    upload them to DVC's remote, and write the release version, which may equal the current one.

    Raises:
        SlipwayError: the model does not exist, the version is invalid or lower, or the archive
            contains files of other kinds or paths: nothing is changed then. Or the weights are
            damaged, or DVC's remote cannot be reached.
    """
    folder = settings.root / "models" / name
    if PurePosixPath(name).name != name or not (folder / VERSION_FILE).is_file():
        raise SlipwayError(
            f"no model {name!r}",
            where=str(folder.parent),
            fix=f"run slipway new {name}, and merge it",
        )
    _refuse_version(folder, version)
    unpacked_size(archive, name=archive.name, limit=max_bytes)
    with tempfile.TemporaryDirectory(prefix="slipway-received-") as unpacked:
        extract(archive, Path(unpacked), name=archive.name)
        paths = sorted(p.relative_to(unpacked) for p in Path(unpacked).rglob("*") if p.is_file())
        if not paths:
            raise SlipwayError(
                "the archive contains no files",
                where=archive.name,
                fix="name the weights in the input `files` of the job that hands over",
            )
        for path in paths:
            _refuse_path(folder, path, archive.name)
        for path in paths:
            (folder / path).parent.mkdir(exist_ok=True)
            # weights that DVC linked from its cache are replaced, never written through
            (folder / path).unlink(missing_ok=True)
            shutil.copyfile(Path(unpacked) / path, folder / path)
    store = Weights(settings.root)
    pointers = [signature.add_weights(folder / path, store)[0].file for path in paths]
    run(
        [sys.executable, "-m", "dvc", "push", "--quiet", *pointers],
        what="uploading the weights",
        cwd=settings.root,
        fix="check DVC's remote and the job's credentials",
    )
    (folder / VERSION_FILE).write_text(f"{version}\n", encoding="utf-8")
    return ReceivedWeights(name, version, tuple(folder / path for path in paths))


def _refuse_version(folder: Path, version: str) -> None:
    current = read_model_folder(folder).version
    if not semver.Version.is_valid(version):
        raise SlipwayError(
            f"{version!r} is not a semantic version", fix="use a version such as 1.2.0"
        )
    if semver.Version.parse(version) < semver.Version.parse(current):
        raise SlipwayError(
            f"the version {version} is lower than {current}",
            where=str(folder / VERSION_FILE),
            fix=f"hand over a version above {current}",
        )


def _refuse_path(folder: Path, path: Path, archive: str) -> None:
    """Refuse files other than weights, and paths other than Triton models' version directories."""
    parts = path.parts
    in_version_directory = (
        len(parts) == 3 and parts[1].isdigit() and (folder / parts[0] / "config.pbtxt").is_file()
    )
    hidden = any(part.startswith(".") for part in parts)
    has_pointer = (folder / f"{path}{POINTER}").is_file()
    tracked = (folder / path).is_file() and not has_pointer
    if (
        not in_version_directory
        or hidden
        or tracked
        or not (has_pointer or path.suffix in WEIGHTS_EXTENSIONS)
    ):
        raise SlipwayError(
            f"{path.as_posix()!r} is not a path of weights of {folder.name}",
            where=archive,
            fix="name it <Triton model>/<version>/<file>, such as"
            f" {folder.name}_inferencer/1/model.onnx; change code and configs in a merge request",
        )
