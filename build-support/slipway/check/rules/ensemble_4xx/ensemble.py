"""SW40x: the steps of an ensemble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import RuleHit
from slipway.check.model_files import loaded_versions
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.flow import SCHEDULING, Flow, did_you_mean, flows, listed
from slipway.check.unfilled import is_template
from slipway.model.folder import ENSEMBLE

CORE = "Triton core, model_config_utils.cc, and seen on 24.10"


@rule(
    "SW401",
    "no-steps",
    reason="the load fails: \"must specify 'step' for ensemble\"",
    source=CORE,
)
def no_steps(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ensembles without steps."""
    for config, message in model.parsed.values():
        if message.platform == ENSEMBLE and not message.ensemble_scheduling.step:
            yield RuleHit(
                (
                    config.location(SCHEDULING)
                    if SCHEDULING in config.text
                    else config.location("platform")
                ),
                "an ensemble without steps",
                f"{SCHEDULING} {{ step {{ model_name: … }} }}",
            )


@rule(
    "SW402",
    "step-without-model",
    reason="the load fails: \"must specify 'model_name' in step\"",
    source=CORE,
)
def step_without_model(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps that name no model."""
    for flow in flows(model):
        for step in flow.steps:
            if not step.definition.model_name:
                yield RuleHit(
                    flow.config.location(*step.path),
                    f"step {step.number + 1} names no model",
                    "model_name: one of " + listed(_composing(model, flow)),
                )


@rule(
    "SW403",
    "unknown-model",
    reason="the load fails, or the step uses a model of that name in another loaded artifact",
    source="Triton core, model_repository_manager.cc (FindNode), and seen on 24.10",
)
def unknown_model(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps whose model is not in the folder."""
    for flow in flows(model):
        for step in flow.steps:
            name = step.definition.model_name
            if not name or name in model.model_names or is_template(name):
                continue  # or another rule reports it
            what = f"step {step.number + 1}: no model {name!r} in {model.folder}/"
            folders = sorted({path.parent.name for path in _elsewhere(model, name)})
            if folders:
                what += (
                    f", only in {listed(folders)}: the server would silently use that one"
                    " whenever it is loaded"
                )
            fix = did_you_mean(
                name,
                _composing(model, flow),
                f"add {model.folder}/{name}/, or correct model_name",
            )
            yield RuleHit(flow.config.value_location(*step.path, "model_name"), what, fix)


@rule(
    "SW407",
    "nested-ensemble",
    reason="an endpoint serves the last ensemble that it finds, which may be the inner one",
    source="Triton server, sagemaker_server.cc, and seen on 24.10",
)
def nested_ensemble(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps that are ensembles."""
    for flow in flows(model):
        for step in flow.steps:
            if step.config is not None and step.config.is_ensemble:
                kind = "the ensemble itself" if step.config is flow.config else "an ensemble"
                yield RuleHit(
                    flow.config.value_location(*step.path, "model_name"),
                    f"step {step.number + 1} is {kind}",
                    "put its steps into this ensemble",
                )


@rule(
    "SW408",
    "step-version",
    reason="the load fails: “required version … is not loaded”; left out, the version is 0",
    source="Triton core, model_repository_manager.cc (CheckNode), and seen on 24.10",
)
def step_version(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find steps with a model version that their model does not load."""
    for flow in flows(model):
        for step in flow.steps:
            version = step.definition.model_version
            if step.config is None or step.message is None or version == -1:
                continue
            loaded = [int(path.name) for path in loaded_versions(step.config, step.message)]
            if step.config.is_ensemble or not step.config.versions or version in loaded:
                continue
            path = (*step.path, "model_version")
            has_version = path in flow.config.fields.spans
            name = flow.config.fields.spans.get((*step.path, "model_name"))
            fixes = []
            if not has_version and name is not None:  # an explicit version may be intended
                field_text = flow.config.text[name.start : name.end]
                replacement = f"{field_text} model_version: -1"
                fixes = [flow.config.replace_field((*step.path, "model_name"), replacement)]
            asks = f"asks for model version {version}" if has_version else "has no version"
            yield RuleHit(
                flow.config.value_location(*path),
                f"{step} {asks}; loaded are: {', '.join(map(str, loaded)) or 'none'}",
                "model_version: -1, the newest",
                tuple(fixes),
            )


@rule(
    "SW409",
    "ensemble-setting",
    reason="the load fails: “should not be specified for ensemble”",
    source=CORE,
)
def ensemble_setting(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find settings in ensembles that only models with a backend have."""
    for flow in flows(model):
        for name in ("instance_group", "optimization", "model_warmup"):
            value = getattr(flow.message, name)
            if flow.message.HasField(name) if name == "optimization" else len(value):
                yield RuleHit(
                    flow.config.location(name),
                    f"an ensemble has no {name}",
                    "remove it, or move it to the model that needs it",
                )


def _composing(model: ModelUnderCheck, flow: Flow) -> list[str]:
    return [name for name, other in model.configs.items() if other is not flow.config]


def _elsewhere(model: ModelUnderCheck, name: str) -> list[Path]:
    own = model.folder.resolve()
    paths = model.repository.owners_of(name)
    return [path for path in paths if path.parent.resolve() != own]
