"""What a graph did with two rows; reading it imports no numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WrongOutput:
    """An output whose shape for two rows is ``actual``, and ``declared`` in the graph.

    ``position`` is the output's in the graph.
    """

    name: str
    position: int
    declared: tuple[int | str | None, ...]
    actual: tuple[int, ...]

    def __str__(self) -> str:
        """Return both shapes."""
        declared = ", ".join("?" if dim is None else str(dim) for dim in self.declared)
        return (
            f"output {self.name!r} is declared [{declared}], and has the shape"
            f" {list(self.actual)} for two rows"
        )


@dataclass(frozen=True)
class TwoRows:
    """What a graph that answers one row does with two: its ``error``, and ``wrong`` outputs.

    ``uneven`` are outputs with a free first dimension that has another size than two.
    """

    error: str | None = None
    wrong: tuple[WrongOutput, ...] = ()
    uneven: tuple[WrongOutput, ...] = ()

    def __str__(self) -> str:
        """Return what is wrong; empty if nothing is."""
        if self.error is not None:
            return f"the graph answers one row, and fails for two: {self.error}"
        return "; ".join(map(str, self.wrong))
