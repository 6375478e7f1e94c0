"""SW40x: the steps of an ensemble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found
from slipway.check.flow import SCHEDULING, Flow, did_you_mean, flows, listed
from slipway.check.model_files import loaded_versions
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.model.folder import ENSEMBLE

CORE = "Triton core, model_config_utils.cc, and seen on 24.10"


@rule(
    "SW401",
    "no-steps",
    reason="the load fails: \"must specify 'step' for ensemble\"",
    source=CORE,
)
def no_steps(subject: Subject) -> Iterator[Found]:
    """An ensemble that does nothing."""
    for config, message in subject.parsed.values():
        if message.platform == ENSEMBLE and not message.ensemble_scheduling.step:
            yield Found(
                config.place(SCHEDULING) if SCHEDULING in config.text else config.place("platform"),
                "an ensemble without steps",
                f"{SCHEDULING} {{ step {{ model_name: … }} }}",
            )


@rule(
    "SW402",
    "step-without-model",
    reason="the load fails: \"must specify 'model_name' in step\"",
    source=CORE,
)
def step_without_model(subject: Subject) -> Iterator[Found]:
    """A step that names no model."""
    for flow in flows(subject):
        for step in flow.steps:
            if not step.said.model_name:
                yield Found(
                    flow.config.place(*step.path),
                    f"step {step.number + 1} names no model",
                    "model_name: one of " + listed(_composing(subject, flow)),
                )


@rule(
    "SW403",
    "unknown-model",
    reason="the load fails, or the step is bound to a model of that name in another loaded artifact",
    source="Triton core, model_repository_manager.cc (FindNode), and seen on 24.10",
)
def unknown_model(subject: Subject) -> Iterator[Found]:
    """A step whose model is not in the folder."""
    for flow in flows(subject):
        for step in flow.steps:
            name = step.said.model_name
            if not name or name in subject.configs:
                continue
            what = f"step {step.number + 1}: no model {name!r} in {subject.folder}/"
            folders = sorted({path.parent.name for path in _elsewhere(subject, name)})
            if folders:
                what += (
                    f", only in {listed(folders)}: the server would silently use that one"
                    " while it happens to be loaded"
                )
            fix = did_you_mean(
                name,
                _composing(subject, flow),
                f"add {subject.folder}/{name}/, or correct model_name",
            )
            yield Found(flow.config.value_place(*step.path, "model_name"), what, fix)


@rule(
    "SW407",
    "nested-ensemble",
    reason="an endpoint serves the last ensemble that it finds: here the inner one was served",
    source="Triton server, sagemaker_server.cc, and seen on 24.10",
)
def nested_ensemble(subject: Subject) -> Iterator[Found]:
    """A step that is itself an ensemble."""
    for flow in flows(subject):
        for step in flow.steps:
            if step.model is not None and step.model.is_ensemble:
                itself = step.model is flow.config
                yield Found(
                    flow.config.value_place(*step.path, "model_name"),
                    f"step {step.number + 1} is {'the ensemble itself' if itself else 'an ensemble'}",
                    "put its steps into this ensemble",
                )


@rule(
    "SW408",
    "step-version",
    reason="the load fails: “required version … is not loaded”; left out, the version is 0",
    source="Triton core, model_repository_manager.cc (CheckNode), and seen on 24.10",
)
def step_version(subject: Subject) -> Iterator[Found]:
    """A model version that its model does not load."""
    for flow in flows(subject):
        for step in flow.steps:
            wanted = step.said.model_version
            if step.model is None or step.message is None or wanted == -1:
                continue
            loaded = [int(path.name) for path in loaded_versions(step.model, step.message)]
            if step.model.is_ensemble or not step.model.versions or wanted in loaded:
                continue
            path = (*step.path, "model_version")
            said = path in flow.config.fields.spans
            name = flow.config.fields.spans.get((*step.path, "model_name"))
            mends = []
            if not said and name is not None:  # a version that is said may be meant
                whole = flow.config.text[name.start : name.end]
                mended = f"{whole} model_version: -1"
                mends = [flow.config.replaced((*step.path, "model_name"), mended)]
            what = f"{step} asks for model version {wanted}" if said else f"{step} has no version"
            yield Found(
                flow.config.value_place(*path),
                f"{what}; loaded are: {', '.join(map(str, loaded)) or 'none'}",
                "model_version: -1, the newest",
                tuple(mends),
            )


@rule(
    "SW409",
    "ensemble-setting",
    reason="the load fails: “should not be specified for ensemble”",
    source=CORE,
)
def ensemble_setting(subject: Subject) -> Iterator[Found]:
    """A setting that only models with a backend have."""
    for flow in flows(subject):
        for name in ("instance_group", "optimization", "model_warmup"):
            value = getattr(flow.message, name)
            if flow.message.HasField(name) if name == "optimization" else len(value):
                yield Found(
                    flow.config.place(name),
                    f"an ensemble has no {name}",
                    "remove it, or move it to the model that it is meant for",
                )


def _composing(subject: Subject, flow: Flow) -> list[str]:
    return [name for name, each in subject.configs.items() if each is not flow.config]


def _elsewhere(subject: Subject, name: str) -> list[Path]:
    own = subject.folder.resolve()
    paths = subject.repository.owners.get(name, [])
    return [path for path in paths if path.parent.resolve() != own]
