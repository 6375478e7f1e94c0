"""Functions of ``np.char`` and ``np.strings``."""

from __future__ import annotations

from slipway.check.inference.numpy.rule import Call, function
from slipway.check.inference.values import UNKNOWN, Array, Value

SAME = """add capitalize center expandtabs ljust lower lstrip multiply replace rjust rstrip strip
swapcase title upper zfill""".split()
FLAGS = """endswith isalnum isalpha isdecimal isdigit islower isnumeric isspace istitle isupper
startswith""".split()
NUMBERS = "count find index rfind rindex str_len".split()


def _names(names: list[str]) -> str:
    return " ".join(f"char.{name}" for name in names)


@function(_names(SAME), "a first second third")
def same(call: Call) -> Value:
    found = call.array("a")
    return _of_rank(found.dtype if found.dtype in ("str", "bytes") else None, found.rank)


@function(_names(FLAGS), "a first start end")
def flags(call: Call) -> Value:
    return _of_rank("bool", call.array("a").rank)


@function(_names(NUMBERS), "a first start end")
def numbers(call: Call) -> Value:
    return _of_rank("int64", call.array("a").rank)


@function("char.encode", "a encoding errors")
def encode(call: Call) -> Value:
    return _of_rank("bytes", call.array("a").rank)


@function("char.decode", "a encoding errors")
def decode(call: Call) -> Value:
    return _of_rank("str", call.array("a").rank)


def _of_rank(dtype: str | None, rank: int | None) -> Value:
    return Array(dtype, rank) if rank else UNKNOWN  # of a text, it may be a text of Python's
