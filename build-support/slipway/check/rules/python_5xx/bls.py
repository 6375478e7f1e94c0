"""SW54x: models that call other models (BLS)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.check.finding import Found
from slipway.check.flow import did_you_mean, listed
from slipway.check.python_code import Code, PythonModel, argument, asked_models
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.triton.config import ModelConfig

REQUEST = "Triton core, infer_request.cc"
SEEN = "seen on 24.10; Triton core, model_repository_manager.cc (FindModelIdentifier)"


@dataclass(frozen=True)
class Call:
    """One ``InferenceRequest`` to a model with a name that can be told, at ``node``."""

    model: PythonModel
    code: Code
    call: ast.Call
    node: ast.expr
    name: str


@rule(
    "SW541",
    "bls-unknown-model",
    reason="each request fails: “Model … is not ready”; or another artifact's model of that name"
    " answers",
    source=SEEN,
)
def unknown_model(subject: Subject) -> Iterator[Found]:
    """A call to a model that is not in the folder."""
    for each in _first(_calls(subject)):
        if each.name not in subject.configs:
            others = [name for name in subject.configs if name != each.model.config.name]
            yield Found(
                each.code.place(each.node),
                f"no model {each.name!r} in {subject.folder}/",
                did_you_mean(each.name, others, f"add {subject.folder}/{each.name}/"),
            )


@rule(
    "SW542",
    "bls-not-loaded",
    reason="each request fails: “Model … is not ready”; an endpoint loads an ensemble's steps only",
    source=SEEN,
)
def not_loaded(subject: Subject) -> Iterator[Found]:
    """A call to a model that is no step of the ensemble, and that nothing loads."""
    steps = {
        step.model_name
        for _, message in subject.parsed.values()
        for step in message.ensemble_scheduling.step
    }
    for each in _first(_calls(subject)):
        loaded = _loaded(each.model)
        if each.name in subject.configs and each.name not in {*steps, each.model.config.name}:
            if loaded is not None and each.name not in loaded:
                yield Found(
                    each.code.place(each.node),
                    f"{each.name!r} is no step of the ensemble, and is not loaded",
                    f'pb_utils.load_model("{each.name}") in initialize',
                )


@rule(
    "SW543",
    "bls-shared-name",
    reason="with two releases loaded, requests to both fail: the name stands for two models",
    source=SEEN + "; calls between models know no namespace",
    severity="warning",
)
def shared_name(subject: Subject) -> Iterator[Found]:
    """A called model whose name does not tell the release: the next one has it, too."""
    version = _release(subject)
    if version is None:
        return
    told = "_".join(version)
    carries = re.compile(rf"(?<!\d){'[._-]'.join(version)}(?!\d)")
    for each in _first(_calls(subject)):
        served = subject.served is not None and subject.served.name == each.name
        if each.name in subject.configs and not served and not carries.search(each.name):
            yield Found(
                each.code.place(each.node),
                f"the next release calls {each.name!r}, too",
                f"put the release version into the model's name: {each.name}_{told}",
            )


@rule(
    "SW544",
    "bls-unknown-output",
    reason="each request fails: “unexpected inference output”",
    source=REQUEST,
)
def unknown_output(subject: Subject) -> Iterator[Found]:
    """An output asked of a called model that it does not have."""
    for each, child in _known(subject):
        outputs = [output.name for output in child.output]
        asked = argument(each.call, 3, "requested_output_names")
        for node in asked.elts if isinstance(asked, ast.List | ast.Tuple) else ():
            name = each.code.text(node)
            if name is not None and name not in outputs:
                yield Found(
                    each.code.place(node),
                    f"{each.name} has no output {name!r}",
                    did_you_mean(name, outputs, f"its outputs are: {listed(outputs)}"),
                )


@rule(
    "SW545",
    "bls-unknown-input",
    reason="each request fails: “unexpected inference input” or “missing required input”",
    source=REQUEST,
)
def unknown_input(subject: Subject) -> Iterator[Found]:
    """An input handed to a called model that it does not have, or a required one left out."""
    for each, child in _known(subject):
        inputs = {tensor.name: tensor for tensor in child.input}
        given = argument(each.call, 2, "inputs")
        if not isinstance(given, ast.List):
            continue
        names = [_tensor_name(each, node) for node in given.elts]
        wrong = 0
        for node, name in zip(given.elts, names, strict=True):
            if name is not None and name not in inputs:
                wrong += 1
                yield Found(
                    each.code.place(node),
                    f"{each.name} has no input {name!r}",
                    did_you_mean(name, inputs, f"its inputs are: {listed(inputs)}"),
                )
        if None in names or wrong:
            continue
        for name, tensor in inputs.items():
            if name not in names and not tensor.optional:
                yield Found(
                    each.code.place(given),
                    f"{each.name} needs an input {name!r}",
                    f'pb_utils.Tensor("{name}", …) among the inputs',
                )


def _calls(subject: Subject) -> Iterator[Call]:
    for model in asked_models(subject):
        for code in model.codes:
            for _, call in code.calls("InferenceRequest"):
                node = argument(call, 4, "model_name")
                name = code.text(node)
                if node is not None and name is not None:
                    yield Call(model, code, call, node, name)


def _first(calls: Iterator[Call]) -> Iterator[Call]:
    """Of the calls to one model in one file, the first one."""
    seen = set()
    for each in calls:
        if (each.code.path, each.name) not in seen:
            seen.add((each.code.path, each.name))
            yield each


def _known(subject: Subject) -> Iterator[tuple[Call, ModelConfig]]:
    """The calls whose model is here, with its config, if that has inputs and outputs."""
    for each in _calls(subject):
        known = subject.parsed.get(each.name)
        if known is not None and known[1].input and known[1].output:
            yield each, known[1]


def _loaded(model: PythonModel) -> set[str] | None:
    """The models that it loads by name; ``None`` where a name cannot be told."""
    names = set()
    for code in model.codes:
        for _, call in code.calls("load_model"):
            name = code.text(argument(call, 0, "model_name"))
            if name is None:
                return None
            names.add(name)
    return names


def _release(subject: Subject) -> list[str] | None:
    """The numbers of the release version, if it has them."""
    if not subject.version_file.is_file():
        return None
    text = subject.version_file.read_text(encoding="utf-8", errors="replace").strip()
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return list(found.groups()) if found else None


def _tensor_name(each: Call, node: ast.expr) -> str | None:
    """The name of a tensor that is made here, or in the same function."""
    tensors = [call for _, call in each.code.calls("Tensor", "Tensor.from_dlpack")]
    if isinstance(node, ast.Name):
        values = [
            at.value
            for at in ast.walk(each.code.function_of(each.call))
            if isinstance(at, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == node.id for target in at.targets)
        ]
        node = values[0] if len(values) == 1 else node
    return (
        each.code.text(argument(node, 0, "name"))
        if node in tensors and isinstance(node, ast.Call)
        else None
    )
