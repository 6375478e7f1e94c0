"""A game, and the values of its coalitions that were asked.

A coalition's value is the score of an input in which the players outside of it have the values of
one background row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slipway.triton.datatypes import Array

# background rows [m] and coalitions [m, players] to the scores [m]
Value = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Game:
    """``changes``, [background rows, players]: whether leaving a player out changes the input.

    ``is_sample``: there are more background rows than could be asked. What they differ by is then
    a part of the error.
    """

    value: Value
    changes: Array
    is_sample: bool = False

    @property
    def players(self) -> int:
        """Return the number of players."""
        return int(self.changes.shape[1])


class AskedValues:
    """The values that were asked, so that none is asked twice."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self._known: dict[tuple[int, bytes], float] = {}

    def _key(self, k: int, coalition: Array) -> tuple[int, bytes]:
        """Return one key for all coalitions that make the same input."""
        outside = self.game.changes[k] & ~coalition
        return (k, outside.tobytes()) if outside.any() else (-1, b"")

    def unknown(self, coalitions: list[tuple[int, Array]]) -> dict[tuple[int, bytes], int]:
        """Return the positions of those to ask, each once."""
        keys: dict[tuple[int, bytes], int] = {}
        for position, (k, coalition) in enumerate(coalitions):
            key = self._key(k, coalition)
            if key not in self._known:
                keys.setdefault(key, position)
        return keys

    def ask(self, coalitions: list[tuple[int, Array]]) -> None:
        """Ask what is not known yet."""
        fresh = self.unknown(coalitions)
        if fresh:
            chosen = [coalitions[position] for position in fresh.values()]
            answers = self.game.value(
                np.array([k for k, _ in chosen]), np.stack([mask for _, mask in chosen])
            )
            self._known.update(zip(fresh, (float(answer) for answer in answers), strict=True))

    def of(self, k: int, coalition: Array) -> float:
        """Return a value that was asked."""
        return self._known[self._key(k, coalition)]
