"""The ways to explain an answer: Shapley values, one part left out, windows, the server's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slipway.explain.columns import Columns, label_columns
from slipway.explain.exact import find_contributions, server_contributions
from slipway.explain.explanation import Explanation, Part
from slipway.explain.occlusion import fitting_windows, occlude, strongest
from slipway.explain.picture import Picture
from slipway.explain.question import SAME, Question
from slipway.explain.regions import Regions, named_part
from slipway.explain.shapley.estimate import shapley, smallest_budget
from slipway.explain.shapley.game import Game
from slipway.explain.subject import Subject
from slipway.triton.datatypes import Array

NOT_ADDED = "how far the score falls without it; they do not add up"


def explain_by_server(question: Question) -> Explanation | None:
    """Return the contributions that the answer itself has; ``None`` if it has none."""
    interface = question.asker.interface
    columns = label_columns(interface, question.row, question.options.columns)
    output = find_contributions(interface, len(columns))
    if output is None or output not in question.answer:
        return None
    found = server_contributions(output, question.answer, question.score)
    if found is None:
        name = question.score.name
        question.statements.append(f"{output} does not add up to {name}: not used")
        return None
    parts = [
        Part(name, value, float(contribution))
        for (name, value), contribution in zip(columns, found.contributions, strict=True)
    ]
    question.statements.append(f"exact: the model itself answers them in {found.output}")
    question.statements += [found.note] if found.note else []
    return question.explanation(
        "server", parts, base=found.base, answer=found.margin, score=found.meaning
    )


def explain_by_shapley(question: Question, subject: Subject) -> Explanation:
    """Return the Shapley values of the parts.

    Raises:
        SlipwayError: the requests are too few, or the model refuses a row without some parts.
    """
    changes = subject.changes
    question.require_room(*smallest_budget(changes))

    def value(backgrounds: Array, coalitions: Array) -> Array:
        pairs = zip(backgrounds, coalitions, strict=True)
        return question.scores(subject.row(int(k), coalition) for k, coalition in pairs)

    asker, options = question.asker, question.options
    found = shapley(
        Game(value, changes, isinstance(subject, Columns) and subject.is_sample),
        room=asker.room,
        seed=options.seed,
        error=options.error,
        batch=asker.batch,
    )
    if abs(found.answer - question.alone) > SAME * max(1.0, abs(question.alone)):
        question.statements.append(
            f"in a batch with others the answer is {found.answer:.6g}, alone {question.alone:.6g}"
        )
    parts = _filled(subject, found.contributions, found.errors)
    explanation = question.explanation(
        "shapley", parts, base=found.base, answer=found.answer, is_exact=found.is_exact
    )
    if isinstance(subject, Regions):
        heat = tuple(tuple(map(float, line)) for line in subject.table(found.contributions))
        return replace(explanation, heat=heat, size=subject.picture.size)
    return explanation


def explain_by_leaving_out(question: Question, subject: Subject) -> Explanation:
    """Return how far the score falls without each part, as mean over the background rows.

    Raises:
        SlipwayError: as :func:`explain_by_shapley`.
    """
    backgrounds, count = subject.changes.shape
    question.require_room(backgrounds * count)
    others = ~np.eye(count, dtype=bool)
    rows = (subject.row(k, one) for k in range(backgrounds) for one in others)
    falls = question.alone - question.scores(rows).reshape(backgrounds, count)
    errors = np.zeros(count)
    if backgrounds > 1:
        errors = falls.std(axis=0, ddof=1) / np.sqrt(backgrounds)
    question.statements.append(f"a contribution of a part is {NOT_ADDED}")
    return question.explanation(
        "occlusion",
        _filled(subject, falls.mean(axis=0), errors),
        base=question.alone,
        answer=question.alone,
        adds_up=False,
    )


def explain_by_windows(question: Question, picture: Picture) -> Explanation:
    """Return the occlusion of a picture by windows, or of a recording by segments.

    Raises:
        SlipwayError: as :func:`explain_by_shapley`.
    """
    wished = question.options.windows
    is_audio = picture.kind == "audio"
    sizes = fitting_windows(
        picture,
        tuple(4 * size for size in wished) if is_audio else wished,
        question.asker.room(),
    )
    found = occlude(picture, question.scores, question.alone, sizes)
    parts = [
        named_part(picture, found.grid.box(*found.windows[i][:4]), float(found.falls[i]))
        for i in strongest(found)
    ]
    shares = ", ".join(f"1/{size}" for size in sizes)
    question.statements.append(
        f"segments of {shares} are set to their mean, silence: a contribution is {NOT_ADDED}"
        if is_audio
        else f"windows of {shares} of a side get the local mean: a contribution is {NOT_ADDED}"
    )
    return question.explanation(
        "occlusion",
        parts,
        base=question.alone,
        answer=question.alone,
        adds_up=False,
        heat=found.heat,
        size=picture.size,
    )


def _filled(subject: Subject, contributions: Array, errors: Array) -> list[Part]:
    return [
        replace(part, contribution=float(contribution), error=float(error))
        for part, contribution, error in zip(subject.parts, contributions, errors, strict=True)
    ]
