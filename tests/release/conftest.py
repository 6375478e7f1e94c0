"""Release stores of each kind, for tests that read and write releases."""

from tests.store.places import aws, moto, place, release_bucket

__all__ = ["aws", "moto", "place", "release_bucket"]
