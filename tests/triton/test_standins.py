"""The library that stands in for a backend is the release's, or the nearest that is locked."""

from __future__ import annotations

import pytest

from slipway.triton.standins import STANDINS, locked_versions, newest_lock, stand_in


@pytest.mark.parametrize(
    ("backend", "release", "text"),
    [
        ("fil", "25.04", "fil: Slipway's own, treelite 4.4.1"),
        ("fil", "24.11", "fil: Slipway's own, treelite 4.3.0, for 4.4.0"),
        ("fil", "23.12", "fil: Slipway's own, treelite 4.3.0, for 3.9.1"),
        ("fil", "27.01", "fil: Slipway's own, treelite 4.7.0"),
        ("openvino", "25.12", "openvino: Slipway's own, openvino 2025.3.0, for 2025.4.0"),
        ("pytorch", "26.05", "pytorch: Slipway's own, torch 2.14.1"),
    ],
)
def test_a_release_has_the_version_that_refuses_what_it_refuses(
    backend: str, release: str, text: str
) -> None:
    assert str(stand_in(backend, release)) == text


@pytest.mark.parametrize("backend", sorted(STANDINS))
def test_each_lock_has_the_version_of_its_name(backend: str) -> None:
    for version in locked_versions(backend):
        lock = newest_lock(backend).with_name(f"{backend}-{version}.txt")
        each = stand_in(backend, "25.04")
        assert f"{each.library}=={version} \\" in lock.read_text(encoding="utf-8")
