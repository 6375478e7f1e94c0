"""SW60x: execution environments: their requirements, lock, Python, and path in configs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.check.finding import Create, Location, Lock, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.environment.lock import (
    check_lock,
    describe_target,
    find_unhashed,
    locked_target,
    normalised_requirements,
    package_in_line,
    refuse_unservable,
)
from slipway.environment.stub_python import refuse_python
from slipway.errors import SlipwayError
from slipway.settings import FILE_NAME
from slipway.triton.environment_path import ENVIRONMENT, KEYWORD, PARAMETER, environment_value
from slipway.unchanged import read_text

PACKER = "Slipway (environment/lock.py, environment/build.py)"


@rule(
    "SW601",
    "no-requirements",
    scope="slipway",
    reason="the environment cannot be built",
    source=PACKER,
)
def no_requirements(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find Python models without requirements."""
    if model.modules and not model.requirements.is_file():
        for hit in _hits_of_refusal(lambda: normalised_requirements(model.requirements)):
            # SW521 adds what else the code imports, SW603 locks it
            yield replace(hit, fixes=(Create(model.requirements, "numpy\n"),))


@rule(
    "SW602",
    "bad-requirement",
    scope="slipway",
    reason="the environment cannot be locked",
    source=PACKER,
)
def bad_requirement(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find lines of ``requirements.txt`` that are not plain requirements."""
    if model.requirements.is_file():
        yield from _hits_of_refusal(lambda: normalised_requirements(model.requirements))


@rule(
    "SW603",
    "lock-not-current",
    scope="slipway",
    reason="packing refuses it: the environment would not match requirements.txt",
    source=PACKER,
)
def lock_not_current(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find locks that are missing, or were made from other requirements."""
    if model.modules and _requirements_are_sound(model):
        for hit in _hits_of_refusal(lambda: check_lock(model.requirements, model.lock)):
            yield replace(hit, fixes=(Lock(model.requirements),))


@rule(
    "SW604",
    "unhashed",
    scope="slipway",
    reason="the environment cannot be built: every file is verified by its hash",
    source=PACKER + ", and uv's --require-hashes",
)
def unhashed_package(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find packages in the lock without a version or without hashes."""
    for number, requirement in find_unhashed(model.lock) if model.lock.is_file() else ():
        yield RuleHit(
            Location(model.lock, number, 1),
            f"{requirement!r} is not pinned with == and --hash",
            f"slipway lock {model.folder}",
            (Lock(model.requirements),) if model.requirements.is_file() else (),
        )


@rule(
    "SW605",
    "lock-for-another",
    scope="slipway",
    reason="another Python or platform may need other packages, or other files of them",
    source=PACKER,
    severity="warning",
)
def lock_for_another(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find locks that were made for another Python or platform than the configured one."""
    hit = locked_target(model.lock) if model.lock.is_file() else None
    configured = describe_target(model.settings)
    if model.modules and hit is not None and hit != configured and not _python_hits(model):
        yield RuleHit(
            Location(model.lock, 1, 1),
            f"locked for {hit}, configured is {configured}",
            f"slipway lock {model.folder}",
            (Lock(model.requirements),) if model.requirements.is_file() else (),
        )


@rule(
    "SW606",
    "unservable-numpy",
    scope="slipway",
    reason="the stub passes tensors as numpy arrays: the load fails, or returned tensors are empty",
    source="seen on 24.10; github.com/triton-inference-server/python_backend, CMakeLists.txt:"
    " 24.11 is the first release with a pybind11 that knows numpy 2",
)
def unservable_numpy(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find environments without numpy, or with one that a configured release's stub mishandles."""
    if not model.modules or not model.lock.is_file():
        return
    if any(True for _ in lock_not_current(model)):
        return  # its versions are known once it is locked again
    for hit in _hits_of_refusal(lambda: refuse_unservable(model.lock, model.settings)):
        yield RuleHit(_line_of("numpy", model.requirements), hit.what, hit.fix)


@rule(
    "SW607",
    "wrong-python",
    scope="slipway",
    reason="the stub uses its own Python and silently ignores the environment",
    source="seen on 24.10; NVIDIA's release notes say which Python each container has",
)
def wrong_python(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a configured Python that is not that of the configured Triton's stub."""
    file = model.settings.root / FILE_NAME
    for hit in _python_hits(model) if model.modules else ():
        yield RuleHit(_setting("python", file), hit.what, hit.fix)


@rule(
    "SW608",
    "execution-env-path",
    scope="slipway",
    reason="packing refuses it: the environment is elsewhere, and the stub would use another one",
    source="Slipway (artifact/pack.py), and Triton's Python backend, python_be.cc",
)
def execution_env_path(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``EXECUTION_ENV_PATH`` that differs from the one that packing writes."""
    models = _python_models(model)
    for name in models:
        config, message = model.parsed[name]
        if PARAMETER not in message.parameters:
            continue
        value = message.parameters[PARAMETER].string_value
        expected = environment_value(name, f"{models[0]}/{ENVIRONMENT}")
        if value == expected and model.settings.layout == "directory":
            continue
        what = f"{PARAMETER} is {value!r}"
        if not value.startswith(KEYWORD):
            what += f", which does not begin with {KEYWORD}: no artifact holds it"
        elif model.settings.layout == "directory":
            what += f"; packing puts the environment at {expected!r}"
        else:
            what += "; packing names the archive after its content"
        yield RuleHit(
            config.value_location("parameters", PARAMETER, "value", "string_value"),
            what,
            f"remove the parameter {PARAMETER}: packing adds it",
            config.remove_field(("parameters", PARAMETER)),
        )


def _python_models(model: ModelUnderCheck) -> list[str]:
    """Return the Python models in the order in which packing places the environment."""
    steps = [
        step.model_name
        for _, message in model.parsed.values()
        for step in message.ensemble_scheduling.step
    ]
    order = dict.fromkeys([*steps, *sorted(model.parsed)])
    return [name for name in order if name in model.modules]


def _requirements_are_sound(model: ModelUnderCheck) -> bool:
    return not any(
        True for _ in _hits_of_refusal(lambda: normalised_requirements(model.requirements))
    )


def _python_hits(model: ModelUnderCheck) -> list[RuleHit]:
    return list(_hits_of_refusal(lambda: refuse_python(model.settings)))


def _hits_of_refusal(step: Callable[[], object]) -> Iterator[RuleHit]:
    """Yield a hit if building refuses the model at this step."""
    try:
        step()
    except SlipwayError as error:
        file, _, line = str(error.where).partition(":")
        yield RuleHit(
            Location(Path(file), int(line or 0), 1 if line else 0), error.what, str(error.fix)
        )


def _line_of(package: str, requirements: Path) -> Location:
    """Return where ``requirements.txt`` names a package, otherwise the file."""
    text = read_text(requirements) if requirements.is_file() else ""
    for number, line in enumerate(text.splitlines(), 1):
        if package_in_line(line) == canonicalize_name(package):
            return Location(requirements, number, 1)
    return Location(requirements)


def _setting(key: str, file: Path) -> Location:
    """Return where ``slipway.toml`` has a key, otherwise the file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if line.replace(" ", "").startswith(f"{key}="):
            return Location(file, number, 1)
    return Location(file)
