"""SW280 to SW284: models that a container of their own serves."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import Location, Lock, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.environment.lock import check_lock
from slipway.errors import SlipwayError
from slipway.model.container_folder import CONTENTS, is_container
from slipway.settings import FILE_NAME
from slipway.settings.models import ENTRY, EXAMPLE

CONTRACT = "https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"


@rule(
    "SW280",
    "container-without-contents",
    reason="the artifact would be empty, and the container would find nothing at /opt/ml/model",
    source=CONTRACT,
    scope="container",
)
def no_contents(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a model that slipway.toml gives a container, whose folder is not laid out for one."""
    if not is_container(model.folder):
        yield RuleHit(
            Location(model.folder),
            f"slipway.toml has [models.{model.name}], and the folder no {CONTENTS}/",
            f"add {CONTENTS}/{ENTRY[-1]}, or remove [models.{model.name}] if Triton serves it",
        )


@rule(
    "SW281",
    "container-not-declared",
    reason="without an image no endpoint can be made of it, and Triton serves no such folder",
    source="Slipway, docs/containers.md",
    scope="container",
)
def not_declared(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a folder laid out for a container that slipway.toml does not name."""
    if model.name not in model.settings.containers:
        yield RuleHit(
            Location(model.folder / CONTENTS),
            f"slipway.toml has no [models.{model.name}]",
            f'add [models.{model.name}] with container = "{EXAMPLE}"',
        )


@rule(
    "SW282",
    "entry-not-in-the-container",
    reason="the container ends at once, and the endpoint's creation fails at its health check",
    source=CONTRACT,
    scope="container",
)
def no_entry(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an entry whose script is not among the container's files."""
    declared = model.settings.containers.get(model.name)
    if declared is None or not is_container(model.folder):
        return
    for word in declared.entry:
        script = model.folder / CONTENTS / word
        if word.endswith((".py", ".sh")) and not word.startswith("/") and not script.is_file():
            yield RuleHit(
                Location(model.folder / CONTENTS),
                f"the entry runs {word}, and {CONTENTS}/{word} is missing",
                f"add it, or correct entry of [models.{model.name}] in slipway.toml",
            )


@rule(
    "SW283",
    "unknown-container",
    reason="an endpoint with a container that has no model is not created",
    source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html",
    scope="container",
)
def unknown_container(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an endpoint of this model that names another one which does not exist."""
    known = model.repository.folder_names()
    for entry in model.settings.endpoints.values():
        if model.name not in entry.containers:
            continue
        for name in entry.containers:
            if name not in known:
                yield RuleHit(
                    Location(model.settings.root / FILE_NAME),
                    f"[endpoint.{entry.name}] names the container {name}, and there is no"
                    f" models/{name}",
                    f"correct containers of [endpoint.{entry.name}], or add the model",
                )


@rule(
    "SW284",
    "container-without-lock",
    reason="the image's packages are not known, and the local endpoint cannot make their"
    " environment",
    source="Slipway, docs/containers.md",
    scope="container",
)
def no_lock(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a container whose packages are not locked, or changed since."""
    try:
        check_lock(model.requirements, model.lock)
    except SlipwayError as error:
        yield RuleHit(
            Location(model.lock),
            error.what,
            error.fix or f"slipway lock {model.folder}",
            (Lock(model.requirements),),
        )
