"""Callers at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

type Pool = ThreadPoolExecutor


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Threads that ask beside the test's own."""
    with ThreadPoolExecutor(24) as threads:
        yield threads
