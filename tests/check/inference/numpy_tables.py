"""Write ``slipway/check/inference/numpy/tables.py`` from what installed numpys answer.

``python -m tests.check.inference.numpy_tables PYTHON…`` asks each interpreter, of which one has
numpy 1 and at least one numpy 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterable, Mapping
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np

type Array = np.ndarray[Any, Any]

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "build-support" / "slipway" / "check" / "inference" / "numpy" / "tables.py"
LETTERS = "?bBhHiIlLefdFDOUS"
FAILS, DIFFERS = "-", "."
LEFT_OUT = {"isnat", "spacing", "bitwise_count", "ldexp"}
HEAD = '''"""The types of numpy's results, by tests.check.inference.numpy_tables.

A row or column is a type of :data:`LETTERS`; "-" is an error, "." differs between releases. A table
is (names, of numpy 1, of numpy 2); a binary one has a row for each type of the first operand.
"""

LETTERS = "{letters}"
NUMPY_1, NUMPY_2 = {versions}

'''


def measure() -> dict[str, str]:
    """Return the table of each elementwise function of the installed numpy, and of promotion."""
    warnings.simplefilter("ignore")
    tables = {"promote": " ".join("".join(map(_promoted, [a] * 17, LETTERS)) for a in LETTERS)}
    arrays = [_array(letter, (1,)) for letter in LETTERS]
    square = [_array(letter, (1, 1)) for letter in LETTERS]
    for name in sorted(set(dir(np)) - LEFT_OUT):
        function = getattr(np, name)
        if not isinstance(function, np.ufunc) or function.nout != 1 or function.nin > 2:
            continue
        operands = arrays if function.signature is None else square
        if function.nin == 1:
            tables[name] = "".join(_type_of(function, a) for a in operands)
        elif name in ("matmul", "vecdot") or function.signature is None:
            rows = ("".join(_type_of(function, a, b) for b in operands) for a in operands)
            tables[name] = " ".join(rows)
    return tables


def _array(letter: str, shape: tuple[int, ...]) -> Array:
    return np.full(shape, "1" if letter in "US" else 1, dtype=letter)


def _letter(dtype: np.dtype[Any]) -> str:
    same = {"q": "l", "Q": "L"}  # both are int64 on Linux
    letter = same.get(dtype.char, dtype.char)
    return letter if letter in LETTERS else DIFFERS


def _promoted(first: str, second: str) -> str:
    try:
        return _letter(np.promote_types(first, second))
    except TypeError:
        return FAILS


def _type_of(function: np.ufunc, *operands: Array) -> str:
    try:
        return _letter(np.asarray(function(*operands)).dtype)
    except (TypeError, ValueError, AttributeError):
        return FAILS


def merge(answers: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the tables in which all releases agree; "." where they do not."""
    several = list(answers)
    merged = {}
    for name in sorted(set.intersection(*map(set, several))):
        columns = zip(*(answer[name] for answer in several), strict=True)
        merged[name] = "".join(c[0] if len(set(c)) == 1 else DIFFERS for c in columns)
    return merged


def render(versions: tuple[str, str], first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """Return the text of the module."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in sorted({*first} & {*second}):
        groups.setdefault((first[name], second[name]), []).append(name)
    text = HEAD.format(letters=LETTERS, versions=", ".join(f'"{v}"' for v in versions))
    for title, binary in (("UNARY", False), ("BINARY", True)):
        text += f"{title}: tuple[tuple[str, str, str], ...] = (\n"
        for (one, two), names in groups.items():
            if (" " in one) == binary:
                rows = [one, two if two != one else ""]
                parts = [" ".join(names), *rows]
                text += "    (\n" + "".join(_literal(part) for part in parts) + "    ),\n"
        text += ")\n"
    return text


def _literal(text: str) -> str:
    lines = [" ".join(words) for words in batched(text.split(), 5)] or [""]
    if len(lines) == 1:
        return f'        "{lines[0]}",\n'
    return "".join(f'        "{line} "\n' for line in lines[:-1]) + f'        "{lines[-1]}",\n'


def main() -> None:
    """Ask each interpreter, and write :data:`TABLES`."""
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps([np.__version__, measure()]))
        return
    answers: dict[bool, list[tuple[str, dict[str, str]]]] = {False: [], True: []}
    for python in sys.argv[1:]:
        command = [python, __file__, "--measure"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        version, tables = json.loads(done.stdout)
        answers[not version.startswith("1.")].append((version, tables))
    names = [", ".join(version for version, _ in answers[kind]) for kind in (False, True)]
    first, second = (merge(tables for _, tables in answers[kind]) for kind in (False, True))
    TABLES.write_text(render((names[0], names[1]), first, second), encoding="utf-8")


if __name__ == "__main__":
    main()
