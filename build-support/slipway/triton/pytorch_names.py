"""How the PyTorch backend matches a config's tensors with the arguments and results of forward().

pytorch_backend, src/libtorch.cc (since 25.12 src/model_instance_state.cc): GetNamingConvention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# the backend takes what follows the first __, and an empty number is 0
INDEXED = re.compile(r"(?:(?!__).)*__([0-9]*)", re.DOTALL)


def index_of(name: str) -> int | None:
    """Return the number in a name ``<name>__<number>``; ``None`` of other names."""
    match = INDEXED.fullmatch(name)
    return int(match[1] or 0) if match else None


def positions(names: Sequence[str], arguments: Sequence[str] = ()) -> dict[str, int]:
    """Return the position that each of ``names`` has among ``arguments``, or among the results.

    If each is an argument's name, that is its position; else the number at its end; if one has
    none, the position in the config, of all.
    """
    if arguments and all(name in arguments for name in names):
        return {name: arguments.index(name) for name in names}
    numbers = {name: index_of(name) for name in names}
    found = {name: number for name, number in numbers.items() if number is not None}
    return found if len(found) == len(numbers) else {n: at for at, n in enumerate(names)}
