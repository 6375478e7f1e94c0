"""What folding a model would change: decided and compared before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.fold import ensemble as ensembles
from slipway.fold.compare import compare_graphs
from slipway.fold.ensemble import PYTHON, Ensemble
from slipway.fold.merge import merge
from slipway.fold.python_model import PythonModel
from slipway.fold.standalone import compare
from slipway.fold.trace import Traced, trace
from slipway.fold.wiring import (
    find_inferencer,
    joined_step,
    other_steps,
    passed_on,
    refusal,
    renamed_tensor,
    wire,
)
from slipway.model.folded import fold_sources
from slipway.settings import Settings
from slipway.triton import config
from slipway.triton.config import FILE_NAME

DEFAULT_FILE = "model.onnx"


@dataclass(frozen=True)
class Plan:
    """The parts of a fold.

    ``step`` is the model that goes, ``texts`` are new configs by model. ``inferencer`` and
    ``graph`` are empty where the step only passes tensors on: the weights stay as they are then.
    ``compared`` requests were answered alike by the code and the graph, ``operators`` are those of
    the graph that took its place.
    """

    step: str
    ensemble: str
    texts: Mapping[str, str]
    inferencer: str = ""
    file: str = ""
    graph: bytes = b""
    compared: int = 0
    operators: tuple[str, ...] = ()
    passed: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True


def model_folders(folder: Path) -> dict[str, Path]:
    """Return the folder of each Triton model, those below ``folded/`` before those served."""
    served = {file.parent.name: file.parent for file in sorted(folder.glob(f"*/{FILE_NAME}"))}
    return served | fold_sources(folder)


def make_plan(folder: Path, settings: Settings, weights: Any, step: str | None = None) -> Plan:
    """Return what folding the model folder ``folder`` changes.

    ``weights`` returns the path of a graph that may be under DVC. ``step`` is the model to fold,
    by default the Python model that comes last.

    Raises:
        SlipwayError: something cannot be folded; names file, line and what to write instead.
    """
    folders = model_folders(folder)
    ensemble = _ensemble(folder, folders)
    name = step or ensembles.find_step(ensemble)
    model, traced = _traced(ensemble, folders, name)
    compared = compare(model, traced)
    renamed = passed_on(ensemble, name, traced)
    if len(renamed) == len(traced.outputs):
        steps = other_steps(ensemble, name, renamed)
        texts = {_name(ensemble): ensembles.without_step(ensemble, name, steps)}
        return Plan(name, _name(ensemble), texts, compared=compared, passed=renamed)
    return _with_graph(ensemble, folders, name, model, traced, renamed, settings, weights)


def can_fold(folder: Path) -> bool:
    """Return whether the last Python model of ``folder`` seems to be one that can be folded.

    Its code runs once with symbols. Neither answers nor weights are looked at.
    """
    try:
        folders = model_folders(folder)
        ensemble = _ensemble(folder, folders)
        name = ensembles.find_step(ensemble)
        _, traced = _traced(ensemble, folders, name)
        if len(passed_on(ensemble, name, traced)) < len(traced.outputs):
            find_inferencer(ensemble, name)
    except SlipwayError:
        return False
    return True


def _traced(
    ensemble: Ensemble, folders: Mapping[str, Path], name: str
) -> tuple[PythonModel, Traced]:
    ensemble.step(name)
    model = PythonModel(folders[name])
    if ensemble.models[name].backend != PYTHON:
        raise refusal(ensemble, f"{name} is no Python model", "name the postprocessing: --step")
    _refuse_config(folders[name] / FILE_NAME, ensemble.models[name])
    return model, trace(model)


def _with_graph(
    ensemble: Ensemble,
    folders: Mapping[str, Path],
    name: str,
    model: PythonModel,
    traced: Traced,
    renamed: Mapping[str, str],
    settings: Settings,
    weights: Any,
) -> Plan:
    inferencer = find_inferencer(ensemble, name)
    before = ensemble.models[inferencer]
    _refuse_config(folders[inferencer] / FILE_NAME, before)
    if before.max_batch_size != model.config.max_batch_size:
        raise SlipwayError(
            f"cannot be folded: max_batch_size is {before.max_batch_size} in {inferencer}, and"
            f" {model.config.max_batch_size} in {name}",
            where=str(folders[name] / FILE_NAME),
            fix=f"max_batch_size: {before.max_batch_size}",
        )
    file = f"1/{before.default_model_filename or DEFAULT_FILE}"
    wiring = wire(ensemble, name, inferencer, traced, renamed)
    source = weights(folders[inferencer] / file)
    releases = (settings.triton_release, settings.test_release)
    merged = merge(source, traced, wiring, releases)
    compared = compare_graphs(source, merged, wiring, model, traced)
    steps = other_steps(ensemble, name, renamed)
    steps[inferencer] = joined_step(ensemble, name, wiring, renamed, steps[inferencer])
    dropped = [tensor.name for tensor in before.output if tensor.name not in wiring.kept]
    texts = {
        _name(ensemble): ensembles.without_step(ensemble, name, steps),
        inferencer: ensembles.with_tensors(
            folders[inferencer] / FILE_NAME,
            dropped,
            [renamed_tensor(wiring.inputs[post], new) for post, new in wiring.new_inputs.items()],
            [renamed_tensor(wiring.outputs[post], new) for post, new in wiring.new_outputs.items()],
        ),
    }
    return Plan(
        name,
        _name(ensemble),
        texts,
        inferencer,
        file,
        merged.SerializeToString(deterministic=True),
        compared,
        tuple(node.op_type for node in traced.builder.nodes),
        renamed,
        traced.exact,
    )


def _ensemble(folder: Path, folders: Mapping[str, Path]) -> Ensemble:
    files = [
        path / FILE_NAME
        for path in folders.values()
        if config.load_config(path / FILE_NAME).platform == "ensemble"
    ]
    if len(files) != 1:
        raise SlipwayError(
            "cannot be folded: the model is no ensemble",
            where=str(folder),
            fix="only a step of an ensemble can be folded into the step before it",
        )
    return ensembles.read_ensemble(files[0], folders)


def _name(ensemble: Ensemble) -> str:
    return ensemble.file.parent.name


def _refuse_config(file: Path, message: Any) -> None:
    for used, what in (
        (message.HasField("sequence_batching"), "sequence_batching"),
        (message.model_transaction_policy.decoupled, "decoupled"),
        (len(message.batch_input) + len(message.batch_output), "batch_input"),
        (len(message.model_warmup), "model_warmup"),
        (any(t.allow_ragged_batch or t.optional for t in message.input), "an optional input"),
        (any(t.HasField("reshape") for t in (*message.input, *message.output)), "reshape"),
    ):
        if used:
            raise SlipwayError(
                f"cannot be folded: the config has {what}",
                where=str(file),
                fix=f"leave the postprocessing as it is, or remove {what}",
            )
