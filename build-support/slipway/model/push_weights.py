"""Send the weights of a DVC pointer to its remote."""

from __future__ import annotations

import json
from dataclasses import dataclass

from slipway.errors import SlipwayError
from slipway.model.local_weights import reject_different
from slipway.model.pointer import DIRECTORY, Pointer, place_of
from slipway.model.weights import Weights, unreachable_error


@dataclass(frozen=True)
class Push:
    """``sent`` objects of ``size`` bytes went to ``remote``, by name and URL; 0: all were there."""

    pointer: Pointer
    remote: str
    sent: int
    size: int


def push_weights(pointer: Pointer, weights: Weights) -> Push:
    """Send what the pointer's remote lacks, from DVC's cache, and verify that it is there.

    Raises:
        SlipwayError: other weights lie next to the pointer, neither cache nor remote has those of
            the pointer, or the remote cannot be written.
    """
    from dvc_data.hashfile.hash_info import HashInfo

    reject_different(pointer, pointer.path, weights.root)
    remote = weights.remote_of(pointer)
    sent: list[str] = []
    try:
        for md5 in _objects(pointer, weights):
            result = weights.repo.cloud.push({HashInfo("md5", md5)}, remote=pointer.remote)
            sent += [transferred.value for transferred in result.transferred]
            if result.failed or not remote.odb.exists(md5):
                raise _not_sent(pointer, weights.cache.exists(md5), remote.name)
    except SlipwayError:
        raise
    except Exception as error:  # each remote's file system has errors of its own
        raise unreachable_error(pointer, remote, error) from error
    size = sum(weights.cache.fs.size(weights.cache.oid_to_path(md5)) for md5 in sent)
    return Push(pointer, f"{remote.name} ({remote.path})", len(sent), size)


def _not_sent(pointer: Pointer, in_cache: bool, remote: str) -> SlipwayError:
    if in_cache:
        return SlipwayError(
            f"remote {remote!r} did not take all of the weights",
            where=place_of(pointer.file),
            fix="dvc remote list; check that your credentials may write there",
        )
    return SlipwayError(
        f"neither the cache nor remote {remote!r} holds these weights",
        where=place_of(pointer.file),
        fix="push from where the weights were trained, or slipway weights add there",
    )


def _objects(pointer: Pointer, weights: Weights) -> list[str]:
    """Return the md5 of each object of the weights, as far as the cache knows them.

    A folder's list comes last: DVC takes a list in the remote as the sign that all of it is there.
    """
    if not pointer.md5.endswith(DIRECTORY) or not weights.cache.exists(pointer.md5):
        return [pointer.md5]
    with open(weights.cache.oid_to_path(pointer.md5), encoding="utf-8") as listing:
        return [*dict.fromkeys(entry["md5"] for entry in json.load(listing)), pointer.md5]
