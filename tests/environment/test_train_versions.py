"""A conversion's lock with the versions of a training, resolved from a folder of wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.environment.lock import pins
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.formats.train_versions import lock_with
from tests.environment.wheelhouse import Wheelhouse


@pytest.fixture
def base(tmp_path: Path, wheelhouse: Wheelhouse, slipway_cache: Path) -> Path:
    """Return a lock with its list: a framework of which two versions exist, and another."""
    for version in ("1.0", "2.0"):
        wheelhouse.add("forest_cpu", version, requires=("arrays",))
    wheelhouse.add("arrays", "1.0")
    wheelhouse.add("extra", "0.3", requires=("arrays>=1",))
    (tmp_path / "forest.in").write_text("# reads forests\narrays==1.0\nforest-cpu==2.0\n")
    return tmp_path / "forest.txt"


def test_the_trainings_version_replaces_that_of_the_list(
    base: Path, wheelhouse: Wheelhouse
) -> None:
    lock = lock_with(base, ["forest-cpu==1.0"])
    assert dict(pins(lock)) == {"arrays": "1.0", "forest-cpu": "1.0"}
    wheel = next(wheelhouse.folder.glob("forest_cpu-1.0-*"))
    assert f"sha256:{sha256_of(wheel)}" in lock.read_text()


def test_a_package_may_have_the_name_that_the_training_has_for_it(base: Path) -> None:
    assert dict(pins(lock_with(base, ["Forest==1.0"])))["forest-cpu"] == "1.0"


def test_a_package_that_the_list_lacks_is_added(base: Path) -> None:
    assert dict(pins(lock_with(base, ["extra==0.3"]))) == {
        "arrays": "1.0",
        "extra": "0.3",
        "forest-cpu": "2.0",
    }


def test_asking_again_needs_no_index(
    base: Path, wheelhouse: Wheelhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lock_with(base, ["extra==0.3", "forest-cpu==1.0"])
    for wheel in wheelhouse.folder.iterdir():
        wheel.unlink()
    assert lock_with(base, ["forest-cpu==1.0", "extra==0.3"]) == first


def test_a_version_that_does_not_exist_is_refused_with_what_was_asked(base: Path) -> None:
    with pytest.raises(SlipwayError, match="locking forest-cpu==9.0") as refused:
        lock_with(base, ["forest-cpu==9.0"])
    assert "have wheels for this Python" in (refused.value.fix or "")


@pytest.mark.parametrize("text", ["forest-cpu", "forest-cpu>=1", "forest-cpu==1.0; x", "==1", ""])
def test_what_is_not_one_version_is_refused(base: Path, text: str) -> None:
    with pytest.raises(SlipwayError, match="not NAME==VERSION"):
        lock_with(base, [text])
