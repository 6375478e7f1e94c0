"""The objects below an endpoint's prefix: its ``ModelDataUrl`` plus the target model."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import BinaryIO

from slipway.endpoint.failure import Failure, invalid
from slipway.release.store import Reader, Stat

LONGEST = 1024  # characters of a target model (AWS, InvokeEndpoint)
# Triton's Python backend makes the target model's name, unquoted, a part of a command line that a
# shell reads (stub_launcher.cc; seen on 24.10: `$(…)` in it is run, and `<` lets a load never return)
HARMLESS = re.compile(r"[A-Za-z0-9._+=@,:/-]+")


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
    if len(target) > LONGEST:
        raise invalid(f"TargetModel has {len(target)} characters, at most {LONGEST} are allowed")
    if not HARMLESS.fullmatch(target):
        raise invalid(
            "TargetModel holds other characters than letters, digits and . _ + = @ , : / -"
        )
    # a part that begins with a dot leads elsewhere, or to a file that is still being written
    if any(not part or part.startswith(".") for part in target.split("/")):
        raise invalid(f"TargetModel {target!r} is no key below the endpoint's prefix")
    return target
