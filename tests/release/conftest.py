"""Release stores of each kind, for tests that read and write releases."""

from tests.store.readable_stores import (
    aws,
    moto,
    readable_store,
    release_bucket,
    seaweed,
    seaweed_release_bucket,
)

__all__ = [
    "aws",
    "moto",
    "readable_store",
    "release_bucket",
    "seaweed",
    "seaweed_release_bucket",
]
