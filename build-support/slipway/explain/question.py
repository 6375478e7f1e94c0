"""One question to a model: its answer, and what is asked for to explain it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from slipway.errors import SlipwayError
from slipway.explain.asker import Asker, Row
from slipway.explain.columns import (
    MOST_BACKGROUNDS,
    Columns,
    choose_backgrounds,
    missing_row,
    name_columns,
    show,
)
from slipway.explain.exact import find_contributions, server_contributions
from slipway.explain.explanation import Explanation, Kind, Part
from slipway.explain.occlusion import fitting_windows, occlude, strongest
from slipway.explain.options import Options
from slipway.explain.picture import Picture
from slipway.explain.recognise import open_picture
from slipway.explain.regions import Grid, Regions, named_part
from slipway.explain.score import Score, choose_score
from slipway.explain.shapley import (
    FEWEST_ROUNDS,
    Game,
    fitting_backgrounds,
    shapley,
    smallest_budget,
)
from slipway.explain.subject import Subject
from slipway.explain.words import split_words
from slipway.triton.datatypes import Array

# rounding of float32, and of sums in another order within a batch
SAME = 1e-5


class Question:
    """One answer, what it is asked for, and what was learned on the way."""

    def __init__(
        self,
        asker: Asker,
        row: Row,
        kind: Kind,
        name: str,
        background: Mapping[str, Array] | None,
        options: Options,
    ) -> None:
        self.asker, self.row, self.kind, self.name = asker, row, kind, name
        self.background, self.options = background, options
        self.statements: list[str] = []
        self.score: Score
        self.given: Row

    def explained(self) -> Explanation:
        """Return the explanation."""
        self.asker.expect(self.row)
        self._ask_twice()
        method = self.options.method
        if self.kind == "row":
            exact = self._from_server() if method in ("auto", "server") else None
            if exact is not None:
                return exact
            subject: Subject = self._columns()
        elif self.kind == "text":
            most = max(1, self.asker.room() // (2 * FEWEST_ROUNDS))
            subject = split_words(self.row, self.name, most)
        else:
            picture = self._picture()
            if method in ("auto", "occlusion"):
                return self._windows(picture)
            subject = self._regions(picture)
        if method == "server":
            raise SlipwayError(
                f"the model answers no contributions of {len(subject.parts)} parts",
                fix="--method shapley, which asks the model itself; docs/explanation.md says which"
                " models answer contributions",
            )
        self.statements += subject.statements
        return self._left_out(subject) if method == "occlusion" else self._shares(subject)

    def _ask_twice(self) -> None:
        """Ask for the answer in two requests, and choose its score."""
        self.given = self.asker.ask([self.row])[0]
        again = self.asker.ask([self.row])[0]
        options = self.options
        self.score = choose_score(
            self.asker.interface, self.given, output=options.output, label=options.label
        )
        if self.score.statement:
            self.statements.append(self.score.statement)
        first, second = self.score.of(self.given), self.score.of(again)
        if not np.isfinite(first):
            raise SlipwayError(
                f"{self.score.name} is {first}: there is no score to explain",
                fix="another input, or another output with --output-tensor",
            )
        if first != second:
            self.statements.append(
                f"the model is not deterministic: the same input has {first:.6g}, then"
                f" {second:.6g}; contributions of that size say nothing"
            )

    def _scores(self, rows: Iterable[Row]) -> Array:
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

    def _from_server(self) -> Explanation | None:
        """Return the contributions that the answer itself has, if it has any."""
        columns = self._named_columns(all_inputs=True)
        output = find_contributions(self.asker.interface, len(columns))
        if output is None or output not in self.given:
            return None
        found = server_contributions(output, self.given, self.score)
        if found is None:
            self.statements.append(f"{output} does not add up to {self.score.name}: not used")
            return None
        parts = tuple(
            Part(name, value, float(contribution))
            for (name, value), contribution in zip(columns, found.contributions, strict=True)
        )
        self.statements.append(f"exact: the model itself answers them in {found.output}")
        return self._explanation(
            "server", parts, base=found.base, answer=found.margin, score=found.meaning
        )

    def _named_columns(self, *, all_inputs: bool) -> list[tuple[str, str]]:
        """Return each column's name and value; with ``all_inputs``, of those not given as well."""
        named: list[tuple[str, str]] = []
        for name in self.asker.interface.inputs:
            if name not in self.row:
                named.append((name, "not given"))
                continue
            columns = name_columns(
                self.asker.interface, {name: self.row[name]}, self._names_of(name)
            )
            named += [(c.name, show(self.row[name].ravel()[c.position])) for c in columns]
        return named

    def _names_of(self, name: str) -> tuple[str, ...]:
        return self.options.columns if self.row[name].size > 1 else ()

    def _columns(self) -> Columns:
        interface = self.asker.interface
        columns = name_columns(interface, self.row, self.options.columns)
        most = fitting_backgrounds(len(columns), MOST_BACKGROUNDS, self.asker.room())
        if self.background is not None:
            rows = choose_backgrounds(self.background, self.row, most, self.options.seed)
            count = len(next(iter(rows.values())))
            said = f"what is left out has the values of {count} background rows"
        else:
            missing = missing_row(interface, self.row)
            if missing is None:
                raise SlipwayError(
                    "there is no background: rows that say which values are usual",
                    fix="give some: --background FILE with rows, golden cases in"
                    " models/NAME/tests/cases, or a profile (slipway profile NAME)",
                )
            rows, said = missing, "what is left out is missing, which the model takes"
        absent = [name for name in interface.inputs if name not in self.row]
        statements = [said]
        if absent:
            statements.append(f"not given, and left so: {', '.join(absent)}")
        return Columns(columns, self.row, rows, tuple(statements))

    def _picture(self) -> Picture:
        """Return the picture, and check that its copy is answered as it is."""
        picture = open_picture(self.row, self.name, self.kind, self.options.largest_request)
        copy = picture.row(picture.pixels)
        self.asker.expect(copy)
        self.copied = float(self._scores([copy])[0])
        original = self.score.of(self.given)
        self.statements += picture.statements
        if abs(self.copied - original) > SAME * max(1.0, abs(original)):
            self.statements.append(
                f"an unchanged copy has {self.copied:.6g}, the file itself {original:.6g}: the"
                " copy's is explained"
            )
        return picture

    def _regions(self, picture: Picture) -> Regions:
        room = self.asker.room()
        cells = 16 if picture.kind == "audio" else 4
        while (
            cells > 2
            and 2 * FEWEST_ROUNDS * (cells**2 if picture.kind != "audio" else cells) > room
        ):
            cells -= 1
        width, height = picture.size
        columns = min(cells, width)
        return Regions(
            picture,
            Grid(width, height, columns, 1 if picture.kind == "audio" else min(cells, height)),
        )

    def _windows(self, picture: Picture) -> Explanation:
        """Return the occlusion of a picture or recording."""
        wished = self.options.windows
        if picture.kind == "audio":
            wished = tuple(4 * size for size in wished)
        sizes = fitting_windows(picture, wished, self.asker.room())
        found = occlude(picture, self._scores, self.copied, sizes)
        parts = tuple(
            named_part(picture, found.grid.box(*found.windows[i][:4]), float(found.falls[i]))
            for i in strongest(found)
        )
        self.statements.append(
            f"windows of 1/{', 1/'.join(map(str, sizes))} of a side, set to the local mean: a"
            " contribution is how far the score falls without them; they do not add up"
            if picture.kind == "image"
            else f"segments of 1/{', 1/'.join(map(str, sizes))}, set to silence: a contribution is"
            " how far the score falls without them; they do not add up"
        )
        explanation = self._explanation(
            "occlusion", parts, base=self.copied, answer=self.copied, adds_up=False
        )
        heat = tuple(tuple(float(value) for value in line) for line in found.heat)
        return replace(explanation, heat=heat, size=picture.size)

    def _left_out(self, subject: Subject) -> Explanation:
        """Return how far the score falls without each part, in the mean of the backgrounds."""
        changes = subject.changes
        backgrounds, count = changes.shape
        if backgrounds * count > self.asker.room():
            raise self._too_few(backgrounds * count)
        everyone = ~np.eye(count, dtype=bool)
        rows = (subject.row(k, one) for k in range(backgrounds) for one in everyone)
        answer = self.score.of(self.given)
        falls = answer - self._scores(rows).reshape(backgrounds, count)
        errors = (
            falls.std(axis=0, ddof=1) / np.sqrt(backgrounds) if backgrounds > 1 else 0 * falls[0]
        )
        parts = tuple(
            replace(part, contribution=float(fall), error=float(error))
            for part, fall, error in zip(subject.parts, falls.mean(axis=0), errors, strict=True)
        )
        self.statements.append(
            "a contribution is how far the score falls without one part; they do not add up"
        )
        return self._explanation("occlusion", parts, base=answer, answer=answer, adds_up=False)

    def _shares(self, subject: Subject) -> Explanation:
        """Return the Shapley values."""
        changes = subject.changes
        needed = smallest_budget(int(changes.sum(axis=1).max(initial=0))) + len(changes)
        if needed > self.asker.room():
            raise self._too_few(needed)

        def value(backgrounds: Array, coalitions: Array) -> Array:
            pairs = zip(backgrounds, coalitions, strict=True)
            return self._scores(subject.row(int(k), coalition) for k, coalition in pairs)

        found = shapley(
            Game(value, changes),
            room=self.asker.room,
            seed=self.options.seed,
            error=self.options.error,
            batch=self.asker.batch,
        )
        parts = tuple(
            replace(part, contribution=float(contribution), error=float(error))
            for part, contribution, error in zip(
                subject.parts, found.contributions, found.errors, strict=True
            )
        )
        alone = self.copied if isinstance(subject, Regions) else self.score.of(self.given)
        if abs(found.answer - alone) > SAME * max(1.0, abs(alone)):
            self.statements.append(
                f"in a batch with others the answer is {found.answer:.6g}, alone {alone:.6g}"
            )
        explanation = self._explanation(
            "shapley", parts, base=found.base, answer=found.answer, is_exact=found.is_exact
        )
        if isinstance(subject, Regions):
            heat = found.contributions.reshape(subject.grid.rows, subject.grid.columns)
            table = tuple(tuple(float(value) for value in line) for line in heat)
            explanation = replace(explanation, heat=table, size=subject.picture.size)
        return explanation

    def _too_few(self, rows: int) -> SlipwayError:
        requests = -(-rows // self.asker.batch) + self.asker.requests
        return SlipwayError(
            f"{self.options.requests} requests of at most {self.asker.batch} rows are too few",
            fix=f"--requests {requests} or more",
        )

    def _explanation(
        self,
        method: Literal["shapley", "occlusion", "server"],
        parts: tuple[Part, ...],
        *,
        base: float,
        answer: float,
        score: str = "",
        is_exact: bool = True,
        adds_up: bool = True,
    ) -> Explanation:
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
            parts=parts,
            rows=self.asker.rows,
            requests=self.asker.requests,
            seed=self.options.seed,
            statements=tuple(self.statements),
        )
