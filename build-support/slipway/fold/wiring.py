"""How tensors run through an ensemble once a step is part of the graph before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipway.errors import SlipwayError
from slipway.fold.ensemble import ONNX, Ensemble
from slipway.fold.merge import Wiring
from slipway.fold.trace import Traced
from slipway.triton.config import schema


def refusal(ensemble: Ensemble, what: str, fix: str) -> SlipwayError:
    """Return the error about an ensemble that cannot be folded."""
    return SlipwayError(f"cannot be folded: {what}", where=str(ensemble.file), fix=fix)


def passed_on(ensemble: Ensemble, name: str, traced: Traced) -> dict[str, str]:
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


def other_steps(ensemble: Ensemble, name: str, renamed: Mapping[str, str]) -> dict[str, Any]:
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


def find_inferencer(ensemble: Ensemble, name: str) -> str:
    """Return the ONNX model before the step; others that write for it must not depend on it.

    Raises:
        SlipwayError: there is none, or there are several, or another one depends on it.
    """
    step = ensemble.step(name)
    producers = {
        producer.model_name
        for tensor in step.input_map.values()
        if (producer := ensemble.producer(tensor)) is not None
        and ensemble.models[producer.model_name].backend == ONNX
    }
    if len(producers) != 1:
        found = " and ".join(sorted(producers)) or "no ONNX model"
        raise refusal(
            ensemble,
            f"{found} comes before {name}, and an ONNX graph is needed to fold it into",
            "leave the postprocessing as it is",
        )
    inferencer = str(next(iter(producers)))
    for tensor in step.input_map.values():
        producer = ensemble.producer(tensor)
        mine = producer is not None and producer.model_name == inferencer
        if not mine and ensemble.depends(tensor, inferencer):
            raise refusal(
                ensemble,
                f"{name} reads {tensor!r} as well, which is computed behind {inferencer}",
                "leave the postprocessing as it is",
            )
    ensemble.step(inferencer)
    return inferencer


def wire(
    ensemble: Ensemble, name: str, inferencer: str, traced: Traced, renamed: Mapping[str, str]
) -> Wiring:
    """Return how the tensors of the step become those of the ``inferencer``."""
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


def joined_step(
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


def renamed_tensor(tensor: Any, name: str) -> Any:
    """Return a tensor of a config under another name."""
    copy = type(tensor)()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy
