"""The stages of ``dvc.yaml`` that train each model: ``python -m slipway.pipeline.training`` prints
a line ``MODEL STAGE`` for each of them; with ``--drifted drift.json`` only those of models that
``slipway drift`` found to have drifted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slipway import settings
from slipway.errors import SlipwayError
from slipway.pipeline.drifted import drifted_models


def training_stages(root: Path) -> dict[str, list[str]]:
    """Return the stages of each model, as ``dvc repro`` takes them.

    A stage belongs to the model whose folder it writes to, whatever its name is, and in whichever
    ``dvc.yaml`` it is. A stage that writes below no model, or below several, belongs to none: it
    runs if a model's stage depends on it.

    Raises:
        SlipwayError: DVC cannot read the stages.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    found: dict[str, list[str]] = {}
    try:
        with Repo(str(root)) as repo:
            for stage in repo.index.stages:
                models = _models_written(root / "models", stage)
                if not stage.is_data_source and len(models) == 1:
                    file, name = stage.path_in_repo, stage.name
                    address = name if file == "dvc.yaml" else f"{file}:{name}"
                    found.setdefault(models.pop(), []).append(address)
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"DVC cannot read the stages: {error}", where=str(root), fix="run dvc stage list"
        ) from error
    return {model: sorted(stages) for model, stages in sorted(found.items())}


def _models_written(models: Path, stage: Any) -> set[str]:
    paths = [Path(out.fs_path) for out in stage.outs] or [Path(stage.wdir)]
    return {path.relative_to(models).parts[0] for path in paths if models in path.parents}


def main(arguments: Sequence[str]) -> None:
    """Print the stages; say on standard error which models that drifted have none."""
    stages = training_stages(settings.load(Path.cwd()).root)
    names = list(stages)
    if arguments[:1] == ["--drifted"]:
        names = drifted_models(Path(arguments[1]))
        print(f"drifted: {', '.join(names) or 'no model'}", file=sys.stderr)
    for name in names:
        if name not in stages:
            print(f"{name}: no stage of dvc.yaml trains it", file=sys.stderr)
        for stage in stages.get(name, ()):
            print(name, stage)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
