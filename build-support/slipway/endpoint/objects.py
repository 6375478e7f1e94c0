"""The objects below an endpoint's prefix: ``ModelDataUrl`` plus the target model."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO

from slipway.catalog import keys
from slipway.endpoint.failure import Failure, invalid
from slipway.store.interface import Reader, Stat


class Objects:
    """The objects that an endpoint can load; ``prefix`` ends in a slash."""

    def __init__(self, reader: Reader, prefix: str) -> None:
        self._reader = reader
        self.prefix = prefix

    def stat(self, target: str) -> Stat:
        """Return size and version of a target's object.

        Raises:
            Failure: 400, it does not exist.
            SlipwayError: the store cannot be read.
        """
        stat = self._reader.stat(self.prefix + target)
        if stat is None:
            raise self.missing(target)
        return stat

    def open(self, target: str) -> AbstractContextManager[BinaryIO]:
        """Open the object as a stream."""
        return self._reader.open(self.prefix + target)

    def missing(self, target: str) -> Failure:
        """Return the failure for a target that has no object."""
        return invalid(
            f"Failed to download model data (key: {self.prefix}{target}): the object does not"
            " exist. Publish it, or correct TargetModel"
        )


def check(target: str | None) -> str:
    """Return ``target`` if it can be the key of an object below the prefix.

    Raises:
        Failure: 400, it cannot, or is missing.
    """
    if not target:
        raise invalid("TargetModel is missing: a multi-model endpoint needs it in each invocation")
    problem = keys.target_problem(target)
    if problem is not None:
        raise invalid(f"TargetModel {problem}")
    return target
