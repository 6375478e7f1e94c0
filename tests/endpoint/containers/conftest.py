"""An endpoint of two releases of the same model, in containers of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slipway.endpoint.serving import RunningEndpoints
from slipway.release.publish import Release
from slipway.settings import Settings
from tests.endpoint.containers import sample


@pytest.fixture(scope="package")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample's repository."""
    return sample.copy_repository(tmp_path_factory.mktemp("containers"))


@pytest.fixture(scope="package")
def releases(repository: Settings) -> list[Release]:
    """Two releases of ``wines``: a regression, and a forest."""
    first = sample.release(repository, sample.build_wines(repository))
    second = sample.release(
        repository, sample.build_wines(repository, "1.1.0", weights="forest.skops")
    )
    return [first, second]


@pytest.fixture(scope="package")
def running(repository: Settings, releases: list[Release]) -> Iterator[RunningEndpoints]:
    """The endpoint ``wines``, invoked directly."""
    with sample.up(repository, "wines") as endpoints:
        yield endpoints
