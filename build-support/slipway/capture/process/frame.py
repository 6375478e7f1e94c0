"""What a server hands to its capturing process: a batch of exchanges at a time.

A frame is two lengths, a header of :mod:`marshal`, which both have from the same interpreter, and
the bodies as they are; small ones are in the header. No large body is copied to make one.

The header has the exchanges by column: whom they asked is mostly the same for all of them.
"""

from __future__ import annotations

import marshal
import os
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from slipway.capture.exchange import Exchange

LENGTHS = struct.Struct("<QQ")  # of the header, and of all bodies
MOST_BUFFERS = 1000  # of a writev; Linux takes 1,024
REQUEST, RESPONSE = 5, 7  # the places of the bodies in an exchange
SHARED = (2, 3, 4, 6, 8, 9, 10)  # those of strings that many exchanges share
MOST_INLINE = 256 << 10  # bytes of bodies: to copy them holds the interpreter
CHUNK = 1 << 20
PLAIN = 2  # version of marshal: later ones look for objects that are there twice

Counted = Mapping[str, Mapping[str, int]]


class Frame(NamedTuple):
    """Exchanges, the rules of target models that were not sent before, as JSON values, and what the
    server has counted so far, of some target models at least."""

    exchanges: Sequence[Exchange]
    rules: Mapping[str, Mapping[str, Any]]
    counts: Counted


def write_frame(
    descriptor: int, frame: Frame, wait_for_room: Callable[[], object] = lambda: None
) -> None:
    """Write a frame to a pipe; call ``wait_for_room`` while it is full, if it does not block.

    Raises:
        OSError: nobody reads it any more.
    """
    columns: list[Any] = list(zip(*frame.exchanges))
    bodies: list[bytes] = []
    if body_bytes(frame.exchanges) > MOST_INLINE:
        bodies = [body for each in frame.exchanges for body in (each.request, each.response)]
        for place in (REQUEST, RESPONSE):
            columns[place] = list(map(len, columns[place]))
    for place in SHARED if columns else ():
        columns[place] = _shared(columns[place])
    counts = {target: dict(counted) for target, counted in frame.counts.items()}
    header = marshal.dumps((columns, dict(frame.rules), counts), PLAIN)
    lengths = LENGTHS.pack(len(header), sum(map(len, bodies)))
    buffers: list[bytes | memoryview] = [lengths, header, *bodies]
    for start in range(0, len(buffers), MOST_BUFFERS):
        _write_all(descriptor, buffers[start : start + MOST_BUFFERS], wait_for_room)


def read_frame(descriptor: int) -> Frame | None:
    """Read a frame from a pipe; ``None`` at its end, or where it was cut off."""
    lengths = _read_all(descriptor, LENGTHS.size)
    if lengths is None:
        return None
    size, total = LENGTHS.unpack(lengths)
    header, bodies = _read_all(descriptor, size), _read_all(descriptor, total)
    if header is None or bodies is None:
        return None
    columns, rules, counts = marshal.loads(header)
    for place in SHARED if columns else ():
        values, places = columns[place]
        columns[place] = values * len(columns[0]) if places is None else [values[n] for n in places]
    if total:
        columns[REQUEST], columns[RESPONSE] = _cut(bodies, columns[REQUEST], columns[RESPONSE])
    return Frame(list(map(Exchange._make, zip(*columns))), rules, counts)


def body_bytes(exchanges: Sequence[Exchange]) -> int:
    """Return the bytes of all bodies, as :attr:`Exchange.size` does of one."""
    requests = sum(map(len, map(itemgetter(REQUEST), exchanges)))
    return requests + sum(map(len, map(itemgetter(RESPONSE), exchanges)))


def _shared(column: Sequence[str]) -> tuple[list[str], list[int] | None]:
    """Return the values that a column has, and where each is; not where that is everywhere."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(column))}
    return list(numbers), list(map(numbers.__getitem__, column)) if len(numbers) > 1 else None


def _cut(
    bodies: memoryview, requests: Iterable[int], responses: Iterable[int]
) -> tuple[list[bytes], list[bytes]]:
    """Return the bodies by their lengths: a request and its response are side by side."""
    cut: tuple[list[bytes], list[bytes]] = [], []
    offset = 0
    for lengths in zip(requests, responses):
        for side, length in zip(cut, lengths):
            side.append(bytes(bodies[offset : offset + length]))
            offset += length
    return cut


def _write_all(
    descriptor: int, buffers: list[bytes | memoryview], wait_for_room: Callable[[], object]
) -> None:
    while buffers:
        try:
            written = os.writev(descriptor, buffers)
        except BlockingIOError:
            wait_for_room()
            continue
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
