"""What folding a model would change: decided and compared before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.fold import ensemble as ensembles
from slipway.fold.compare import compare_graphs
from slipway.fold.ensemble import ONNX, PYTHON, Ensemble
from slipway.fold.merge import Wiring, merge
from slipway.fold.python_model import PythonModel
from slipway.fold.standalone import compare
from slipway.fold.trace import Traced, trace
from slipway.model.folded import fold_sources
from slipway.settings import Settings
from slipway.triton import config
from slipway.triton.config import FILE_NAME, schema

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
    ensemble.step(name)
    model = PythonModel(folders[name])
    if ensemble.models[name].backend != PYTHON:
        raise _refusal(ensemble, f"{name} is no Python model", "name the postprocessing: --step")
    _refuse_config(folders[name] / FILE_NAME, ensemble.models[name])
    traced = trace(model)
    compared = compare(model, traced)
    renamed = _renamed(ensemble, name, traced)
    if len(renamed) == len(traced.outputs):
        texts = {
            _name(ensemble): ensembles.without_step(ensemble, name, _steps(ensemble, name, renamed))
        }
        return Plan(name, _name(ensemble), texts, compared=compared, passed=renamed)
    return _with_graph(ensemble, folders, name, model, traced, renamed, settings, weights)


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
    inferencer = _inferencer(ensemble, name)
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
    wiring = _wiring(ensemble, name, inferencer, traced, renamed)
    source = weights(folders[inferencer] / file)
    releases = (settings.triton_release, settings.test_release)
    merged = merge(source, traced, wiring, releases)
    compared = compare_graphs(source, merged, wiring, model, traced)
    steps = _steps(ensemble, name, renamed)
    steps[inferencer] = _joined(ensemble, name, wiring, renamed, steps[inferencer])
    dropped = [tensor.name for tensor in before.output if tensor.name not in wiring.kept]
    texts = {
        _name(ensemble): ensembles.without_step(ensemble, name, steps),
        inferencer: ensembles.with_tensors(
            folders[inferencer] / FILE_NAME,
            dropped,
            [_tensor(wiring.inputs[post], new) for post, new in wiring.new_inputs.items()],
            [_tensor(wiring.outputs[post], new) for post, new in wiring.new_outputs.items()],
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


def _refusal(ensemble: Ensemble, what: str, fix: str) -> SlipwayError:
    return SlipwayError(f"cannot be folded: {what}", where=str(ensemble.file), fix=fix)


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


def _renamed(ensemble: Ensemble, name: str, traced: Traced) -> dict[str, str]:
    """Return tensors of the ensemble that the step passes on, by what they become.

    The step before writes them under the new name. Inputs of the ensemble cannot be its outputs.
    """
    step = ensemble.step(name)
    renamed: dict[str, str] = {}
    for output, source in traced.passed.items():
        tensor = step.input_map[source]
        answer = step.output_map.get(output)
        free = ensemble.producer(tensor) is not None and not ensemble.is_answer(tensor)
        if answer and free and tensor not in renamed.values():
            renamed[answer] = tensor
    return renamed


def _steps(ensemble: Ensemble, name: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return the other steps, in which the tensors have their new names."""
    new = {old: answer for answer, old in renamed.items()}
    changed: dict[str, Any] = {}
    for step in ensemble.steps:
        copy = schema().ModelEnsembling.Step()
        copy.CopyFrom(step)
        for entries in (copy.input_map, copy.output_map):
            for key, value in list(entries.items()):
                entries[key] = new.get(value, value)
        if step.model_name != name:
            changed[step.model_name] = copy
    return changed


def _inferencer(ensemble: Ensemble, name: str) -> str:
    """Return the ONNX model before the step; others that write for it must not depend on it."""
    step = ensemble.step(name)
    producers = {
        producer.model_name
        for tensor in step.input_map.values()
        if (producer := ensemble.producer(tensor)) is not None
        and ensemble.models[producer.model_name].backend == ONNX
    }
    if len(producers) != 1:
        found = " and ".join(sorted(producers)) or "no ONNX model"
        raise _refusal(
            ensemble,
            f"{found} comes before {name}, and an ONNX graph is needed to fold it into",
            "leave the postprocessing as it is",
        )
    inferencer = str(next(iter(producers)))
    for tensor in step.input_map.values():
        producer = ensemble.producer(tensor)
        mine = producer is not None and producer.model_name == inferencer
        if not mine and ensemble.depends(tensor, inferencer):
            raise _refusal(
                ensemble,
                f"{name} reads {tensor!r} as well, which is computed behind {inferencer}",
                "leave the postprocessing as it is",
            )
    ensemble.step(inferencer)
    return inferencer


def _wiring(
    ensemble: Ensemble, name: str, inferencer: str, traced: Traced, renamed: Mapping[str, str]
) -> Wiring:
    step, before = ensemble.step(name), ensemble.step(inferencer)
    written = {tensor: output for output, tensor in before.output_map.items()}
    folded = [post for post in traced.outputs if step.output_map.get(post) not in renamed]
    used = _used(traced, folded)
    fed = {post: written[t] for post, t in step.input_map.items() if t in written and post in used}
    kept = tuple(
        output
        for output, tensor in before.output_map.items()
        if tensor in renamed.values()
        or ensemble.is_answer(tensor)
        or ensemble.readers(tensor, name)
    )
    taken = {*kept, *before.input_map}
    new_inputs: dict[str, str] = {}
    for post in step.input_map:
        if post not in fed and post in used:
            new_inputs[post] = _free(post, taken)
    new_outputs = {post: _free(post, taken) for post in folded}
    message = ensemble.models[name]
    return Wiring(
        fed,
        new_inputs,
        new_outputs,
        kept,
        {tensor.name: tensor for tensor in message.input},
        {tensor.name: tensor for tensor in message.output},
        message.max_batch_size > 0,
    )


def _used(traced: Traced, outputs: list[str]) -> set[str]:
    found = {traced.outputs[post] for post in outputs}
    for node in reversed(traced.builder.nodes):
        if found & {*node.output}:
            found |= {*node.input}
    return found & set(traced.inputs)


def _free(name: str, taken: set[str]) -> str:
    chosen, number = name, 1
    while chosen in taken:
        number += 1
        chosen = f"{name}_{number}"
    taken.add(chosen)
    return chosen


def _joined(
    ensemble: Ensemble, name: str, wiring: Wiring, renamed: Mapping[str, str], copy: Any
) -> Any:
    """Return the inferencer's step with the tensors of the folded one."""
    step = ensemble.step(name)
    answers = {tensor: answer for answer, tensor in renamed.items()}
    for post, new in wiring.new_inputs.items():
        tensor = step.input_map[post]
        copy.input_map[new] = answers.get(tensor, tensor)
    for output in list(copy.output_map):
        if output not in wiring.kept:
            del copy.output_map[output]
    for post, new in wiring.new_outputs.items():
        if post in step.output_map:
            copy.output_map[new] = step.output_map[post]
    return copy


def _tensor(tensor: Any, name: str) -> Any:
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
