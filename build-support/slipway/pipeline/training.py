"""The stages of ``dvc.yaml`` that train each model: ``python -m slipway.pipeline.training`` prints
a line ``MODEL STAGE`` for each of them; with ``--drifted drift.json`` only those of models that
``slipway drift`` found to have drifted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from slipway import settings
from slipway.errors import SlipwayError
from slipway.pipeline.drifted import drifted_models
from slipway.training.stages import training_stages


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
