"""Weights that were handed over take their place in a model's folder, with a new release version."""

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
from slipway.model import folder as repository
from slipway.model.weights import Weights
from slipway.process import run
from slipway.settings import Settings

# what weights without a pointer of their own may be called; code is changed by a merge request
KINDS = (".onnx", ".pt", ".plan", ".safetensors", ".bin", ".json", ".npy", ".npz")
MOST = 20_000_000_000  # bytes, packed and unpacked
POINTER = ".dvc"


@dataclass(frozen=True)
class Received:
    """The model's ``name`` and ``version``, and the weights that are under DVC now."""

    name: str
    version: str
    files: tuple[Path, ...]


def receive(
    settings: Settings, archive: Path, name: str, version: str, *, most: int = MOST
) -> Received:
    """Place what ``archive`` holds, by its path below the model's folder, put it under DVC, upload
    it to DVC's remote, and write the release version. An equal version stays as it is.

    Raises:
        SlipwayError: there is no such model, the version is none or goes back, or the archive
            holds files of other kinds or places: nothing is changed then. Or the weights are
            damaged, or DVC's remote is not reached.
    """
    folder = settings.root / "models" / name
    if PurePosixPath(name).name != name or not (folder / repository.VERSION_FILE).is_file():
        raise SlipwayError(
            f"no model {name!r}", where=str(folder.parent), fix=f"slipway new {name}, and merge it"
        )
    _refuse_version(folder, version)
    unpacked_size(archive, name=archive.name, most=most)
    with tempfile.TemporaryDirectory(prefix="slipway-received-") as aside:
        extract(archive, Path(aside), name=archive.name)
        found = sorted(p.relative_to(aside) for p in Path(aside).rglob("*") if p.is_file())
        if not found:
            raise SlipwayError(
                "it holds no file", where=archive.name, fix="name the weights in the input files"
            )
        for path in found:
            _refuse(folder, path, archive.name)
        for path in found:
            (folder / path).parent.mkdir(exist_ok=True)
            # weights that DVC linked from its cache are replaced, never written through
            (folder / path).unlink(missing_ok=True)
            shutil.copyfile(Path(aside) / path, folder / path)
    store = Weights(settings.root)
    pointers = [signature.add(folder / path, store)[0].file for path in found]
    run(
        [sys.executable, "-m", "dvc", "push", "--quiet", *pointers],
        what="uploading the weights",
        cwd=settings.root,
        fix="check DVC's remote and the job's credentials",
    )
    (folder / repository.VERSION_FILE).write_text(f"{version}\n", encoding="utf-8")
    return Received(name, version, tuple(folder / path for path in found))


def _refuse_version(folder: Path, version: str) -> None:
    current = repository.read(folder).version
    if not semver.Version.is_valid(version):
        raise SlipwayError(f"{version!r} is no semantic version", fix="such as 1.2.0")
    if semver.Version.parse(version) < semver.Version.parse(current):
        raise SlipwayError(
            f"the version {version} is lower than {current}",
            where=str(folder / repository.VERSION_FILE),
            fix=f"hand over a version above {current}",
        )


def _refuse(folder: Path, path: Path, archive: str) -> None:
    """Only weights, only where a Triton model of the folder has its version directory."""
    parts = path.parts
    placed = (
        len(parts) == 3 and parts[1].isdigit() and (folder / parts[0] / "config.pbtxt").is_file()
    )
    hidden = any(part.startswith(".") for part in parts)
    pointed = (folder / f"{path}{POINTER}").is_file()
    tracked = (folder / path).is_file() and not pointed
    if not placed or hidden or tracked or not (pointed or path.suffix in KINDS):
        raise SlipwayError(
            f"{path.as_posix()!r} is no place for weights of {folder.name}",
            where=archive,
            fix="<Triton model>/<version>/<file>, such as"
            f" {folder.name}_inferencer/1/model.onnx; code and configs are changed by a merge request",
        )
