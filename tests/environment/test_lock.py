from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.environment import check_lock, lock_requirements
from slipway.environment.lock import normalised_requirements, pins
from slipway.errors import SlipwayError
from slipway.settings import Settings
from slipway.triton.image import numpy_support
from tests.environment.wheelhouse import Wheelhouse


def test_a_lock_pins_every_package_with_hashes(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes", "2.1", requires=("corners",))
    wheelhouse.add("corners", "0.3")
    path = lock_requirements(requirements("numpy<2", "shapes"), settings)
    text = path.read_text()
    assert path.name == "requirements.lock"
    assert dict(pins(path)) == {"numpy": "1.26.4", "shapes": "2.1", "corners": "0.3"}
    assert text.count("--hash=sha256:") == 3
    assert text.startswith("# slipway: requirements sha256=")


def test_a_lock_does_not_name_the_machine(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, tmp_path: Path
) -> None:
    wheelhouse.numpy()
    text = lock_requirements(requirements("numpy"), settings).read_text()
    assert str(tmp_path) not in text
    assert "://" not in text and "aside" not in text


def test_locking_again_keeps_pins_without_an_upgrade(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy("1.26.3")
    path = lock_requirements(requirements("numpy<2"), settings)
    first = path.read_text()
    wheelhouse.numpy("1.26.4")
    assert lock_requirements(requirements("numpy<2"), settings).read_text() == first
    upgraded = lock_requirements(requirements("numpy<2"), settings, upgrade=True)
    assert dict(pins(upgraded)) == {"numpy": "1.26.4"}


def test_a_lock_of_other_requirements_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes")
    path = lock_requirements(requirements("numpy"), settings)
    with pytest.raises(SlipwayError, match="has changed since it was locked") as refused:
        check_lock(requirements("numpy", "shapes"), path)
    assert "slipway lock" in (refused.value.fix or "")


def test_comments_order_and_spelling_of_requirements_may_change(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    wheelhouse.add("shapes")
    path = lock_requirements(requirements("numpy <2", "shapes"), settings)
    check_lock(requirements("# what model.py draws with", "Shapes  # pretty", "", "numpy<2"), path)


def test_a_missing_lock_is_named_with_its_fix(requirements: Callable[..., Path]) -> None:
    path = requirements("numpy")
    with pytest.raises(SlipwayError, match="there is no lock"):
        check_lock(path, path.with_name("requirements.lock"))


def test_a_lock_from_elsewhere_is_refused(requirements: Callable[..., Path]) -> None:
    path = requirements("numpy")
    other = path.with_name("requirements.lock")
    other.write_text("numpy==1.26.4\n")
    with pytest.raises(SlipwayError, match="not locked by Slipway"):
        check_lock(path, other)


def test_an_environment_without_numpy_is_refused(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.add("shapes")
    with pytest.raises(SlipwayError, match="without numpy"):
        lock_requirements(requirements("shapes"), settings)


def test_numpy_2_is_locked_where_both_configured_releases_can_serve_it(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy("2.1.0")
    for test_release in ("24.10", "25.04"):
        newer = replace(settings, test_release=test_release)
        assert dict(pins(lock_requirements(requirements("numpy"), newer))) == {"numpy": "2.1.0"}


@pytest.mark.parametrize(
    ("serving", "testing", "reason"),
    [
        ("24.10", "24.10", "the Python stub of Triton 24.10 returns empty tensors with numpy 2"),
        ("24.10", "25.04", "the Python stub of Triton 24.10 returns empty tensors with numpy 2"),
        ("25.04", "24.09", "the Python stub of Triton 24.09 returns empty tensors with numpy 2"),
    ],
)
def test_numpy_2_is_refused_for_releases_that_cannot_serve_it(
    requirements: Callable[..., Path],
    wheelhouse: Wheelhouse,
    settings: Settings,
    serving: str,
    testing: str,
    reason: str,
) -> None:
    wheelhouse.numpy("2.1.0")
    older = replace(settings, triton_release=serving, test_release=testing)
    with pytest.raises(SlipwayError, match=reason) as refused:
        lock_requirements(requirements("numpy"), older)
    assert refused.value.fix == "write numpy<2 in requirements.txt and lock again"
    wheelhouse.numpy("1.26.4")
    assert dict(pins(lock_requirements(requirements("numpy<2"), older))) == {"numpy": "1.26.4"}


def test_the_newest_numpy_that_can_be_served_is_locked(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    newest = numpy_support.TESTED_VERSIONS[-1]
    for version in ("1.26.4", newest, "2.99.0"):
        wheelhouse.numpy(version)
    wheelhouse.add("shapes", requires=("numpy",))
    locked = lock_requirements(requirements("shapes"), settings)
    assert dict(pins(locked)) == {"numpy": newest, "shapes": "1.0"}
    older = replace(settings, triton_release="24.10")
    locked = lock_requirements(requirements("shapes"), older)
    assert dict(pins(locked)) == {"numpy": "1.26.4", "shapes": "1.0"}


@pytest.mark.parametrize("version", ["2.99.0", "2.2.99"])
def test_a_numpy_that_was_not_tested_is_refused_and_the_fix_works(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings, version: str
) -> None:
    wheelhouse.numpy(version)
    with pytest.raises(SlipwayError, match="was tested with numpy 1, and with numpy 2") as refused:
        lock_requirements(requirements("numpy>=2"), settings)
    wheelhouse.numpy("2.1.0")
    written = re.fullmatch(r"write (\S+) in requirements.txt .*", refused.value.fix or "")
    assert written is not None
    locked = lock_requirements(requirements(written[1]), settings)
    assert dict(pins(locked)) == {"numpy": "2.1.0"}


def test_a_refused_lock_leaves_the_old_one(
    requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings
) -> None:
    wheelhouse.numpy()
    path = lock_requirements(requirements("numpy"), settings)
    before = path.read_bytes()
    with pytest.raises(SlipwayError):
        lock_requirements(requirements("numpy", "nonesuch"), settings)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, "requirements.txt"]


@given(st.permutations(["numpy<2", "pillow", "scipy==1.13.0", "# comment", ""]))
def test_the_order_of_requirements_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("order") / "requirements.txt"
    path.write_text("\n".join(lines))
    assert normalised_requirements(path) == "numpy<2\npillow\nscipy==1.13.0"
