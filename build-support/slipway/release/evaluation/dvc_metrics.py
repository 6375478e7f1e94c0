"""Read the metrics that a model's training wrote, from the files that ``dvc.yaml`` names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.errors import SlipwayError

Metrics = dict[str, float]


def read_dvc_metrics(
    folder: Path, artifact: Artifact | None, files: Sequence[str] | None
) -> tuple[dict[str, Metrics], list[str]]:
    """Return the numbers in each of ``files``, by the file's name in ``folder``, flattened as DVC
    does, and notes about the files that were left out. Without ``files``, read all metrics files
    below ``folder`` that DVC tracks.

    A file is left out if it differs from ``dvc.lock``, or was measured with other weights than
    ``artifact`` holds. The latter is known from ``dvc.lock``: stages have outputs with the name of
    the weights, and none of them has the weights' md5.

    Raises:
        SlipwayError: a named file is missing, or a file cannot be read.
    """
    root = settings.load(folder).root
    if not (files or (root / ".dvc").is_dir()):
        return {}, []
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        # like the command; named files are read without a DVC repository, too
        with Repo(str(root), uninitialized=True) as repo:
            return _read(repo, folder.resolve(), artifact, files)
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot read the metrics: {error}", where=str(folder), fix="dvc metrics show"
        ) from error


def _read(
    repo: Any, folder: Path, artifact: Artifact | None, files: Sequence[str] | None
) -> tuple[dict[str, Metrics], list[str]]:
    from dvc.utils.flatten import flatten

    outputs = {Path(out.fs_path): out for out in repo.index.metrics}
    if files is None:
        chosen = sorted(path for path in outputs if path.is_relative_to(folder))
    else:
        chosen = [folder / file for file in files]
    outs = [out for out in repo.index.outs if Path(out.fs_path).is_relative_to(folder)]
    metrics, notes = {}, []
    for path in chosen:
        problem = _exclusion_reason(outputs[path], outs, artifact) if path in outputs else None
        name = path.relative_to(folder).as_posix()
        if problem is not None:
            notes.append(f"{name} is left out: {problem}")
            continue
        report = repo.metrics.show(targets=[str(path)], on_error="return")
        (result,) = report[""]["data"].values()
        if "error" in result:
            raise SlipwayError(
                f"no metrics: {result['error']}", where=str(path), fix="run dvc repro"
            )
        values = flatten(result["data"])
        metrics[name] = {k: float(v) for k, v in values.items() if isinstance(v, int | float)}
    return metrics, notes


def _exclusion_reason(metrics: Any, outs: Sequence[Any], artifact: Artifact | None) -> str | None:
    """Return why the stage output ``metrics`` does not belong to ``artifact``, ``None`` if it does;
    ``outs`` are the model's outputs."""
    if not metrics.exists:
        return "the file is missing: dvc repro, or dvc pull"
    if metrics.changed_checksum():
        return "dvc.lock has it with another md5: dvc repro"
    produced = [out for out in outs if not out.stage.is_data_source]
    for path, packed in _trained(artifact).items():
        digests = [
            out.hash_info.value for out in produced if Path(out.fs_path).name == Path(path).name
        ]
        if digests and packed not in digests:
            return (
                f"by dvc.lock, the training wrote another {Path(path).name} (md5 {digests[0]}) than"
                f" the artifact holds (md5 {packed}): slipway weights add the new one"
            )
    return None


def _trained(artifact: Artifact | None) -> dict[str, str]:
    """Return the MD5 of each weights file of an artifact; of a folded graph, that of the graph
    which was folded, as a training writes that one."""
    if artifact is None:
        return {}
    served = {path: packed["md5"] for path, packed in artifact.manifest.weights.items()}
    return served | artifact.manifest.folded_from()
