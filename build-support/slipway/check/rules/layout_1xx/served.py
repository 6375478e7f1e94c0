"""SW10x: which of a folder's models an endpoint serves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.check.finding import Edit, Found, Mend, Place
from slipway.check.rule import rule
from slipway.check.rules.layout_1xx.layout import CONTRACT, steps
from slipway.check.subject import Subject
from slipway.model.folder import ENSEMBLE
from slipway.triton import config

SERVED = re.compile(r'platform:(\s)*"ensemble"')
SPELLING = f'platform: "{ENSEMBLE}"'
SAGEMAKER = "Triton server, sagemaker_server.cc (platform_ensemble_regex_), and seen on 24.10"


@rule(
    "SW104",
    "two-ensembles",
    reason="200 on load, and one of them is served, whichever the directory lists last",
    source=CONTRACT,
)
def two_ensembles(subject: Subject) -> Iterator[Found]:
    """More than one ensemble that no other one has for a step."""
    composing = steps(subject)
    found = [each for each in subject.ensembles if each.name not in composing]
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        for each in found[1:]:
            yield Found(
                each.place("platform"),
                f"{len(found)} ensembles ({names}): an endpoint serves one",
                "keep one here and give the other a folder of its own",
            )


@rule(
    "SW105",
    "no-ensemble",
    reason="200 on load, and an arbitrary one of the models is served",
    source=CONTRACT,
)
def no_ensemble(subject: Subject) -> Iterator[Found]:
    """Several models and nothing that says which is served."""
    if len(subject.configs) < 2 or subject.ensembles:
        return
    if len(subject.parsed) == len(subject.configs):
        yield Found(
            Place(subject.folder),
            f"{len(subject.configs)} models and no ensemble: an arbitrary one would be served",
            f"add an ensemble: a {config.FILE_NAME} with {SPELLING}",
        )


@rule(
    "SW106",
    "platform-spelling",
    reason="200 on load, and another model than the ensemble is served",
    source=SAGEMAKER,
)
def platform_spelling(subject: Subject) -> Iterator[Found]:
    """An ensemble whose platform the endpoint's regular expression does not find."""
    for each, message in subject.parsed.values():
        if message.platform == ENSEMBLE and not SERVED.search(each.text):
            yield Found(
                each.place("platform"),
                "the endpoint does not find the ensemble: it looks for this one spelling",
                SPELLING,
                (each.replaced(("platform",), SPELLING),),
            )


@rule(
    "SW107",
    "platform-missing",
    reason="200 on load, and another model than the ensemble is served; or the load fails",
    source=SAGEMAKER,
)
def platform_missing(subject: Subject) -> Iterator[Found]:
    """``ensemble_scheduling`` on what is not called an ensemble."""
    for each, message in subject.parsed.values():
        if not message.HasField("ensemble_scheduling") or message.platform == ENSEMBLE:
            continue
        if subject.lone and not (message.platform or message.backend or message.input):
            continue  # an excerpt
        mends: tuple[Mend, ...] = ()
        if not message.platform and not message.backend:
            mends = (each.added(f"{SPELLING}\n"),)
        yield Found(
            each.place("platform" if message.platform else "ensemble_scheduling"),
            f"it has ensemble_scheduling, and its platform is {message.platform!r}",
            SPELLING,
            mends,
        )


@rule(
    "SW108",
    "platform-elsewhere",
    reason="200 on load, and this model may be served instead of the ensemble",
    source=SAGEMAKER,
)
def platform_elsewhere(subject: Subject) -> Iterator[Found]:
    """The ensemble's spelling in another model's config, comments and strings included."""
    for each in subject.configs.values():
        found = SERVED.search(each.text)
        if found and len(subject.configs) > 1 and each.message and not each.is_ensemble:
            yield Found(
                Place(each.path, *each.fields.position(found.start())),
                "the endpoint takes this model for the ensemble: it does not know comments",
                "say it in other words",
            )


@rule(
    "SW109",
    "ensemble-with-backend",
    reason="the load fails: “must have platform type 'ensemble' and empty backend type”",
    source="Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10",
)
def ensemble_with_backend(subject: Subject) -> Iterator[Found]:
    """An ensemble that names a backend as well."""
    for each, message in subject.parsed.values():
        if message.platform == ENSEMBLE and message.backend:
            span = each.fields.spans[("backend",)]
            yield Found(
                each.place("backend"),
                f"an ensemble has no backend, and this one has {message.backend!r}",
                "remove the backend",
                (Edit(each.path, span.start, span.end, ""),),
            )


@rule(
    "SW110",
    "decoupled-endpoint",
    reason="every invocation fails: “HTTP end point doesn't support models with decoupled…”",
    source="Triton server, http_server.cc, and seen on 24.10",
)
def decoupled_endpoint(subject: Subject) -> Iterator[Found]:
    """The model that is served answers more than once, or never."""
    served = subject.served
    if served and served.message is not None and not served.is_ensemble:
        if served.message.model_transaction_policy.decoupled:
            yield Found(
                served.place("model_transaction_policy", "decoupled"),
                "a multi-model endpoint serves no decoupled model",
                "remove it, or call the model from another one (BLS)",
            )
