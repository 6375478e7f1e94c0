"""Random expressions over real arrays: what the rules say of each, and what numpy answers.

The rules take arrays and lists of unknown length as not empty, and those of unknown rank as no
arrays of objects of rank 0; so do the expressions.

``python -m tests.check.inference.numpy_law --examples 100000`` tries many, with the numpy that the
interpreter has.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import click
import numpy as np

from slipway.check.inference import numpy as rules
from slipway.check.inference.numpy.dtypes import NAMES
from slipway.check.inference.numpy.methods import AS_FUNCTIONS
from slipway.check.inference.numpy.operators import SYMBOLS, UNARY_SYMBOLS
from slipway.check.inference.numpy.promotion import _binary_tables, _unary_tables
from slipway.check.inference.numpy.rule import FUNCTIONS, METHODS
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    DType,
    Opaque,
    Scalar,
    Sequence,
    Value,
    join,
)

NUMPY_2 = not np.__version__.startswith("1.")
KINDS = {bool: "bool", int: "int", float: "float", complex: "complex", str: "str", bytes: "bytes"}
CHARACTERS = dict(zip(NAMES, "?bBhHiIlLefdFDOUS", strict=True))
LARGEST_SIZE = 512
SIZED = {"arange", "bincount", "linspace"}  # their results are as long as their arguments say


@dataclass(frozen=True)
class Pair:
    """A real value, what the rules say of it, and how it came about."""

    real: Any
    value: Value
    text: str


@dataclass
class Law:
    """Draws expressions; counts what the rules determine, and keeps what they get wrong."""

    random: Random
    numpy_2: bool | None = NUMPY_2
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self, expressions: int) -> None:
        """Try as many expressions that numpy can evaluate."""
        pool: list[Pair] = []
        tried = 0
        while tried < expressions:
            if tried % 40 == 0 or len(pool) < 3:
                pool = [self._array() for _ in range(3)]
            drawn = self.random.choice(ACTIONS)(self, pool)
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    real = drawn.call()
            except Exception:
                self.counts["errors"] += 1
                continue
            if ".astype(" in drawn.text[-30:] and not isinstance(real, np.ndarray | np.generic):
                continue  # one of numpy's scalars as an object
            tried += 1
            said = drawn.rule()
            self._count(said)
            if not agrees(said, real):
                self.wrong.append(f"{drawn.text[-200:]} is {_describe(real)}, not {said}")
            elif _is_usual(real):
                pool[self.random.randrange(len(pool))] = Pair(real, said, drawn.text[:200])

    def _count(self, said: Value) -> None:
        if isinstance(said, Array):
            self.counts["arrays"] += 1
            self.counts["types known"] += said.dtype is not None
            self.counts["ranks known"] += said.rank is not None
        else:
            self.counts["unknown" if said is UNKNOWN else "other values"] += 1

    def _array(self) -> Pair:
        dtype = self.random.choice([*NAMES, "float32", "float64", "int64", "uint8", "object"])
        least = 1 if dtype == "object" else 0
        shape = tuple(self.random.randint(1, 3) for _ in range(self.random.randint(least, 3)))
        numbers = [self.random.choice((0, 1, 2, 7, 100)) for _ in range(int(np.prod(shape)))]
        real: Any = np.array(numbers).reshape(shape).astype(CHARACTERS[dtype])
        if not shape and self.random.random() < 0.5 and dtype != "object":
            real = real[()]
        text = f"{type(real).__name__}:{dtype}{list(shape)}"
        known = Array(dtype, real.ndim, isinstance(real, np.generic))
        forgets = self.random.random()
        if forgets < 0.05:
            known = Array(None, known.rank, known.is_scalar)
        elif forgets < 0.1 and not known.is_scalar:
            known = Array(dtype, None)
        return Pair(real, known, text)

    def argument(self, name: str, pool: list[Pair]) -> Pair | None:
        """Return an argument for the parameter of this name, or ``None`` to leave it out."""
        draw = ARGUMENTS.get(name)
        if draw is not None:
            return draw(self, pool)
        return self.operand(pool) if name in OPERANDS else None

    def operand(self, pool: list[Pair]) -> Pair:
        """Return an array of the pool, or a scalar or a list."""
        if self.random.random() < 0.75:
            return self.random.choice(pool)
        return self.scalar() if self.random.random() < 0.6 else self.sequence(pool)

    def scalar(self) -> Pair:
        """Return a Python scalar, of which the value is known or not."""
        numbers = (True, 0, 1, -1, 3, 200, 70000, 2**40, 0.5, 2.0, 1e6, 1e30, 1j, "a", b"b", None)
        real = self.random.choice(numbers)
        if real is None:
            return Pair(None, NONE, "None")
        known = Scalar(KINDS[type(real)], real)  # type: ignore[arg-type]
        value = known if self.random.random() < 0.5 else Scalar(known.kind)
        return Pair(real, value, repr(real))

    def sequence(self, pool: list[Pair]) -> Pair:
        """Return a list or a tuple, of which the items are known or not."""
        one = self.random.choice(pool) if self.random.random() < 0.5 else self.scalar()
        parts = [one] * self.random.randint(1, 3)
        if self.random.random() < 0.3:
            parts.append(self.random.choice(pool) if self.random.random() < 0.5 else self.scalar())
        if self.random.random() < 0.2:
            parts = [self._wrapped(part) for part in parts]
        kind = self.random.choice(("list", "tuple"))
        real: Any = [part.real for part in parts]
        items = tuple(part.value for part in parts)
        known = self.random.random() < 0.6
        value = Sequence(items if known else None, join(items), kind)  # type: ignore[arg-type]
        text = f"[{', '.join(part.text for part in parts)}]"
        return Pair(tuple(real) if kind == "tuple" else real, value, text)

    def _wrapped(self, part: Pair) -> Pair:
        return Pair([part.real], Sequence((part.value,), part.value), f"[{part.text}]")

    def integers(self) -> Pair:
        """Return a shape, or an axis: an integer or a tuple."""
        if self.random.random() < 0.6:
            number = self.random.choice((0, 0, 1, 1, 2, -1))
            return Pair(number, Scalar("int", number), str(number))
        numbers = tuple(
            self.random.choice((0, 1, 1, 2, 3, -1)) for _ in range(self.random.randint(0, 3))
        )
        values = tuple(Scalar("int", n) for n in numbers)
        return Pair(numbers, Sequence(values, join(values), "tuple"), str(numbers))

    def dtype(self) -> Pair:
        """Return a type, as an object or by its name."""
        name = self.random.choice(NAMES)
        text = CHARACTERS[name] if name in ("str", "bytes") else name
        if self.random.random() < 0.5:
            return Pair(np.dtype(text), DType(name), f"np.{name}")
        return Pair(text, Scalar("str", text), repr(text))

    def flag(self) -> Pair:
        """Return a flag, of which the value is known or not."""
        real = self.random.random() < 0.5
        value = Scalar("bool", real) if self.random.random() < 0.7 else Scalar("bool")
        return Pair(real, value, str(real))

    def index(self, pool: list[Pair]) -> Pair:
        """Return an index: one key or a tuple of keys."""
        keys = [self._key(pool) for _ in range(self.random.choice((1, 1, 1, 2, 2, 3)))]
        if len(keys) == 1 and self.random.random() < 0.8:
            return keys[0]
        values = tuple(key.value for key in keys)
        value = Sequence(values, join(values), "tuple")
        return Pair(tuple(k.real for k in keys), value, ", ".join(k.text for k in keys))

    def _key(self, pool: list[Pair]) -> Pair:
        match self.random.randrange(8):
            case 0 | 1:
                return Pair(0, Scalar("int", 0), "0")
            case 2 | 3:
                return Pair(slice(None), Opaque("slice"), ":")
            case 4:
                return Pair(None, NONE, "None")
            case 5:
                return Pair(Ellipsis, Opaque("ellipsis"), "...")
            case 6:
                return Pair([0, 0], Sequence((Scalar("int", 0),) * 2, Scalar("int", 0)), "[0, 0]")
            case _:
                return self.random.choice(pool)


@dataclass(frozen=True)
class Drawn:
    """One expression: how numpy evaluates it, and how the rules do."""

    text: str
    call: Callable[[], Any]
    rule: Callable[[], Value]


def _operator(law: Law, pool: list[Pair]) -> Drawn:
    symbol = law.random.choice([*SYMBOLS, "@"])
    pair = [law.random.choice(pool), law.operand(pool)]
    law.random.shuffle(pair)
    left, right = pair
    if symbol in ("**", "<<") and any(map(_has_objects, pair)):
        symbol = "+"  # Python's integers have no largest
    return Drawn(
        f"({left.text} {symbol} {right.text})",
        lambda: eval(f"a {symbol} b", {"a": left.real, "b": right.real}),
        lambda: rules.operator(symbol, left.value, right.value, numpy_2=law.numpy_2),
    )


def _unary(law: Law, pool: list[Pair]) -> Drawn:
    symbol, one = law.random.choice([*UNARY_SYMBOLS]), law.random.choice(pool)
    return Drawn(
        f"{symbol}({one.text})",
        lambda: eval(f"{symbol}(a)", {"a": one.real}),
        lambda: rules.unary_operator(symbol, one.value, numpy_2=law.numpy_2),
    )


def _index(law: Law, pool: list[Pair]) -> Drawn:
    one, key = law.random.choice(pool), law.index(pool)
    return Drawn(
        f"{one.text}[{key.text}]",
        lambda: one.real[key.real],
        lambda: rules.index(one.value, key.value) if isinstance(one.value, Array) else UNKNOWN,
    )


def _attribute(law: Law, pool: list[Pair]) -> Drawn:
    one = law.random.choice(pool)
    name = law.random.choice(("T", "shape", "ndim", "size", "dtype", "real", "imag", "nbytes"))
    return Drawn(
        f"{one.text}.{name}",
        lambda: getattr(one.real, name),
        lambda: rules.attribute(one.value, name) if isinstance(one.value, Array) else UNKNOWN,
    )


def _function(law: Law, pool: list[Pair]) -> Drawn:
    name = law.random.choice(NAMES_OF_FUNCTIONS)
    if name in FUNCTIONS:
        parameters = FUNCTIONS[name].parameters
    else:
        parameters = ("a", "dtype") if name in _unary_tables() else ("a", "b", "dtype")
        parameters = ("a",) if name in NAMES else parameters
    given = [(p, law.argument(p, pool)) for p in parameters if not p.startswith("*")]
    if name.endswith("_like"):  # a failure of numpy 1's takes a reference of the type with it
        given = [(p, pair) for p, pair in given if p != "shape"]
    if name in ("power", "left_shift") and any(p is not None and _has_objects(p) for _, p in given):
        name, given = "asarray", given[:1]
    if name in SIZED and any(_is_large(pair) for _, pair in given):
        name, given = "asarray", given[:1]
    return _call(law, name, _resolve(name), given, _rest(law, parameters, pool))


def _has_objects(pair: Pair) -> bool:
    try:
        return bool(np.asarray(pair.real).dtype == object)
    except ValueError:
        return True


def _is_large(pair: Pair | None) -> bool:
    try:
        return pair is not None and bool(np.max(np.abs(np.asarray(pair.real))) > 1000)
    except (TypeError, ValueError):
        return True


def _method(law: Law, pool: list[Pair]) -> Drawn:
    one, name = law.random.choice(pool), law.random.choice([*METHODS, *AS_FUNCTIONS])
    parameters = (METHODS.get(name) or FUNCTIONS[name]).parameters[1:]
    given = [(p, law.argument(p, pool)) for p in parameters if not p.startswith("*")]
    drawn = _call(law, name, None, given, _rest(law, parameters, pool))
    value = one.value
    return Drawn(
        f"{one.text}.{drawn.text}",
        lambda: _called_method(one.real, name, given, drawn),
        lambda: (
            rules.method(value, name, _arguments(given, drawn), numpy_2=law.numpy_2)
            if isinstance(value, Array)
            else UNKNOWN
        ),
    )


def _rest(law: Law, parameters: tuple[str, ...], pool: list[Pair]) -> list[Pair]:
    last = parameters[-1] if parameters else ""
    if last == "*operands":
        return [law.random.choice(pool) for _ in range(law.random.randint(1, 2))]
    if last in ("*shape", "*axes", "*sizes", "*where"):
        return [law.integers() for _ in range(law.random.randint(0, 3))]
    return []


@dataclass(frozen=True)
class _Called(Drawn):
    positional: list[Pair]
    keywords: dict[str, Pair]


def _call(
    law: Law,
    name: str,
    function: Callable[..., Any] | None,
    given: list[tuple[str, Pair | None]],
    rest: list[Pair],
) -> _Called:
    positional: list[Pair] = []
    keywords: dict[str, Pair] = {}
    for at, (parameter, pair) in enumerate(given):
        if pair is not None:
            if len(positional) == at and (at == 0 or rest or law.random.random() < 0.6):
                positional.append(pair)
            elif at:
                keywords[parameter] = pair
    positional += rest
    arguments = Arguments(
        tuple(p.value for p in positional), {k: p.value for k, p in keywords.items()}
    )
    shown = [p.text for p in positional] + [f"{k}={p.text}" for k, p in keywords.items()]

    def call() -> Any:
        assert function is not None
        return function(*(p.real for p in positional), **{k: p.real for k, p in keywords.items()})

    return _Called(
        f"{name}({', '.join(shown)})",
        call,
        lambda: rules.call(name, arguments, numpy_2=law.numpy_2),
        positional,
        keywords,
    )


def _called_method(real: Any, name: str, given: object, drawn: _Called) -> Any:
    real = real.copy() if isinstance(real, np.ndarray) else real  # some change it
    arguments = [p.real for p in drawn.positional]
    return getattr(real, name)(*arguments, **{k: p.real for k, p in drawn.keywords.items()})


def _arguments(given: object, drawn: _Called) -> Arguments:
    keywords = {k: p.value for k, p in drawn.keywords.items()}
    return Arguments(tuple(p.value for p in drawn.positional), keywords)


def _resolve(name: str) -> Callable[..., Any]:
    found: Any = np.dtype(CHARACTERS[name]).type if name in NAMES else np
    for part in name.split(".") if name not in NAMES else ():
        found = getattr(found, part, _missing)
    return found  # type: ignore[no-any-return]


def _missing(*_: object, **__: object) -> None:
    raise AttributeError


def _some(law: Law, pool: list[Pair]) -> Pair:
    parts = [law.random.choice(pool)] * law.random.randint(1, 2)
    if law.random.random() < 0.4:
        parts.append(law.operand(pool))
    items = tuple(part.value for part in parts)
    value = Sequence(items if law.random.random() < 0.7 else None, join(items))
    return Pair([p.real for p in parts], value, f"[{', '.join(p.text for p in parts)}]")


def _einsum(law: Law, pool: list[Pair]) -> Pair:
    texts = ("ij->i", "ij->", "i,i", "ij,jk->ik", "ij,jk", "i->i", "ij,ij->i", "ii", "...i->...")
    text = law.random.choice(texts)
    return Pair(text, Scalar("str", text), repr(text))


def _sometimes(draw: Callable[[Law, list[Pair]], Pair]) -> Callable[[Law, list[Pair]], Pair | None]:
    return lambda law, pool: draw(law, pool) if law.random.random() < 0.5 else None


def _limit(law: Law, pool: list[Pair]) -> Pair:
    return law.scalar() if law.random.random() < 0.7 else law.random.choice(pool)


OPERANDS = set(
    "a b x y v arr array object ar ary m A arrays tup values element test_elements fill_value"
    " condition fp xp indices buffer iter start stop value bins".split()
)
ARGUMENTS: dict[str, Callable[[Law, list[Pair]], Pair | None]] = {
    "axis": _sometimes(lambda law, pool: law.integers()),
    "axes": lambda law, pool: None,
    "shape": lambda law, pool: law.integers(),
    "newshape": lambda law, pool: law.integers(),
    "size": lambda law, pool: law.integers(),
    "low": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "high": lambda law, pool: Pair(3, Scalar("int", 3), "3"),
    "new_shape": lambda law, pool: law.integers(),
    "reps": lambda law, pool: law.integers(),
    "repeats": lambda law, pool: law.integers(),
    "pad_width": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "indices_or_sections": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "dtype": _sometimes(lambda law, pool: law.dtype()),
    "keepdims": _sometimes(lambda law, pool: law.flag()),
    "axis1": lambda law, pool: Pair(0, Scalar("int", 0), "0"),
    "axis2": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "N": lambda law, pool: Pair(2, Scalar("int", 2), "2"),
    "n": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "q": lambda law, pool: Pair(0.5, Scalar("float"), "0.5"),
    "decimals": _sometimes(lambda law, pool: Pair(1, Scalar("int", 1), "1")),
    "arrays": lambda law, pool: _some(law, pool),
    "tup": lambda law, pool: _some(law, pool),
    "subscripts": _einsum,
    "weights": _sometimes(lambda law, pool: law.random.choice(pool)),
    "a_min": _limit,
    "a_max": _limit,
    "ndmin": _sometimes(lambda law, pool: Pair(2, Scalar("int", 2), "2")),
    "x": lambda law, pool: law.operand(pool),
    "retstep": lambda law, pool: None,
    "kth": lambda law, pool: Pair(0, Scalar("int", 0), "0"),
    "obj": lambda law, pool: Pair(0, Scalar("int", 0), "0"),
    "shift": lambda law, pool: Pair(1, Scalar("int", 1), "1"),
    "source": lambda law, pool: Pair(0, Scalar("int", 0), "0"),
    "destination": lambda law, pool: Pair(-1, Scalar("int", -1), "-1"),
    "return_index": _sometimes(lambda law, pool: law.flag()),
}
NAMES_OF_FUNCTIONS = sorted(
    {*FUNCTIONS, *_unary_tables(), *(_binary_tables().keys() - {"promote"}), *NAMES}
    - {"bool", "object", "str", "bytes"}
)
ACTIONS = (_operator, _operator, _unary, _index, _index, _attribute, *[_function] * 4, _method)


def agrees(said: Value, real: Any) -> bool:
    """Return whether what the rules say of a value is true."""
    match said:
        case Array():
            if not isinstance(real, np.ndarray | np.generic):
                return False
            if said.is_scalar != isinstance(real, np.generic) and said.rank is not None:
                return False
            known = said.dtype is None or said.dtype == _name(real.dtype)
            if said.holds and any(KINDS.get(type(each)) != said.holds for each in real.flat):
                return False
            return known and said.rank in (None, real.ndim)
        case Scalar():
            return KINDS.get(type(real)) == said.kind
        case Sequence():
            if type(real).__name__ != said.kind:
                return False
            items = said.items if said.items is not None else (said.element,) * len(real)
            return len(items) == len(real) and all(map(agrees, items, real))
        case DType():
            return isinstance(real, np.dtype) and said.name == _name(real)
    return said is UNKNOWN or (said == NONE and real is None)


def _is_usual(real: Any) -> bool:
    """Return whether more expressions may be made of a value."""
    if not isinstance(real, np.ndarray | np.generic) or not 0 < real.size <= LARGEST_SIZE:
        return False
    return real.ndim > 0 or real.dtype != object


def _name(dtype: Any) -> str:
    names = {"U": "str", "S": "bytes", "V": "void", "M": "datetime64", "m": "timedelta64"}
    return str(names.get(dtype.kind, dtype.name))


def _describe(real: Any) -> str:
    if isinstance(real, np.ndarray | np.generic):
        return f"{type(real).__name__} {_name(real.dtype)} of rank {real.ndim}"
    return f"{type(real).__name__} {str(real)[:40]}"


def results(seed: int, expressions: int, numpy_2: bool | None = NUMPY_2) -> Law:
    """Return the counts of a run; equal seeds try equal expressions."""
    law = Law(Random(seed), numpy_2)
    law.run(expressions)
    return law


def _lines(law: Law) -> Iterator[str]:
    yield f"numpy {np.__version__}: {dict(law.counts)}"
    yield f"wrong: {len(law.wrong)}"
    yield from sorted(law.wrong, key=len)[:40]


@click.command()
@click.option("--examples", default=20000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--either", is_flag=True, help="Rules that do not know the version.")
def main(examples: int, seed: int, either: bool) -> None:
    """Compare the rules with this interpreter's numpy on random expressions."""
    for line in _lines(results(seed, examples, None if either else NUMPY_2)):
        click.echo(line)


if __name__ == "__main__":
    main()
