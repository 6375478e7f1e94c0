"""One question to a model: its answer and score, and the scores of changed rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.asker import Asker, Row
from slipway.explain.explanation import Explanation, Kind, Method, Part
from slipway.explain.options import Options
from slipway.explain.score import choose_score
from slipway.triton.datatypes import Array

# rounding of float32, and of sums in another order within a batch
SAME = 1e-5


class Question:
    """The row, the answer to it, and what a reader has to know of them.

    ``name`` is the input that has the picture, recording or text. ``alone`` is the score of the
    answer to the row itself; a picture's is that of its unchanged copy.

    Raises:
        SlipwayError: the model refuses the row, or has no score for it.
    """

    def __init__(self, asker: Asker, row: Row, kind: Kind, name: str, options: Options) -> None:
        self.asker, self.row, self.kind, self.name = asker, row, kind, name
        self.options = options
        self.statements: list[str] = []
        asker.expect(row)
        self.answer = asker.ask([row])[0]
        again = asker.ask([row])[0]
        self.score = choose_score(
            asker.interface, self.answer, output=options.output, label=options.label
        )
        self.statements += [self.score.statement] if self.score.statement else []
        self.alone = self.score.of(self.answer)
        if not np.isfinite(self.alone):
            raise SlipwayError(
                f"{self.score.name} is {self.alone}: there is no score to explain",
                fix="another input, or another output with --output-tensor",
            )
        second = self.score.of(again)
        if second != self.alone:
            self.statements.append(
                f"the model is not deterministic: the same input has {self.alone:.6g}, then"
                f" {second:.6g}; contributions of that size say nothing"
            )

    def scores(self, rows: Iterable[Row]) -> Array:
        """Return the scores of changed rows.

        Raises:
            SlipwayError: the model refuses one of them, or its score is not a number.
        """
        try:
            answers = self.asker.ask(rows)
        except SlipwayError as error:
            raise SlipwayError(
                f"the model refuses the input with parts left out: {error.what}",
                where=error.where,
                fix="give typical rows with --background FILE; or --method occlusion, which leaves"
                " out one part at a time",
            ) from error
        scores = np.array([self.score.of(answer) for answer in answers], dtype=np.float64)
        if not np.isfinite(scores).all():
            raise SlipwayError(
                f"{self.score.name} is {scores[~np.isfinite(scores)][0]} with parts left out",
                fix="give typical rows with --background FILE, or another --output-tensor",
            )
        return scores

    def require_room(self, *steps: int) -> None:
        """Check that so many more rows may be asked, in steps that share no request.

        Raises:
            SlipwayError: names the number of requests that would do.
        """
        needed = sum(-(-rows // self.asker.batch) for rows in steps)
        if needed * self.asker.batch > self.asker.room():
            raise SlipwayError(
                f"{self.options.requests} requests of at most {self.asker.batch} rows are too few",
                fix=f"--requests {needed + self.asker.requests} or more",
            )

    def explanation(
        self,
        method: Method,
        parts: Iterable[Part],
        *,
        base: float,
        answer: float,
        score: str = "",
        is_exact: bool = True,
        adds_up: bool = True,
        heat: Array | None = None,
        size: tuple[int, int] = (0, 0),
    ) -> Explanation:
        """Return the explanation with ``parts``; ``score`` is what they add up to, if another."""
        return Explanation(
            kind=self.kind,
            method=method,
            is_exact=is_exact,
            input=self.name,
            score=score or self.score.name,
            label=self.score.label,
            answer=answer,
            base=base,
            adds_up=adds_up,
            parts=tuple(parts),
            rows=self.asker.rows,
            requests=self.asker.requests,
            seed=self.options.seed,
            heat=() if heat is None else tuple(tuple(map(float, line)) for line in heat),
            size=size,
            statements=tuple(dict.fromkeys(self.statements)),
        )
