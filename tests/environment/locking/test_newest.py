"""Newer versions that a lock passed over: each with the reason, asked of uv itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment import lock_requirements, report_lock
from slipway.environment.lock import pins
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse
from tests.environment.wheels.projects import project_files, write_sdist

Write = Callable[..., Path]


def passed_over(path: Path, settings: Settings) -> list[str]:
    lock_requirements(path, settings)
    return [str(passed) for passed in report_lock(path, settings).passed_over]


def test_a_newer_version_that_needs_a_package_without_wheels_is_named_with_a_fix_that_works(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings, slipway_cache: Path
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "0.11")
    wheelhouse.add("shapes", "1.3", requires=("rough==4.9",))
    write_sdist(project_files("rough", "4.9"), wheelhouse.folder, "rough", "4.9")
    path = requirements("numpy<2", "shapes")
    (passed,) = passed_over(path, settings)
    assert passed.startswith("shapes 0.11, not 1.3: 1.3 needs rough==4.9, which has no wheel")
    assert 'build-from-source = ["rough"]' in passed
    followed = replace(settings, build_from_source=("rough",))
    assert dict(pins(lock_requirements(path, followed, upgrade=True)))["shapes"] == "1.3"
    assert not report_lock(path, followed).passed_over


def test_a_newer_version_that_is_source_only_is_named(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("rough", "1.0")
    write_sdist(project_files("rough", "2.0"), wheelhouse.folder, "rough", "2.0")
    (passed,) = passed_over(requirements("numpy<2", "rough"), settings)
    assert passed.startswith("rough 1.0, not 2.0: 2.0 has no wheel for Python 3.12 on linux-64")


def test_a_newer_version_for_other_systems_is_named(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.0")
    wheelhouse.add("shapes", "2.0", tag="cp312-cp312-win_amd64")
    (passed,) = passed_over(requirements("numpy<2", "shapes"), settings)
    assert passed.startswith("shapes 1.0, not 2.0: 2.0 has no wheel")


def test_a_newer_version_for_a_later_python_is_named(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.0")
    wheelhouse.add("shapes", "2.0", tag="cp313-cp313-manylinux_2_17_x86_64")
    (passed,) = passed_over(requirements("numpy<2", "shapes"), settings)
    assert passed.startswith("shapes 1.0, not 2.0: 2.0 ")


def test_numpy_as_the_reason_is_named_also_for_a_package_that_another_one_needs(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", requires=("corners",))
    wheelhouse.add("corners", "1.0", requires=("numpy",))
    wheelhouse.add("corners", "2.0", requires=("numpy>=2",))
    (passed,) = passed_over(requirements("numpy<2", "shapes"), settings)
    assert passed == "corners 1.0, not 2.0: 2.0 needs numpy>=2"


def test_what_the_requirements_or_a_locked_package_limit_is_not_old(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.numpy("2.1.0")
    wheelhouse.add("shapes", requires=("corners<2",))
    wheelhouse.add("corners", "1.0")
    wheelhouse.add("corners", "2.0")
    assert not passed_over(requirements("numpy<2", "shapes"), settings)


def test_a_pin_of_the_lock_before_is_told_with_the_upgrade_as_its_fix(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.0")
    path = requirements("numpy<2", "shapes")
    lock_requirements(path, settings)
    wheelhouse.add("shapes", "1.1")
    (passed,) = passed_over(path, settings)
    assert passed == "shapes 1.0, not 1.1: both fit, and pins are kept (slipway lock --upgrade)"


def test_a_version_before_a_release_is_named_where_the_release_does_not_fit(
    requirements: Write, wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.3", requires=("numpy>=2",))
    wheelhouse.add("shapes", "1.4rc1")
    (passed,) = passed_over(requirements("numpy<2", "shapes>1"), settings)
    assert passed == "shapes 1.4rc1, not 1.3: 1.3 needs numpy>=2"


@pytest.mark.parametrize("variable", ["UV_CONFIG_FILE", "XDG_CONFIG_HOME"])
def test_the_users_configuration_of_uv_still_applies(
    variable: str,
    requirements: Write,
    wheelhouse: Wheelhouse,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "1.0")
    configuration = tmp_path / "configuration/uv/uv.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f'find-links = ["{wheelhouse.folder}"]\n')
    monkeypatch.delenv("UV_FIND_LINKS")
    chosen = configuration if variable == "UV_CONFIG_FILE" else configuration.parents[1]
    monkeypatch.setenv(variable, str(chosen))
    assert not passed_over(requirements("numpy<2", "shapes"), settings)
