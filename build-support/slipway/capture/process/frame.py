"""What a server hands to its capturing process: a batch of exchanges at a time.

A frame is two lengths, a header of :mod:`marshal`, which both have from the same interpreter, and
the bodies as they are; small ones are in the header. No large body is copied to make one.
"""

from __future__ import annotations

import marshal
import os
import struct
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from slipway.capture.exchange import Exchange

LENGTHS = struct.Struct("<QQ")  # of the header, and of all bodies
MOST_BUFFERS = 1000  # of a writev; Linux takes 1,024
REQUEST, RESPONSE = 5, 7  # the places of the bodies in an exchange
MOST_INLINE = 256 << 10  # bytes of bodies: to copy them holds the interpreter
CHUNK = 1 << 20

Counted = Mapping[str, Mapping[str, int]]


class Frame(NamedTuple):
    """Exchanges, the rules of target models that were not sent before, as JSON values, and what the
    server has counted so far."""

    exchanges: Sequence[Exchange]
    rules: Mapping[str, Mapping[str, Any]]
    counts: Counted


def write_frame(descriptor: int, frame: Frame) -> None:
    """Write a frame to a pipe; wait while it is full.

    Raises:
        OSError: nobody reads it any more.
    """
    heads: list[tuple[Any, ...]] = list(map(tuple, frame.exchanges))
    bodies: list[bytes] = []
    if body_bytes(frame.exchanges) > MOST_INLINE:
        bodies = [body for each in frame.exchanges for body in (each.request, each.response)]
        heads = [
            (*head[:REQUEST], len(head[REQUEST]), head[6], len(head[RESPONSE]), *head[8:])
            for head in heads
        ]
    counts = {target: dict(counted) for target, counted in frame.counts.items()}
    header = marshal.dumps((heads, dict(frame.rules), counts))
    lengths = LENGTHS.pack(len(header), sum(map(len, bodies)))
    buffers: list[bytes | memoryview] = [lengths, header, *bodies]
    for start in range(0, len(buffers), MOST_BUFFERS):
        _write_all(descriptor, buffers[start : start + MOST_BUFFERS])


def read_frame(descriptor: int) -> Frame | None:
    """Read a frame from a pipe; ``None`` at its end, or where it was cut off."""
    lengths = _read_all(descriptor, LENGTHS.size)
    if lengths is None:
        return None
    size, total = LENGTHS.unpack(lengths)
    header, bodies = _read_all(descriptor, size), _read_all(descriptor, total)
    if header is None or bodies is None:
        return None
    heads, rules, counts = marshal.loads(header)
    if not total:
        return Frame([Exchange(*head) for head in heads], rules, counts)
    exchanges, offset = [], 0
    for head in heads:
        middle, end = offset + head[REQUEST], offset + head[REQUEST] + head[RESPONSE]
        request, response = bytes(bodies[offset:middle]), bytes(bodies[middle:end])
        exchanges.append(Exchange._make([*head[:REQUEST], request, head[6], response, *head[8:]]))
        offset = end
    return Frame(exchanges, rules, counts)


def body_bytes(exchanges: Sequence[Exchange]) -> int:
    """Return the bytes of all bodies, as :attr:`Exchange.size` does of one."""
    requests = sum(map(len, map(itemgetter(REQUEST), exchanges)))
    return requests + sum(map(len, map(itemgetter(RESPONSE), exchanges)))


def _write_all(descriptor: int, buffers: list[bytes | memoryview]) -> None:
    while buffers:
        written = os.writev(descriptor, buffers)
        while buffers and written >= len(buffers[0]):
            written -= len(buffers.pop(0))
        if written:
            buffers[0] = memoryview(buffers[0])[written:]


def _read_all(descriptor: int, size: int) -> memoryview | None:
    """Return ``size`` bytes; ``None`` if the pipe ends before."""
    data = memoryview(bytearray(size))
    done = 0
    while done < size:
        count = os.readv(descriptor, [data[done : done + CHUNK]])
        if not count:
            return None
        done += count
    return data
