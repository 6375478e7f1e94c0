"""Choose the number of an answer that is explained: the score of the winning label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.triton.datatypes import BYTES, Array

CONTRIBUTIONS = re.compile(r"contribution|shap|attribution", re.IGNORECASE)
LIKELY = re.compile(r"prob|score|logit|confidence|margin|polarity", re.IGNORECASE)
MOST_CLASSES = 10_000
FLOATS = ("FP16", "FP32", "FP64")


@dataclass(frozen=True)
class Score:
    """A number of a row's outputs. ``name`` is such as ``probability[1]``, ``index`` the 1.

    ``label`` is what the model itself calls the answer, "" where it does not.
    """

    name: str
    output: str
    of: Callable[[Mapping[str, Array]], float]
    label: str = ""
    index: int | None = None
    statement: str = ""


def choose_score(
    interface: Interface,
    answer: Mapping[str, Array],
    *,
    output: str | None = None,
    label: str | None = None,
) -> Score:
    """Return the score to explain of ``answer``, the outputs of one row without the batch.

    ``output`` names the tensor; ``label`` is an index of it, or a text that the model answers.

    Raises:
        SlipwayError: there is no such output or label, or no output is a number or a text.
    """
    if output is not None and output not in answer:
        raise SlipwayError(
            f"the answer has no output {output!r}", fix=f"one of: {', '.join(answer)}"
        )
    texts = {name: array for name, array in answer.items() if array.dtype == object}
    if label is not None and not _is_index(label):
        return _text_score(label, {output: answer[output]} if output else texts, answer)
    name = output or _likeliest(interface, answer, texts)
    if name is None:
        raise SlipwayError(
            f"no output of the answer is a number or a text that can be explained: "
            f"{', '.join(answer)}",
            fix="name one with --output-tensor",
        )
    if name in texts:
        return _share(name, answer[name])
    return _number(name, answer[name], interface.outputs.get(name), label, _label(texts))


def _is_index(label: str) -> bool:
    return label.lstrip("-").isdigit()


def _likeliest(
    interface: Interface, answer: Mapping[str, Array], texts: Mapping[str, Array]
) -> str | None:
    """Return the output whose numbers a reader most likely takes for the score."""
    ranked = []
    for position, (name, array) in enumerate(answer.items()):
        declared = interface.outputs.get(name)
        datatype = declared.datatype if declared else ""
        if CONTRIBUTIONS.search(name) or not array.size or datatype == "BOOL":
            continue
        free = declared is not None and -1 in declared.dims
        if datatype == BYTES or array.dtype == object:
            rank = 4 if free else 7
        elif free:
            rank = 5 if datatype in FLOATS and array.ndim <= 1 else 9
        elif datatype in FLOATS:
            rank = 1 if LIKELY.search(name) else 2 if _sums_to_one(array) else 3
            rank = rank if array.size <= MOST_CLASSES else 8
        else:
            rank = 6 if array.size == 1 else 9
        ranked.append((rank, position, name))
    best = min(ranked, default=None)
    return None if best is None or best[0] == 9 else best[2]


def _sums_to_one(array: Array) -> bool:
    return bool(array.size > 1 and array.min() >= 0 and abs(float(array.sum()) - 1) < 1e-3)


def _label(texts: Mapping[str, Array]) -> str:
    """Return the label that the model answers: its only text, or the one that is called so."""
    named = [name for name in texts if texts[name].size == 1 and "label" in name.lower()]
    single = named or [name for name in texts if texts[name].size == 1]
    return _decoded(texts[single[0]].ravel()[0]) if len(single) == 1 else ""


def _number(
    name: str, array: Array, declared: Tensor | None, label: str | None, text: str
) -> Score:
    if declared is not None and -1 in declared.dims and label is None:
        return Score(
            f"mean of {name}",
            name,
            lambda outputs: float(np.mean(outputs[name])) if outputs[name].size else 0.0,
            text,
            statement=f"{name} has any number of values: their mean is explained",
        )
    if array.size == 1 and label is None:
        return Score(name, name, lambda outputs: float(outputs[name].ravel()[0]), text)
    index = int(label) if label is not None else int(np.argmax(array))
    if not -array.size <= index < array.size:
        raise SlipwayError(
            f"{name} has {array.size} values, and none at {index}",
            fix=f"--label 0 to {array.size - 1}",
        )
    index %= array.size
    where = ",".join(str(i) for i in np.unravel_index(index, array.shape))
    shown = text if index == int(np.argmax(array)) else ""
    return Score(
        f"{name}[{where}]", name, lambda outputs: float(outputs[name].ravel()[index]), shown, index
    )


def _text_score(label: str, chosen: Mapping[str, Array], answer: Mapping[str, Array]) -> Score:
    """Return 1 where an output has the text ``label``, and 0 elsewhere."""
    having = [
        name
        for name, array in chosen.items()
        if array.dtype == object and label in [_decoded(element) for element in array.ravel()]
    ]
    if having:
        name = having[0]
        return Score(
            f"{name} has {label!r}",
            name,
            lambda outputs: float(label in [_decoded(e) for e in outputs[name].ravel()]),
            label,
            statement=f"explained is whether {name} has {label!r}: 1 or 0",
        )
    said = sorted({_decoded(e) for array in chosen.values() for e in array.ravel()[:20]})
    raise SlipwayError(
        f"the answer has no text {label!r}",
        fix=f"an index of its numbers (--label 1), or one of: {', '.join(said) or 'no text'}",
    )


def _share(name: str, array: Array) -> Score:
    """Return the share of the answered texts that are still answered."""
    wanted = Counter(_decoded(element) for element in array.ravel())
    wanted.pop("", None)
    count = sum(wanted.values())
    if not count:
        raise SlipwayError(
            f"{name} is empty: there is no answer to explain",
            fix="another input, or another output with --output-tensor",
        )

    def share(outputs: Mapping[str, Array]) -> float:
        got = Counter(_decoded(element) for element in outputs[name].ravel())
        return sum((wanted & got).values()) / count

    texts = f"its {count} texts" if count > 1 else "its text"
    return Score(
        f"share of {name}",
        name,
        share,
        ", ".join(wanted),
        statement=f"{name} has no number: explained is the share of {texts} that is still answered",
    )


def _decoded(element: object) -> str:
    return element.decode(errors="replace") if isinstance(element, bytes) else str(element)
