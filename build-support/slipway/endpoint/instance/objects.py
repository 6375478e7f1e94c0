"""The objects below an endpoint's prefix: ``ModelDataUrl`` plus the target model."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO

from slipway.catalog import keys
from slipway.catalog.catalog import Catalog
from slipway.endpoint.failure import Failure, invalid
from slipway.errors import SlipwayError
from slipway.store.interface import Stat
from slipway.store.stage import StageReader


class Objects:
    """The objects of one stage that an endpoint can load; ``prefix`` ends in a slash."""

    def __init__(self, releases: StageReader) -> None:
        self._reader = releases.store
        self._catalog = Catalog(releases)
        self.prefix = keys.models(releases.name)

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

    def compare(self, target: str, sha256: str, size: int) -> None:
        """Compare what was read of a target's object with the catalog, if that has a record of it.

        Raises:
            SlipwayError: digest or ``size``, in bytes, differ; or the record is damaged.
        """
        # a release version has no underscore (semver.org, item 10)
        name = target.rpartition("_")[0]
        record = self._catalog.find_record(name, target) if name else None
        if record is None:
            return
        if record.size is not None and size != record.size:
            what = f"its object has {size:,} bytes, {record.size:,} were published"
        elif sha256 != record.sha256:
            what = f"its object has the SHA-256 {sha256}, {record.sha256} was published"
        else:
            return
        raise SlipwayError(
            what,
            where=f"{self.prefix}{target}",
            fix=f"slipway verify {name} {record.version}; a changed model is published under a"
            " new release version",
        )

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
