"""SW60x: execution environments: what is locked, for which Python, and who points at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from slipway.artifact.pack import ENVIRONMENT, KEYWORD, PARAMETER, pointer
from slipway.check.finding import Found, Place
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.environment.build import refuse_python
from slipway.environment.lock import (
    check,
    facts,
    made_for,
    named_in,
    normalised,
    refuse_unservable,
    unhashed,
)
from slipway.errors import SlipwayError
from slipway.settings import FILE_NAME

PACKER = "Slipway (environment/lock.py, environment/build.py)"


@rule("SW601", "no-requirements", reason="the environment cannot be built", source=PACKER)
def no_requirements(subject: Subject) -> Iterator[Found]:
    """Python models, and nothing that says what they need."""
    if subject.modules and not subject.requirements.is_file():
        yield from _refused(lambda: normalised(subject.requirements))


@rule("SW602", "bad-requirement", reason="the environment cannot be locked", source=PACKER)
def bad_requirement(subject: Subject) -> Iterator[Found]:
    """A line of requirements.txt that is no plain requirement."""
    if subject.requirements.is_file():
        yield from _refused(lambda: normalised(subject.requirements))


@rule(
    "SW603",
    "lock-not-current",
    reason="the environment that is built would not be what requirements.txt asks for: refused",
    source=PACKER,
)
def lock_not_current(subject: Subject) -> Iterator[Found]:
    """A lock that is missing, or was not made of these requirements."""
    if subject.modules and _requirements_are_sound(subject):
        yield from _refused(lambda: check(subject.requirements, subject.lock))


@rule(
    "SW604",
    "unhashed",
    reason="the environment cannot be built: each file has to be the one that was locked",
    source=PACKER + ", and uv's --require-hashes",
)
def unhashed_package(subject: Subject) -> Iterator[Found]:
    """A package in the lock without a version or without hashes."""
    for number, requirement in unhashed(subject.lock) if subject.lock.is_file() else ():
        yield Found(
            Place(subject.lock, number, 1),
            f"{requirement!r} is not pinned with == and --hash",
            f"slipway lock {subject.folder}",
        )


@rule(
    "SW605",
    "lock-for-another",
    reason="another Python or platform may need other packages, or have no files of these",
    source=PACKER,
    severity="warning",
)
def lock_for_another(subject: Subject) -> Iterator[Found]:
    """A lock that was made for another Python or platform than the configured one."""
    found = facts(subject.lock) if subject.lock.is_file() else None
    wanted = made_for(subject.settings)
    if subject.modules and found is not None and found != wanted and not _wrong_python(subject):
        yield Found(
            Place(subject.lock, 1, 1),
            f"locked for {found}, configured is {wanted}",
            f"slipway lock {subject.folder}",
        )


@rule(
    "SW606",
    "unservable-numpy",
    reason="the stub hands tensors over as numpy arrays: the load fails, or tensors come back empty",
    source="seen on 24.10, whose release notes pin numpy<2",
)
def unservable_numpy(subject: Subject) -> Iterator[Found]:
    """An environment without numpy, or with one that the release's stub does not work with."""
    if not subject.modules or not subject.lock.is_file():
        return
    if any(True for _ in lock_not_current(subject)):
        return  # which versions it has shows when it is locked again
    for found in _refused(lambda: refuse_unservable(subject.lock, subject.settings)):
        yield Found(_line_of("numpy", subject.requirements), found.what, found.fix)


@rule(
    "SW607",
    "wrong-python",
    reason="the stub runs on its own Python and ignores the environment, without a word",
    source="seen on 24.10; NVIDIA's release notes say which Python each container has",
)
def wrong_python(subject: Subject) -> Iterator[Found]:
    """A configured Python that is not that of the configured Triton's stub."""
    file = subject.settings.root / FILE_NAME
    for found in _wrong_python(subject) if subject.modules else ():
        yield Found(_setting("python", file), found.what, found.fix)


@rule(
    "SW608",
    "execution-env-path",
    reason="packing refuses it: the environment lies elsewhere, and the stub would use another",
    source="Slipway (artifact/pack.py), and Triton's Python backend, python_be.cc",
)
def execution_env_path(subject: Subject) -> Iterator[Found]:
    """An ``EXECUTION_ENV_PATH`` written by hand that is not what packing writes."""
    models = _python_models(subject)
    for name in models:
        config, message = subject.parsed[name]
        if PARAMETER not in message.parameters:
            continue
        value = message.parameters[PARAMETER].string_value
        right = pointer(name, f"{models[0]}/{ENVIRONMENT}")
        if value == right and subject.settings.layout == "directory":
            continue
        what = f"{PARAMETER} is {value!r}"
        if not value.startswith(KEYWORD):
            what += f", which does not begin with {KEYWORD}: no artifact holds it"
        elif subject.settings.layout == "directory":
            what += f"; packing puts the environment at {right!r}"
        else:
            what += "; packing gives the archive a name that tells its content"
        yield Found(
            config.value_place("parameters", PARAMETER, "value", "string_value"),
            what,
            f"remove the parameter {PARAMETER}: packing adds it",
        )


def _python_models(subject: Subject) -> list[str]:
    """The Python models in the order in which packing looks for the environment's place."""
    steps = [
        step.model_name
        for _, message in subject.parsed.values()
        for step in message.ensemble_scheduling.step
    ]
    order = dict.fromkeys([*steps, *sorted(subject.parsed)])
    return [name for name in order if name in subject.modules]


def _requirements_are_sound(subject: Subject) -> bool:
    return not any(True for _ in _refused(lambda: normalised(subject.requirements)))


def _wrong_python(subject: Subject) -> list[Found]:
    return list(_refused(lambda: refuse_python(subject.settings)))


def _refused(step: Callable[[], object]) -> Iterator[Found]:
    """What building would refuse, as a finding."""
    try:
        step()
    except SlipwayError as error:
        file, _, line = str(error.where).partition(":")
        yield Found(Place(Path(file), int(line or 0), 1 if line else 0), error.what, str(error.fix))


def _line_of(package: str, requirements: Path) -> Place:
    """Where ``requirements.txt`` asks for a package; the whole file where it does not."""
    text = (
        requirements.read_text(encoding="utf-8", errors="replace") if requirements.is_file() else ""
    )
    for number, line in enumerate(text.splitlines(), 1):
        if named_in(line) == canonicalize_name(package):
            return Place(requirements, number, 1)
    return Place(requirements)


def _setting(key: str, file: Path) -> Place:
    """Where ``slipway.toml`` has a key; the whole file where it is left out."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if line.replace(" ", "").startswith(f"{key}="):
            return Place(file, number, 1)
    return Place(file)
