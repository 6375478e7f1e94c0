"""The type of a result from the types of its operands, by numpy's own tables.

numpy 1 looks at the values of scalars and of arrays of rank 0 where an array takes part; numpy 2
looks only at types, and Python's scalars adapt to an array's (NEP 50).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from slipway.check.inference.numpy import tables
from slipway.check.inference.numpy.dtypes import (
    COMPLEX,
    FLOATS,
    LETTERS,
    SIGNED,
    UNSIGNED,
    letter,
    name_of,
)

FAILS, DIFFERS = "-", "."
LARGEST = {"e": 65504.0, "f": 3.4e38}
FULL = {"bool": "?", "int": "l", "float": "d", "complex": "D", "str": "U", "bytes": "S"}


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand: ``python`` is the kind of a Python scalar, ``value`` its value if known."""

    dtype: str | None
    rank: int | None
    python: str | None = None
    value: object = None


def unary(function: str, dtype: str | None, *, numpy_2: bool | None) -> str | None:
    """Return the type of an elementwise function of one array; ``None`` if it is not certain."""
    rows = _unary_tables()[function]
    chosen = rows if numpy_2 is None else (rows[numpy_2],)
    at = letter(dtype)
    found = {row[LETTERS.index(at)] for row in chosen} if at else {*"".join(chosen)} - {FAILS}
    result = found.pop() if len(found) == 1 else FAILS
    return name_of(result if at or result == "?" else FAILS)


def binary(function: str, left: Operand, right: Operand, *, numpy_2: bool | None) -> str | None:
    """Return the type of an elementwise function of two operands; ``None`` if not certain."""
    tables_of = _binary_tables()[function]
    if numpy_2 is None:
        first = _of_numpy_1(tables_of[0], left, right)
        return first if first == _of_numpy_2(tables_of[1], left, right) else None
    return (_of_numpy_2 if numpy_2 else _of_numpy_1)(tables_of[numpy_2], left, right)


def common(dtypes: list[str | None]) -> str | None:
    """Return the type of arrays of these types that become one array; ``None`` if not certain."""
    if len(set(dtypes)) == 1:
        return dtypes[0]
    result = dtypes[0] if dtypes else None
    for dtype in dtypes[1:]:
        result = binary("promote", Operand(result, 1), Operand(dtype, 1), numpy_2=True)
    return None if None in dtypes else result


def is_elementwise(function: str) -> int:
    """Return how many arrays an elementwise function takes: 1 or 2; 0 if it is none."""
    if function in ("promote", "matmul"):
        return 0
    return 1 if function in _unary_tables() else 2 if function in _binary_tables() else 0


def _of_numpy_2(rows: tuple[str, ...], left: Operand, right: Operand) -> str | None:
    return _look_up(rows, _adapted(left, right), _adapted(right, left))


def _adapted(operand: Operand, other: Operand) -> str:
    """Return the letters of a type as numpy 2 takes it: a Python scalar adapts to the other's."""
    at = letter(operand.dtype)
    if operand.python not in ("int", "float", "complex"):
        return at or ""
    beside = letter(other.dtype)
    if other.python is not None:
        return FULL[operand.python]
    if beside is None:
        return ""
    adapts_to = {
        "int": SIGNED + UNSIGNED + FLOATS + COMPLEX + "O",
        "float": FLOATS + COMPLEX + "O",
        "complex": COMPLEX + "O",
    }[operand.python]
    if operand.python == "complex" and beside in "ef":
        return "F"
    return beside if beside in adapts_to else FULL[operand.python]


def _of_numpy_1(rows: tuple[str, ...], left: Operand, right: Operand) -> str | None:
    if left.rank is None or right.rank is None:
        known = left if right.rank is None else right
        ranks = (0, 1) if known.rank is None else (known.rank,)
        results = {
            _of_numpy_1(
                rows,
                _with_rank(left, ranks, one),
                _with_rank(right, ranks, other),
            )
            for one in (0, 1)
            for other in (0, 1)
        }
        return results.pop() if len(results) == 1 else None
    by_value = (left.rank == 0) != (right.rank == 0)
    if not by_value:
        return _look_up(rows, letter(left.dtype) or "", letter(right.dtype) or "")
    if left.rank == 0:
        return _look_up(rows, _by_value(left, right), letter(right.dtype) or "")
    return _look_up(rows, letter(left.dtype) or "", _by_value(right, left))


def _with_rank(operand: Operand, ranks: tuple[int, ...], rank: int) -> Operand:
    if operand.rank is not None:
        return operand
    return Operand(operand.dtype, rank, operand.python, operand.value)


def _by_value(scalar: Operand, array: Operand) -> str:
    """Return the types that numpy 1 may take a scalar for, beside an array."""
    full, other = letter(scalar.dtype), letter(array.dtype)
    if full is None or other is None:
        return ""
    if _category(full) > _category(other) or "O" in (full, other):
        return full
    if scalar.python == "int" and type(scalar.value) is int:
        return _of_int(scalar.value, other)
    if full in SIGNED + UNSIGNED:
        smaller = SIGNED + UNSIGNED
        size = "bBhHiIlL".index(full) | 1  # one that is not negative may be unsigned
        return "".join(c for c in smaller if "bBhHiIlL".index(c) <= size)
    if scalar.python == "float" and type(scalar.value) is float:
        size_of = abs(scalar.value)
        finite = size_of != float("inf") and size_of == size_of
        return next((c for c in "ef" if not finite or size_of <= LARGEST[c]), "d")
    if full in FLOATS:
        return "ef"[: FLOATS.index(full) + 1]  # a number that no float32 holds is not meant
    return "" if full in COMPLEX else full


def _of_int(value: int, other: str) -> str:
    """Return the type that numpy 1 takes an integer for; "" where it is wider than the array."""
    bits = (8, 16, 32, 64)
    if other in UNSIGNED:
        return other if 0 <= value < 2 ** bits[UNSIGNED.index(other)] else ""
    if other in SIGNED:
        limit = 2 ** (bits[SIGNED.index(other)] - 1)
        return other if -limit <= value < limit else ""
    fits = [c for c, n in zip(UNSIGNED, bits, strict=True) if 0 <= value < 2**n]
    fits += [c for c, n in zip(SIGNED, bits, strict=True) if -(2 ** (n - 1)) <= value < 0]
    return fits[0] if fits else ""


def _category(at: str) -> int:
    return 0 if at == "?" else 1 if at in SIGNED + UNSIGNED else 2 if at in FLOATS + COMPLEX else 3


@cache
def _look_up(rows: tuple[str, ...], left: str, right: str) -> str | None:
    """Return the one type in the rows and columns of these letters; of any, if there is none."""
    certain = bool(left and right)
    found = {
        rows[LETTERS.index(a)][LETTERS.index(b)] for a in left or LETTERS for b in right or LETTERS
    }
    if not certain:
        found.discard(FAILS)
    result = found.pop() if len(found) == 1 else FAILS
    return name_of(result) if certain or result == "?" else None


@cache
def _unary_tables() -> dict[str, tuple[str, str]]:
    return {name: (one, two or one) for names, one, two in tables.UNARY for name in names.split()}


@cache
def _binary_tables() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {
        name: (tuple(one.split()), tuple((two or one).split()))
        for names, one, two in tables.BINARY
        for name in names.split()
    }
