"""SW54x: models that call other models (BLS)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from slipway.check.finding import Location, RuleHit
from slipway.check.fix.rename_model import rename_model
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import PythonCode, argument
from slipway.check.python.model import PythonModel, models_with_requests
from slipway.check.rule import rule
from slipway.check.tensors.flow import did_you_mean, listed
from slipway.triton.config import ModelConfig
from slipway.unchanged import read_text

REQUEST = "Triton core, infer_request.cc"
# the version of another release at the end of a name
RELEASE_SUFFIX = re.compile(r"[._-]\d+[._-]\d+[._-]\d+$")
SEEN = "seen on 24.10; Triton core, model_repository_manager.cc (FindModelIdentifier)"


@dataclass(frozen=True)
class BlsCall:
    """One ``InferenceRequest`` to the model ``name``, which the expression ``name_node`` gives."""

    caller: PythonModel
    code: PythonCode
    node: ast.Call
    name_node: ast.expr
    name: str

    @property
    def location(self) -> Location:
        """Return where the model is named."""
        return self.code.location(self.name_node)


@rule(
    "SW541",
    "bls-unknown-model",
    reason="each request fails: “Model … is not ready”; or another artifact's model of that name"
    " answers",
    source=SEEN,
)
def unknown_model(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find calls to a model that is not in the folder."""
    for call in _first_calls(bls_calls(model)):
        if call.name not in model.model_names:
            others = [name for name in model.configs if name != call.caller.config.name]
            yield RuleHit(
                call.location,
                f"no model {call.name!r} in {model.folder}/",
                did_you_mean(call.name, others, f"add {model.folder}/{call.name}/"),
            )


@rule(
    "SW542",
    "bls-not-loaded",
    reason="each request fails: “Model … is not ready”; an endpoint loads only an ensemble's steps",
    source=SEEN,
)
def not_loaded(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find calls to a model that is not a step of the ensemble, and that no code loads."""
    for call in _first_calls(bls_calls(model)):
        loaded = _loaded_models(call.caller)
        served = {*model.step_names, call.caller.config.name}
        if call.name not in model.configs or call.name in served:
            continue
        if loaded is not None and call.name not in loaded:
            yield RuleHit(
                call.location,
                f"{call.name!r} is not a step of the ensemble, and is not loaded",
                f'call pb_utils.load_model("{call.name}") in initialize',
            )


@rule(
    "SW543",
    "bls-shared-name",
    scope="slipway",
    reason="with two releases loaded, requests to both fail: the name is ambiguous",
    source=SEEN + "; calls between models know no namespace",
    severity="warning",
)
def shared_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find called models whose name lacks the release version: the next release has it as well."""
    version = _release_numbers(model)
    if version is None:
        return
    suffix = "_".join(version)
    with_version = re.compile(rf"(?<!\d){'[._-]'.join(version)}(?!\d)")
    for call in _first_calls(bls_calls(model)):
        served = model.served is not None and model.served.name == call.name
        if call.name in model.configs and not served and not with_version.search(call.name):
            new = f"{RELEASE_SUFFIX.sub('', call.name)}_{suffix}"
            renaming = rename_model(model, call.name, new)
            also = f"; look at {renaming.uncertain[0]} too" if renaming.uncertain else ""
            is_certain = not renaming.uncertain and new not in model.model_names
            yield RuleHit(
                call.location,
                f"the next release also calls a model {call.name!r}",
                f"put the release version into the model's name: {new}{also}",
                renaming.fixes if is_certain else (),
            )


@rule(
    "SW544",
    "bls-unknown-output",
    reason="each request fails: “unexpected inference output”",
    source=REQUEST,
)
def unknown_output(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find requested outputs that the called model does not have."""
    for call, callee in _calls_to_known_models(model):
        outputs = [output.name for output in callee.output]
        requested = argument(call.node, 3, "requested_output_names")
        for node in requested.elts if isinstance(requested, ast.List | ast.Tuple) else ():
            name = call.code.text(node)
            if name is not None and name not in outputs:
                yield RuleHit(
                    call.code.location(node),
                    f"{call.name} has no output {name!r}",
                    did_you_mean(name, outputs, f"its outputs are: {listed(outputs)}"),
                )


@rule(
    "SW545",
    "bls-unknown-input",
    reason="each request fails: “unexpected inference input” or “missing required input”",
    source=REQUEST,
)
def unknown_input(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find inputs that the called model does not have, and required inputs that are left out."""
    for call, callee in _calls_to_known_models(model):
        inputs = {tensor.name: tensor for tensor in callee.input}
        passed = argument(call.node, 2, "inputs")
        if not isinstance(passed, ast.List):
            continue
        names = [_tensor_name(call, node) for node in passed.elts]
        wrong = 0
        for node, name in zip(passed.elts, names, strict=True):
            if name is not None and name not in inputs:
                wrong += 1
                yield RuleHit(
                    call.code.location(node),
                    f"{call.name} has no input {name!r}",
                    did_you_mean(name, inputs, f"its inputs are: {listed(inputs)}"),
                )
        if None in names or wrong:
            continue
        for name, tensor in inputs.items():
            if name not in names and not tensor.optional:
                yield RuleHit(
                    call.code.location(passed),
                    f"{call.name} needs an input {name!r}",
                    f'add pb_utils.Tensor("{name}", …) to the inputs',
                )


def bls_calls(model: ModelUnderCheck) -> Iterator[BlsCall]:
    """Yield the calls whose model the code names."""
    for python_model in models_with_requests(model):
        for code in python_model.sources:
            for _, node in code.calls("InferenceRequest"):
                name_node = argument(node, 4, "model_name")
                name = code.text(name_node)
                if name_node is not None and name is not None:
                    yield BlsCall(python_model, code, node, name_node, name)


def _first_calls(calls: Iterator[BlsCall]) -> Iterator[BlsCall]:
    """Yield the first call to each model in each file."""
    seen = set()
    for call in calls:
        if (call.code.path, call.name) not in seen:
            seen.add((call.code.path, call.name))
            yield call


def _calls_to_known_models(model: ModelUnderCheck) -> Iterator[tuple[BlsCall, ModelConfig]]:
    """Yield the calls to models of this folder whose config has inputs and outputs, with it."""
    for call in bls_calls(model):
        parsed = model.parsed.get(call.name)
        if parsed is not None and parsed[1].input and parsed[1].output:
            yield call, parsed[1]


def _loaded_models(python_model: PythonModel) -> set[str] | None:
    """Return the models that the code loads by name; ``None`` if a name cannot be determined."""
    names = set()
    for code in python_model.sources:
        for _, call in code.calls("load_model"):
            name = code.text(argument(call, 0, "model_name"))
            if name is None:
                return None
            names.add(name)
    return names


def _release_numbers(model: ModelUnderCheck) -> list[str] | None:
    """Return the numbers of the release version, if it has three."""
    if not model.version_file.is_file():
        return None
    text = read_text(model.version_file).strip()
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return list(match.groups()) if match else None


def _tensor_name(call: BlsCall, node: ast.expr) -> str | None:
    """Return the name of a tensor that is created here, or in the same function."""
    tensors = [tensor for _, tensor in call.code.calls("Tensor", "Tensor.from_dlpack")]
    if isinstance(node, ast.Name):
        values = call.code.values_assigned(node.id, call.code.function_of(call.node))
        node = values[0] if len(values) == 1 else node
    if node in tensors and isinstance(node, ast.Call):
        return call.code.text(argument(node, 0, "name"))
    return None
