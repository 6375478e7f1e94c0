"""Explain one answer of a model that can only be asked."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.errors import SlipwayError
from slipway.explain.asker import Ask, Asker, Row
from slipway.explain.columns import columns_of
from slipway.explain.explanation import Explanation
from slipway.explain.methods import (
    explain_by_leaving_out,
    explain_by_server,
    explain_by_shapley,
    explain_by_windows,
)
from slipway.explain.options import Options
from slipway.explain.picture import Picture
from slipway.explain.question import SAME, Question
from slipway.explain.recognise import open_picture, recognise
from slipway.explain.regions import Regions, fitting_grid
from slipway.explain.shapley.estimate import FEWEST_ROUNDS
from slipway.explain.subject import Subject
from slipway.explain.words import split_words
from slipway.model.interface import Interface
from slipway.triton.datatypes import Array

__all__ = ["Ask", "Options", "explain"]

Inputs = Mapping[str, Array]


def explain(
    ask: Ask,
    interface: Interface,
    inputs: Inputs,
    *,
    background: Inputs | None = None,
    options: Options | None = None,
) -> Explanation:
    """Return why ``ask`` answers ``inputs`` (one row, with its batch dimension) as it does.

    ``background`` are rows with typical values: what is left out of a row has theirs. Without any,
    it is missing, if the model takes that.

    Raises:
        SlipwayError: there are several rows, no part of them can be left out, the model refuses
            what is left, or the output or label is not one of the answer.
    """
    chosen = options or Options()
    row = one_row(interface, inputs)
    kind, name = recognise(interface, row, chosen.kind)
    asker = Asker(
        ask,
        interface,
        requests=chosen.requests,
        largest=chosen.largest_request,
        on_request=chosen.on_request,
    )
    question = Question(asker, row, kind, name, chosen)
    if kind == "row" and chosen.method in ("auto", "server"):
        exact = explain_by_server(question)
        if exact is not None:
            return exact
    if chosen.method == "server":
        raise SlipwayError(
            "the model answers no contributions of its inputs",
            fix="--method shapley, which asks the model itself; docs/explanation.md says which"
            " models answer contributions",
        )
    if kind in ("image", "audio"):
        picture = _copied(question)
        if chosen.method != "shapley":
            return explain_by_windows(question, picture)
        subject: Subject = Regions(picture, fitting_grid(picture, asker.room()))
    elif kind == "text":
        subject = split_words(row, name, asker.room() // (2 * FEWEST_ROUNDS))
    else:
        subject = columns_of(interface, row, background, chosen, asker.room())
    question.statements += subject.statements
    by = explain_by_leaving_out if chosen.method == "occlusion" else explain_by_shapley
    return by(question, subject)


def one_row(interface: Interface, inputs: Inputs) -> Row:
    """Return the one row of a request, without the batch dimension.

    Raises:
        SlipwayError: it has several.
    """
    if not interface.batches:
        return inputs
    counts = {len(array) for array in inputs.values()}
    if counts != {1}:
        raise SlipwayError(
            f"{max(counts, default=0)} rows, and one answer is explained at a time",
            fix="give one row, or choose one with --row",
        )
    return {name: array[0] for name, array in inputs.items()}


def _copied(question: Question) -> Picture:
    """Return the picture or recording; the score of its unchanged copy is the one to explain."""
    picture = open_picture(
        question.row, question.name, question.kind, question.options.largest_request
    )
    copy = picture.row(picture.pixels)
    question.asker.expect(copy)
    original, question.alone = question.alone, float(question.scores([copy])[0])
    question.statements += picture.statements
    if abs(question.alone - original) > SAME * max(1.0, abs(original)):
        question.statements.append(
            f"an unchanged copy has {question.alone:.6g}, the file itself {original:.6g}: the"
            " copy's is explained"
        )
    return picture
