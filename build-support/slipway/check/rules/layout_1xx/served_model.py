"""SW10x: the model of a folder that an endpoint serves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slipway.check.finding import Edit, Fix, Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.rules.layout_1xx.layout import CONTRACT
from slipway.check.rules.python_5xx.bls import bls_calls
from slipway.model.folder import ENSEMBLE
from slipway.triton.config import FILE_NAME

SERVED = re.compile(r'platform:(\s)*"ensemble"')
SPELLING = f'platform: "{ENSEMBLE}"'
SAGEMAKER = "Triton server, sagemaker_server.cc (platform_ensemble_regex_), and seen on 24.10"


@rule(
    "SW104",
    "two-ensembles",
    reason="the load answers 200, and the ensemble that the directory lists last is served",
    source=CONTRACT,
)
def two_ensembles(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ensembles after the first that are not a step of another one."""
    outer = [config for config in model.ensembles if config.name not in model.step_names]
    if len(outer) > 1:
        names = ", ".join(config.name for config in outer)
        for config in outer[1:]:
            yield RuleHit(
                config.location("platform"),
                f"{len(outer)} ensembles ({names}): an endpoint serves one",
                "keep one here and give the other a folder of its own",
            )


@rule(
    "SW105",
    "no-ensemble",
    reason="the load answers 200, and an arbitrary one of the models is served",
    source=CONTRACT,
)
def no_ensemble(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find folders with several models and no ensemble, which would be served."""
    if len(model.configs) < 2 or model.ensembles:
        return
    if len(model.parsed) == len(model.configs) and not model.too_deep:
        callers = [
            call.caller.config.name for call in bls_calls(model) if call.name in model.configs
        ]
        if model.is_foreign:  # its models are those that one of them calls
            callers.insert(0, model.name)
        yield RuleHit(
            Location(model.folder),
            f"{len(model.configs)} models and no ensemble: an arbitrary one would be served",
            (
                f"add an ensemble whose step is {callers[0]}: a {FILE_NAME} with {SPELLING}"
                if callers
                else "give each model a folder of its own; or, if they belong together, add an"
                f" ensemble: a {FILE_NAME} with {SPELLING}"
            ),
        )


@rule(
    "SW106",
    "platform-spelling",
    reason="the load answers 200, and another model than the ensemble is served",
    source=SAGEMAKER,
)
def platform_spelling(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ensembles whose platform the endpoint's regular expression does not match."""
    for config, message in model.parsed.values():
        if message.platform == ENSEMBLE and not SERVED.search(config.text):
            yield RuleHit(
                config.location("platform"),
                "the endpoint does not find the ensemble, since it searches for one spelling only",
                SPELLING,
                (config.replace_field(("platform",), SPELLING),),
            )


@rule(
    "SW107",
    "platform-missing",
    reason="the load answers 200, and another model than the ensemble is served; or the load fails",
    source=SAGEMAKER,
)
def platform_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ``ensemble_scheduling`` in configs whose platform is not an ensemble."""
    for config, message in model.parsed.values():
        if not message.HasField("ensemble_scheduling") or message.platform == ENSEMBLE:
            continue
        if model.is_single_config and not (message.platform or message.backend or message.input):
            continue  # an excerpt
        fixes: tuple[Fix, ...] = ()
        if not message.platform and not message.backend:
            fixes = (config.append_field(f"{SPELLING}\n"),)
        elif message.platform and not message.backend:
            fixes = (config.replace_field(("platform",), SPELLING),)
        yield RuleHit(
            config.location("platform" if message.platform else "ensemble_scheduling"),
            f"it has ensemble_scheduling, and its platform is {message.platform!r}",
            SPELLING,
            fixes,
        )


@rule(
    "SW108",
    "platform-elsewhere",
    reason="the load answers 200, and this model may be served instead of the ensemble",
    source=SAGEMAKER,
)
def platform_elsewhere(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find the ensemble's platform in another model's config, in comments and strings too."""
    for config in model.configs.values():
        match = SERVED.search(config.text)
        if match and len(model.configs) > 1 and config.message and not config.is_ensemble:
            yield RuleHit(
                Location(config.path, *config.fields.position(match.start())),
                "the endpoint mistakes this model for the ensemble: it reads comments as well",
                "reword the comment or string",
            )


@rule(
    "SW109",
    "ensemble-with-backend",
    reason="the load fails: “must have platform type 'ensemble' and empty backend type”",
    source="Triton core, model_config_utils.cc (ValidateModelConfig), and seen on 24.10",
)
def ensemble_with_backend(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find ensembles that name a backend as well."""
    for config, message in model.parsed.values():
        if message.platform == ENSEMBLE and message.backend:
            span = config.fields.spans[("backend",)]
            yield RuleHit(
                config.location("backend"),
                f"an ensemble has no backend, and this one has {message.backend!r}",
                "remove the backend",
                (Edit(config.path, span.start, span.end, ""),),
            )


@rule(
    "SW110",
    "decoupled-endpoint",
    reason="every invocation fails: “HTTP end point doesn't support models with decoupled…”",
    source="Triton server, http_server.cc, and seen on 24.10",
)
def decoupled_endpoint(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find served models that may answer a request more than once, or never."""
    served = model.served
    if served is None or served.message is None or served.is_ensemble:
        return
    if served.message.model_transaction_policy.decoupled:
        yield RuleHit(
            served.location("model_transaction_policy", "decoupled"),
            "a multi-model endpoint cannot serve a decoupled model",
            "remove it, or call the model from another one (BLS)",
        )
