"""The steps of a training as a container runs them: ``python -m slipway.pipeline.retraining.step
STEP [NAME=VALUE…]``, with SageMaker's folders (:mod:`slipway.training.container.folders`).

``train`` and ``evaluate`` run stages. ``compare`` writes ``comparison.json`` and the run's record,
``propose`` opens the merge request and writes ``proposal.json``, both into the job's output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slipway import settings
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.pipeline.retraining.compare import COMPARISON, compare_run
from slipway.pipeline.retraining.proposal import Options, propose_result
from slipway.pipeline.retraining.result import of_folder
from slipway.store.open import open_stage
from slipway.training.container.evaluate import evaluate
from slipway.training.container.folders import ContainerFolders, container_folders, parse_values
from slipway.training.container.step import failure_written
from slipway.training.container.train import train
from slipway.training.results import RUN
from slipway.training.run import dump_run

PROPOSAL = "proposal.json"


def run_train(values: Mapping[str, str]) -> None:
    """Train; a training job's values are its hyperparameters."""
    train(values or None)


def run_evaluate(values: Mapping[str, str]) -> None:
    """Measure what was trained."""
    evaluate(values)


def run_compare(values: Mapping[str, str]) -> None:
    """Compare what was measured with the release in production."""
    folders, work = container_folders(), Path.cwd()
    with failure_written(folders):
        name = _model(values)
        run = of_folder(folders.processing_input("evaluation"), name).run
        production = open_stage(settings.load(work), "production")
        comparison = compare_run(work / "models" / name, run, production)
        _write(folders, COMPARISON, comparison.dump())
        _write(folders, RUN, dump_run(replace(run, compared=comparison.compared())))
    print(f"{name}: {comparison.verdict}: {comparison.why}", flush=True)


def run_propose(values: Mapping[str, str]) -> None:
    """Open the merge request, or move it to this run."""
    folders = container_folders()
    with failure_written(folders):
        result = of_folder(folders.processing_input("evaluation"), _model(values))
        made = propose_result(result, os.environ, Options())
        keys = ("model", "state", "branch", "title", "text", "commit")
        document = {key: getattr(made, key) for key in keys} | {"merge_request": made.link}
        _write(folders, PROPOSAL, json.dumps(document, indent=1, sort_keys=True) + "\n")
    print(f"{made.model}: {made.state}: {made.link or made.branch}", flush=True)


def run_promote(values: Mapping[str, str]) -> None:
    """Release in production what staging tested, as the DAG ``deploy`` does."""
    _slipway("promote", _model(values), values.get("target", ""))


def run_smoke(values: Mapping[str, str]) -> None:
    """Send the golden cases to production's endpoint."""
    _slipway("smoke", _model(values), "--endpoint", "production")


STEPS: Mapping[str, Callable[[Mapping[str, str]], None]] = {
    "train": run_train,
    "evaluate": run_evaluate,
    "compare": run_compare,
    "propose": run_propose,
    "promote": run_promote,
    "smoke": run_smoke,
}


def main(arguments: Sequence[str]) -> None:
    """Run the step that the first argument names.

    Raises:
        SlipwayError: there is no such step, or it failed.
    """
    name = arguments[0] if arguments else ""
    if name not in STEPS:
        raise SlipwayError(f"no step {name!r}", fix=f"name one of: {', '.join(STEPS)}")
    STEPS[name](parse_values(arguments[1:]))


def _slipway(*words: str) -> None:
    """Run the command; its error is the step's."""
    with failure_written(container_folders()):
        done = subprocess.run(
            [sys.executable, "-m", "slipway", *words], stderr=subprocess.PIPE, encoding="utf-8"
        )
        print(done.stderr, file=sys.stderr, end="", flush=True)
        if done.returncode:
            what, _, fix = done.stderr.strip().removeprefix("error: ").partition("\nfix: ")
            raise SlipwayError(
                what[-800:] or f"slipway {words[0]} exits with {done.returncode}", fix=fix or None
            )


def _model(values: Mapping[str, str]) -> str:
    name = values.get("model")
    if not name or "/" in name or name.startswith("."):
        raise SlipwayError("the job names no model", fix="start it with model=NAME")
    return name


def _write(folders: ContainerFolders, name: str, text: str) -> None:
    with atomic_write(folders.processing_output / name) as temporary:
        temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except SlipwayError as problem:
        sys.exit(f"error: {problem}")
