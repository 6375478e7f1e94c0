"""Say where each file of weights in an artifact is from, for the release's record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.catalog.weights_source import WeightsSource
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.model.any_folder import packed_root, read_any_folder
from slipway.process import run
from slipway.release.evidence.trained import ORIGINAL, TrainingMatch
from slipway.release.versioning.commits import shallow_commits

PREBUILT = "source.json"  # of slipway new --prebuilt
LICENCE = ("licence", "license", "model_licenses")
WHAT = "asking git who changed the weights"


def find_weights_sources(
    root: Path, folder: Path, artifact: Artifact, trained: TrainingMatch
) -> dict[str, WeightsSource]:
    """Return where each file of weights is from, by its path in ``artifact``, which was built from
    ``folder``: the recorded training, a prebuilt package, or the commit that last changed its
    pointer. What cannot be told is ``unknown``.

    Raises:
        SlipwayError: the folder cannot be read.
    """
    manifest = artifact.manifest
    if not manifest.weights:
        return {}
    prebuilt = _read_prebuilt(folder)
    pointers = _pointers(folder, manifest)
    commits: dict[Path, WeightsSource] = {}
    sources: dict[str, WeightsSource] = {}
    for name in manifest.weights:
        original = _original(manifest, name)
        if name in trained.outs:
            converted = original if name in trained.converted else None
            out = trained.outs[name]
            sources[name] = WeightsSource("training", path=out.path, original=converted)
            continue
        pointer = pointers.get(name)
        if pointer is None:
            sources[name] = WeightsSource("unknown")
            continue
        if _is_prebuilt(prebuilt, pointer.with_suffix("")):
            sources[name] = WeightsSource(
                "prebuilt",
                prebuilt=str(prebuilt.get("prebuilt")),
                packages=dict(prebuilt["packages"]),
                licences=_licences(manifest, name),
            )
            continue
        if pointer not in commits:
            commits[pointer] = _last_commit(root, pointer, original)
        sources[name] = commits[pointer]
    return sources


def _pointers(folder: Path, manifest: Manifest) -> dict[str, Path]:
    """Return the DVC pointer of each file of weights; of converted ones, that of the original."""
    model = read_any_folder(folder)
    found: dict[str, Path] = {}
    for name in manifest.weights:
        original = _original(manifest, name)
        file = folder / original if original else packed_root(model) / name
        pointer = file.with_name(f"{file.name}.dvc")
        if pointer.is_file():
            found[name] = pointer
    return found


def _original(manifest: Manifest, name: str) -> str | None:
    """Return the file that the weights ``name`` were converted from, in the model's folder."""
    conversion = manifest.conversion or {}
    results = {entry["md5"] for entry in conversion.get("files", {}).values()}
    if manifest.weights[name]["md5"] not in results:
        return None
    return f"{ORIGINAL}/{conversion['source']['name']}"


def _read_prebuilt(folder: Path) -> Mapping[str, Any]:
    """Return what ``slipway new --prebuilt`` wrote, empty if it did not or it was changed."""
    try:
        values = json.loads((folder / PREBUILT).read_bytes())
        dict(values["packages"])
        dict(values["weights"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(values)


def _is_prebuilt(prebuilt: Mapping[str, Any], file: Path) -> bool:
    """Return whether the local weights ``file`` is one that came out of the packages."""
    sizes = {entry.get("size") for entry in prebuilt.get("weights", {}).values()}
    if not file.is_file() or file.stat().st_size not in sizes:
        return False
    digests = {entry.get("sha256") for entry in prebuilt["weights"].values()}
    return sha256_of(file) in digests


def _licences(manifest: Manifest, name: str) -> tuple[str, ...]:
    """Return the licence files next to the weights ``name``, by their names in the artifact."""
    folder = name.rpartition("/")[0]
    return tuple(
        source
        for source in sorted(manifest.sources)
        if source.rpartition("/")[0] == folder
        and source.rpartition("/")[2].lower().startswith(LICENCE)
    )


def _last_commit(root: Path, pointer: Path, original: str | None) -> WeightsSource:
    """Return the commit that last changed ``pointer``, as far as this checkout's history goes."""
    git = ["git", "-C", str(root)]
    path = pointer.resolve()
    shown = (
        path.relative_to(root.resolve()).as_posix() if path.is_relative_to(root.resolve()) else None
    )
    unknown = WeightsSource("unknown", path=shown, original=original)
    try:
        # no reference to a user's own format, and no signature check
        listed = run(
            [*git, "log", "-1", "--no-show-signature", "--encoding=UTF-8"]
            + ["--format=%H%x00%aI%x00%an%x00%s", "--", str(path)],
            what=WHAT,
        ).stdout.strip("\n")
        if not listed or listed.partition("\0")[0] in shallow_commits(git):
            return unknown
    except SlipwayError:
        return unknown
    commit, when, by, subject = listed.split("\0")
    return WeightsSource(
        "commit", shown, original, commit, when, _printable(by), _printable(subject)
    )


def _printable(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
