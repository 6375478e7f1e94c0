"""A model's metrics as DVC has them: files that ``dvc.yaml`` names, made by the training."""

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
    """The numbers in each of ``files``, by the file's name in ``folder``, flattened as DVC does;
    without ``files``, of those below ``folder`` that DVC knows. Then why any were left out.

    Left out is a file that is not as ``dvc.lock`` has it, and one measured with other weights than
    ``artifact`` holds, as far as ``dvc.lock`` tells: a stage's output is called as the weights
    are, and none that is has their md5.

    Raises:
        SlipwayError: a file that is named is missing, or one cannot be read.
    """
    root = settings.load(folder).root
    if not (files or (root / ".dvc").is_dir()):
        return {}, []
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        # as the command opens it; a repository without DVC will do for a file that is named
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

    known = {Path(out.fs_path): out for out in repo.index.metrics}
    if files is None:
        chosen = sorted(path for path in known if path.is_relative_to(folder))
    else:
        chosen = [folder / file for file in files]
    outs = [out for out in repo.index.outs if Path(out.fs_path).is_relative_to(folder)]
    found, notes = {}, []
    for path in chosen:
        why = _left_out(known[path], outs, artifact) if path in known else None
        name = path.relative_to(folder).as_posix()
        if why is not None:
            notes.append(f"{name} is left out: {why}")
            continue
        shown = repo.metrics.show(targets=[str(path)], on_error="return")
        (result,) = shown[""]["data"].values()
        if "error" in result:
            raise SlipwayError(
                f"no metrics: {result['error']}", where=str(path), fix="run dvc repro"
            )
        values = flatten(result["data"])
        found[name] = {k: float(v) for k, v in values.items() if isinstance(v, int | float)}
    return found, notes


def _left_out(metrics: Any, outs: Sequence[Any], artifact: Artifact | None) -> str | None:
    """Return why the output ``metrics`` of a stage is not of ``artifact``; ``outs`` are the
    model's."""
    if not metrics.exists:
        return "it is not here: dvc repro, or dvc pull"
    if metrics.changed_checksum():
        return "dvc.lock has it with another md5: dvc repro"
    made = [out for out in outs if not out.stage.is_data_source]
    weights = {} if artifact is None else artifact.manifest.weights
    for place, packed in weights.items():
        named = [out.hash_info.value for out in made if Path(out.fs_path).name == Path(place).name]
        if named and packed["md5"] not in named:
            return (
                f"by dvc.lock the training made another {Path(place).name} (md5 {named[0]}) than"
                f" the artifact holds (md5 {packed['md5']}): slipway weights add the new one"
            )
    return None
