"""Write ``requirements.lock``, and say what it brings."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.environment import interpreter
from slipway.environment.lock import (
    header,
    lock_content,
    normalised_requirements,
    pins,
    refuse_unservable,
)
from slipway.environment.locking.errors import explain
from slipway.environment.locking.measure import measure
from slipway.environment.locking.newest import PassedOver, find_passed_over
from slipway.environment.locking.numpy_api import refuse_later_numpy
from slipway.environment.locking.pip_settings import unused_pip_settings
from slipway.environment.locking.report import LockReport
from slipway.environment.locking.resolver import ResolvedPackage, resolve
from slipway.environment.locking.sizes import comments, read_sizes
from slipway.environment.packages import find_links, run_uv
from slipway.environment.platforms import uv_platform
from slipway.environment.requirement_lines import (
    read_requirement_lines,
)
from slipway.environment.shared.locked import with_paths, without_paths
from slipway.environment.shared.requirements import SharedRequirement, find_shared
from slipway.environment.shared.wheel import build_shared_wheel
from slipway.environment.wheels.sources import BuiltWheel, build_from_source, read_source_builds
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.settings import Settings
from slipway.triton.image import numpy_support


def lock_requirements(requirements: Path, settings: Settings, *, upgrade: bool = False) -> Path:
    """Write ``requirements.lock`` next to ``requirements``; pins that still fit are kept.

    If a channel can be reached, ``interpreter.lock`` is written at the repository's root if it is
    missing (or with ``upgrade``): it pins the Python for all models.

    Raises:
        SlipwayError: a requirement is not a plain one, cannot be met, has no wheel for the
            configured platform, or cannot be served (see ``refuse_unservable``).
    """
    normalised_requirements(requirements)  # refuses malformed lines before uv is started
    target = requirements.with_name("requirements.lock")
    argv: list[str | Path] = [
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-header"),
        *("--no-emit-index-url", "--no-emit-find-links", "--only-binary", ":all:"),
        *("--python-platform", uv_platform(settings.platform)),
        *("--python-version", settings.python),
        *(["--upgrade"] if upgrade else []),
        *("--output-file", target.name, requirements.name),
    ]
    with atomic_write(target) as sibling:
        # uv writes the paths that it gets, so it works on copies with the original names
        shared = find_shared(requirements)
        copy = sibling.with_name(requirements.name)
        copy.write_text(_for_uv(requirements, shared, settings), encoding="utf-8")
        earlier = () if upgrade else read_source_builds(target)
        lines = copy.read_text(encoding="utf-8").splitlines()
        if target.is_file():
            sibling.write_text(without_paths(target.read_text(encoding="utf-8")), encoding="utf-8")
        try:
            built = build_from_source(lines, settings, where=requirements, earlier=earlier)
            variables = find_links(wheel.path.parent for wheel in built)
            run_uv(
                argv,
                settings,
                what=f"locking {requirements}",
                cwd=sibling.parent,
                variables=variables,
            )
        except SlipwayError as error:
            raise explain(error, requirements, settings) from error
        _limit_numpy(argv, sibling, variables, settings)
        first_line = header(requirements, settings)
        locked = with_paths(sibling.read_text(encoding="utf-8"), shared, requirements)
        for wheel in built:
            locked = wheel.pin(locked)
        sibling.write_text(f"{first_line}\n{locked}", encoding="utf-8")
        refuse_unservable(sibling, settings, requirements=requirements)
        packages = _resolve_locked(sibling, lines, built, settings, requirements)
        numpy = dict(pins(sibling))["numpy"]
        refuse_later_numpy(packages, numpy, settings, requirements=requirements)
        # without those of the repository, whose code may change without a new lock
        own = {requirement.package.name for requirement in shared}
        sizes = measure(package for package in packages if package.name not in own)
        with sibling.open("a", encoding="utf-8") as file:
            file.write(comments(sizes))
    if upgrade or not (settings.root / interpreter.LOCK_NAME).is_file():
        interpreter.pin_interpreter(settings)
    return target


def report_lock(requirements: Path, settings: Settings, *, gpu: bool = False) -> LockReport:
    """Return what a lock brings; ``gpu`` is whether a configuration of the model asks for one."""
    lock = requirements.with_name("requirements.lock")
    locked = dict(pins(lock))
    passed_over: tuple[PassedOver, ...] = ()
    unknown = ""
    try:
        lines = _for_uv(requirements, find_shared(requirements), settings).splitlines()
        passed_over = tuple(find_passed_over(lines, locked, settings, where=requirements))
    except SlipwayError as error:  # the lock is written, and good without this
        unknown = explain(error, requirements, settings).what
    return LockReport(
        sizes=read_sizes(lock),
        # by name, by URL and by path; their hashes are indented
        packages=sum(not line.startswith(" ") for line in lock_content(lock).splitlines()),
        passed_over=passed_over,
        unused=tuple(unused_pip_settings(settings.root)),
        gpu=gpu,
        unknown=unknown,
    )


def _limit_numpy(
    argv: list[str | Path], lock: Path, variables: Mapping[str, str], settings: Settings
) -> None:
    """Lock again with a limit for numpy, if the version in ``lock`` cannot be served.

    Nothing changes where the requirements allow no other one: the lock is refused then.
    """
    numpy = dict(pins(lock)).get("numpy")
    limit = numpy and numpy_support.limit(numpy, settings.triton_release, settings.test_release)
    if not limit:
        return
    constraint = lock.with_name("numpy.txt")
    constraint.write_text(f"numpy{limit}\n", encoding="utf-8")
    with contextlib.suppress(SlipwayError):
        run_uv(
            [*argv, "--constraint", constraint.name],
            settings,
            what=f"locking numpy{limit}",
            cwd=lock.parent,
            variables=variables,
        )


def _for_uv(requirements: Path, shared: tuple[SharedRequirement, ...], settings: Settings) -> str:
    """Return the requirements with wheels of the repository's packages instead of their paths."""
    wheels = {
        requirement.line.number: requirement.located_at(
            build_shared_wheel(requirement.package, settings).as_uri()
        )
        for requirement in shared
    }
    lines = read_requirement_lines(requirements)
    return "".join(f"{wheels.get(line.number, line.text)}\n" for line in lines)


def _resolve_locked(
    lock: Path,
    lines: Sequence[str],
    built: Sequence[BuiltWheel],
    settings: Settings,
    requirements: Path,
) -> list[ResolvedPackage]:
    """Return the packages of a new lock with their wheels for the configured platform."""
    return resolve(
        lines,
        settings,
        where=requirements,
        wheels=[wheel.path.parent for wheel in built],
        limits=[f"{name}=={version}" for name, version in pins(lock)],
    )
