"""Compare the recorded training run with an artifact: which of its files did the run make?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.artifact.artifact import Artifact
from slipway.artifact.manifest import Manifest
from slipway.errors import SlipwayError
from slipway.model.any_folder import packed_sources, read_any_folder
from slipway.model.folded import FOLDER as FOLDED
from slipway.release.evidence import data_source
from slipway.release.evidence.training import AttestedTraining
from slipway.training.inputs import find_inputs, is_code
from slipway.training.run import DataFile, TrainingRun, load_run, run_path

ORIGINAL = "original"


@dataclass(frozen=True)
class TrainingMatch:
    """What the recorded run made of an artifact.

    ``training`` is ``None`` if it made none of its weights, or no run is recorded. ``outs`` are the
    run's outputs by the weights' paths in the artifact. ``converted`` are those that were converted
    from that output. ``notes`` say what is not from the run.
    """

    training: AttestedTraining | None = None
    outs: Mapping[str, DataFile] = field(default_factory=dict)
    converted: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def match_training(root: Path, folder: Path, artifact: Artifact) -> TrainingMatch:
    """Return what the run that is recorded in ``folder`` made of ``artifact``, which was built from
    the folder; ``root`` is the checkout.

    A run counts if an output of it has the digest of weights, or of the file that they were
    converted from. Nothing is recorded of a run that made other weights.

    Raises:
        SlipwayError: the record is damaged.
    """
    run = load_run(folder)
    if run is None:
        return TrainingMatch()
    manifest = artifact.manifest
    if run.model != manifest.name:
        note = f"the recorded training {run.id} is of {run.model}: the release names no training"
        return TrainingMatch(notes=(note,))
    by_md5 = {out.hash.removeprefix("md5:"): out for stage in run.stages for out in stage.outs}
    outs, converted = _match_weights(manifest, by_md5)
    folded = {name: md5 for name, md5 in manifest.folded_from().items() if md5 in by_md5}
    outs |= {name: by_md5[md5] for name, md5 in folded.items()}
    missing = sorted(set(manifest.weights) - set(outs))
    if not outs:
        return TrainingMatch(notes=(_not_from(run, manifest, missing),))
    subjects = {
        name: {"md5": str(manifest.weights[name]["md5"]).removesuffix(".dir")}
        for name in outs
        if name not in converted and name not in folded
    }
    subjects |= {f"{FOLDED}/{name}": {"md5": md5} for name, md5 in folded.items()}
    if converted and manifest.conversion is not None:
        source = manifest.conversion["source"]
        subjects[f"{ORIGINAL}/{source['name']}"] = {
            "md5": source["md5"],
            "sha256": source["sha256"],
        }
    notes = [f"{name} is not from the recorded training {run.id}" for name in missing]
    made, others = _match_sources(root, folder, manifest, run)
    notes += [
        f"{name} is packed with other bytes than the recorded training {run.id} wrote"
        for name in others
    ]
    data = [file for file in find_inputs(run) if not is_code(file)]
    sources = data_source.find_sources(root, data)
    record = run_path(folder).read_bytes()
    training = AttestedTraining(run, {**subjects, **made}, sources, record)
    return TrainingMatch(training, outs, frozenset(converted), tuple(notes))


def _match_weights(
    manifest: Manifest, by_md5: Mapping[str, DataFile]
) -> tuple[dict[str, DataFile], set[str]]:
    """Return the run's outputs by the weights' paths, and which of these are converted."""
    outs: dict[str, DataFile] = {}
    converted: set[str] = set()
    conversion = manifest.conversion or {}
    original = by_md5.get(conversion.get("source", {}).get("md5", ""))
    results = {entry["md5"] for entry in conversion.get("files", {}).values()}
    for name, weights in manifest.weights.items():
        if original is not None and weights["md5"] in results:
            outs[name] = original
            converted.add(name)
        elif weights["md5"] in by_md5:
            outs[name] = by_md5[weights["md5"]]
    return outs, converted


def _match_sources(
    root: Path, folder: Path, manifest: Manifest, run: TrainingRun
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the digests of packed files, without the weights, that the run wrote, and the names of
    those that it wrote with other bytes."""
    outs = {out.path: out for stage in run.stages for out in stage.outs}
    try:
        model = read_any_folder(folder)
        files = packed_sources(model)
    except SlipwayError:
        return {}, []
    made: dict[str, dict[str, str]] = {}
    others: list[str] = []
    for name, file in sorted(files.items()):
        resolved, base = file.resolve(), root.resolve()
        out = (
            outs.get(resolved.relative_to(base).as_posix())
            if resolved.is_relative_to(base)
            else None
        )
        if out is None or name not in manifest.sources:
            continue
        data = file.read_bytes()
        digests = {
            algorithm: hashlib.new(algorithm, data).hexdigest() for algorithm in ("md5", "sha256")
        }
        if out.hash == f"md5:{digests['md5']}" and manifest.sources[name] == digests["sha256"]:
            made[name] = digests
        else:
            others.append(name)
    return made, others


def _not_from(run: TrainingRun, manifest: Manifest, names: list[str]) -> str:
    if not names:
        return f"there are no weights that the recorded training {run.id} can have made"
    first, more = names[0], len(names) - 1
    digest = str(manifest.weights[first]["md5"])[:12]
    others = f" and {more} more" if more else ""
    return (
        f"these weights are not from the recorded training {run.id}: {first} (md5 {digest})"
        f"{others}; the release names no training"
    )
