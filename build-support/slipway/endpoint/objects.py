"""The objects below an endpoint's prefix: its ``ModelDataUrl`` plus the target model."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO

from slipway.catalog import keys
from slipway.endpoint.failure import Failure, invalid
from slipway.store.interface import Reader, Stat


class Objects:
    """What an endpoint can load; ``prefix`` ends in a slash."""

    def __init__(self, reader: Reader, prefix: str) -> None:
        self._reader = reader
        self.prefix = prefix

    def stat(self, target: str) -> Stat:
        """Size and version of a target's object.

        Raises:
            Failure: 400, there is none.
            SlipwayError: the store cannot be read.
        """
        found = self._reader.stat(self.prefix + target)
        if found is None:
            raise self.missing(target)
        return found

    def open(self, target: str) -> AbstractContextManager[BinaryIO]:
        """The object's bytes as a stream."""
        return self._reader.open(self.prefix + target)

    def missing(self, target: str) -> Failure:
        """The failure for a target that has no object."""
        return invalid(
            f"Failed to download model data (key: {self.prefix}{target}): there is no such object."
            f" Publish it, or correct TargetModel"
        )


def check(target: str | None) -> str:
    """``target`` if it can be the key of an object below the prefix.

    Raises:
        Failure: 400, it cannot, or is missing.
    """
    if not target:
        raise invalid("TargetModel is missing: a multi-model endpoint needs it at each invocation")
    wrong = keys.wrong_target(target)
    if wrong is not None:
        raise invalid(f"TargetModel {wrong}")
    return target
