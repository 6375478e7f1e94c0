"""Stage: rated reviews → metrics.json, accuracy and the agreement with textblob-fr's own answers."""

import csv
import json
import re
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).parent
SERVED = HERE.parent / "sentiment_fr/1"
CLEAR = 0.1
"""Polarity from which on pattern calls a text positive, as the model does."""

sys.path.insert(0, str(SERVED))
import tokens  # noqa: E402
from lexicon import NEGATIONS, Lexicon  # noqa: E402


def main() -> None:
    with (HERE / "reviews.csv").open(encoding="utf-8", newline="") as file:
        rated = [(text, float(score) > 0) for text, score in csv.reader(file)]
    texts = [text for text, _ in rated]
    liked = [positive for _, positive in rated]
    sentences = [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text) if part]
    lexicon = Lexicon(SERVED / "lexicon.tsv")
    reference = _reference()
    ours = [lexicon.score(text).polarity for text in texts]
    theirs = [reference(text)[0] for text in texts]
    clear = [(p > 0) == like for p, like in zip(ours, liked, strict=True) if abs(p) >= CLEAR]
    of_sentences = [(lexicon.score(s).polarity, reference(s)[0]) for s in sentences]
    known = lexicon.words.keys() | NEGATIONS
    by_rule = [_weigh(reference, tokens.split(s, known)) for s in sentences]
    metrics = {
        "reviews": len(texts),
        "liked": sum(liked) / len(liked),
        "accuracy": _accuracy(ours, liked),
        "accuracy_textblob": _accuracy(theirs, liked),
        "labelled": len(clear) / len(texts),
        "accuracy_labelled": sum(clear) / len(clear),
        "sentences": len(sentences),
        "same_polarity": _share(abs(a - b) < 1e-6 for a, b in of_sentences),
        "same_polarity_without_n": _share(
            abs(a - b) < 1e-6
            for (a, b), s in zip(of_sentences, sentences, strict=True)
            if not re.search(r"\bn['’]", s, re.IGNORECASE)
        ),
        "same_label": _share(_side(a) == _side(b) for a, b in of_sentences),
        "same_polarity_same_words": _share(
            abs(a - b) < 1e-6 for (a, _), b in zip(of_sentences, by_rule, strict=True)
        ),
    }
    rounded = {name: round(value, 4) for name, value in metrics.items()}
    (HERE / "metrics.json").write_text(json.dumps(rounded, indent=2) + "\n")


def _reference() -> Any:
    """Return textblob-fr's function, which imports a module that Python 3.9 removed."""
    removed = types.ModuleType("xml.etree.cElementTree")
    vars(removed).update(vars(ElementTree))
    sys.modules[removed.__name__] = removed
    sys.modules["xml.etree"].cElementTree = removed  # type: ignore[attr-defined]
    from textblob_fr.fr import sentiment  # noqa: PLC0415

    return sentiment


def _weigh(reference: Any, words: Iterable[str]) -> float:
    """Return textblob-fr's polarity of words that it did not split itself."""
    assessments = reference.assessments([(word, None) for word in words])
    return sum(float(polarity) for _, polarity, *_ in assessments) / max(len(assessments), 1)


def _accuracy(polarities: list[float], liked: list[bool]) -> float:
    return _share((p >= CLEAR) == like for p, like in zip(polarities, liked, strict=True))


def _side(polarity: float) -> int:
    return int(polarity >= CLEAR) - int(polarity <= -CLEAR)


def _share(which: Iterable[bool]) -> float:
    values = list(which)
    return sum(values) / len(values)


if __name__ == "__main__":
    main()
