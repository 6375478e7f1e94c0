"""SW26x: templates that no program has filled. SW201 reports those outside of strings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.unfilled import Template
from slipway.triton.environment_path import PARAMETER

PARAMETERS = "parameters"


@rule(
    "SW260",
    "unfilled-name",
    reason="the server takes the text as it is: the load fails",
    source="protobuf's text format has no variables; seen on 24.10",
)
def unfilled_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find templates in strings that the server reads, such as a backend."""
    for config in model.configs.values():
        served, _ = _in_strings(config)
        yield from _hits(config, served)


@rule(
    "SW261",
    "unfilled-parameter",
    severity="warning",
    reason="the model gets this text as the value, and opens no file and parses no number of it",
    source="Triton passes parameters to the backend as they are; seen on 24.10",
)
def unfilled_parameter(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find templates in parameters; some backends take them for parameters that are left out."""
    for config in model.configs.values():
        _, parameters = _in_strings(config)
        if not parameters:
            continue
        first = parameters[0]
        names = list(dict.fromkeys(template.name for template in parameters))
        what = f"{first.text} was not filled"
        if len(names) > 1:
            what += f", nor {', '.join(names[1:])} below"
        yield RuleHit(_location(config, first), what, _fix(config.path, first, names))


def unfilled_outside(config: ConfigFile) -> list[RuleHit]:
    """Return a hit for each variable because of which a config does not parse."""
    return list(_hits(config, _outside(config)))


def _outside(config: ConfigFile) -> list[Template]:
    """Return the templates outside of strings, and those in a string where a number belongs."""
    line = config.problem[0] if config.problem is not None else 0
    return [
        template
        for template in config.templates
        if not template.in_string or config.fields.position(template.start)[0] == line
    ]


def _in_strings(config: ConfigFile) -> tuple[list[Template], list[Template]]:
    """Return the templates in strings that the server reads, and in those that the model reads."""
    served: list[Template] = []
    parameters: list[Template] = []
    if not config.templates:
        return served, parameters
    values = [
        (span.value, span.end, path)
        for path, span in config.fields.spans.items()
        if path[0] == PARAMETERS and path[-1] == "string_value"
    ]
    reported = {template.start for template in _outside(config)}
    for template in config.templates:
        if template.start in reported:
            continue
        inside = [path for start, end, path in values if start <= template.start < end]
        is_parameter = bool(inside) and all(PARAMETER not in path for path in inside)
        (parameters if is_parameter else served).append(template)
    return served, parameters


def _hits(config: ConfigFile, templates: Iterable[Template]) -> Iterator[RuleHit]:
    seen = set()
    for template in templates:
        if template.text not in seen:
            yield RuleHit(
                _location(config, template),
                f"{template.text} was not filled: the file is a template of a config",
                _fix(config.path, template, [template.name]),
            )
        seen.add(template.text)


def _location(config: ConfigFile, template: Template) -> Location:
    return Location(config.path, *config.fields.position(template.start))


def _fix(path: Path, template: Template, names: Iterable[str]) -> str:
    if not template.is_variable:
        return (
            "write the value here, or render the file with the program that it is for (Jinja, Helm)"
        )
    values = ",".join(f"{name}:VALUE" for name in names)
    return f"write the value here, or fill_template.py -i {path} {values} (of TensorRT-LLM's tools)"
