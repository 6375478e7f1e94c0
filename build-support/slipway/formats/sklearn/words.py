"""Tokenizing and lowercasing in a graph, as Python does them.

ONNX Runtime's Tokenizer takes RE2 patterns (com.microsoft.Tokenizer, ``tokenexp``); its
StringNormalizer lowers letters by a locale of the machine, and images of Triton have only C.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from slipway.formats.sklearn.steps import of_kind

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"
WORD = r"[\p{L}\p{N}_]"  # Python's \w: letters, numbers of all kinds, underscore
TOKENS = {
    DEFAULT_PATTERN: rf"{WORD}{WORD}+",
    r"\b\w\w+\b": rf"{WORD}{WORD}+",
    r"(?u)\b\w+\b": rf"{WORD}+",
    r"\b\w+\b": rf"{WORD}+",
    r"\w+": rf"{WORD}+",
    r"(?u)\w+": rf"{WORD}+",
    r"\w\w+": rf"{WORD}{WORD}+",
    r"\S+": r"[^\s\x{0B}\x{1C}-\x{1F}\x{85}\p{Z}]+",
}
MOST_VARIANTS = 16  # of one word: four letters beyond ASCII


def vectorizers(model: Any) -> list[Any]:
    """Return the parts that split texts into words."""
    return of_kind(model, "TfidfVectorizer", "CountVectorizer")


def graph_options(model: Any, settings: Mapping[str, str]) -> dict[int, dict[str, Any]]:
    """Return skl2onnx's options for each vectorizer: which tokens, and lowercasing by locale C."""
    options: dict[int, dict[str, Any]] = {}
    for part in vectorizers(model):
        chosen: dict[str, Any] = {"locale": settings.get("locale", "C")}
        if part.analyzer == "word":
            pattern = settings.get("tokenexp") or TOKENS.get(part.token_pattern)
            chosen["tokenexp"] = pattern or _in_re2(part.token_pattern)
        elif part.analyzer == "char":
            chosen["tokenexp"] = "(?s)."  # a line's end is a character as well
        options[id(part)] = chosen
    return options


def repaired_words(model: Any) -> tuple[str, ...]:
    """Return what :func:`graph_options` put right, for people."""
    return tuple(
        f"the tokens of {part.token_pattern!r} are found as Python finds them, by RE2's"
        f" {TOKENS[part.token_pattern]!r}: skl2onnx's own choice splits letters off"
        for part in vectorizers(model)
        if part.analyzer == "word" and part.token_pattern in TOKENS
    )


def _in_re2(pattern: str) -> str:
    """Return a pattern for RE2, where ``\\w`` and ``\\b`` know only ASCII and flags are global."""
    text = re.sub(r"^\(\?[aiLmsux]+\)", "", pattern)
    return text.replace(r"\w", WORD) if "[" not in text else text


def lower_beyond_ascii(graph: Any, model: Any) -> tuple[str, ...]:
    """Let the vocabulary of ``graph`` know its words with the capitals that locale C leaves.

    "élan" is then also found in "Élan" and "ÉLAN", as Python's ``lower()`` finds it: n-grams of
    TfIdfVectorizer may share an index, and ONNX Runtime counts them together.
    """
    if not any(part.lowercase for part in vectorizers(model)):
        return ()
    added = 0
    for node in graph.graph.node:
        if node.op_type == "TfIdfVectorizer":
            added += _add_variants({a.name: a for a in node.attribute})
    if not added:
        return ()
    return (
        f"{added:,} spellings with capitals beyond ASCII were added to the vocabulary, since the"
        " server's locale lowers only A to Z",
    )


def sublinear(graph: Any, model: Any) -> tuple[str, ...]:
    """Compute ``sublinear_tf`` as scikit-learn does, 1 + log(count); skl2onnx has log(1 + count).

    Of whole counts that is min(count, 1) + log(max(count, 1)).
    """
    from onnx import helper

    weighted = of_kind(model, "TfidfVectorizer", "TfidfTransformer")
    if not any(getattr(part, "sublinear_tf", False) for part in weighted):
        return ()
    nodes = {name: node for node in graph.graph.node for name in node.output}
    for log in [node for node in graph.graph.node if node.op_type == "Log"]:
        plus = nodes.get(log.input[0])
        if plus is None or plus.op_type != "Add" or "ones" not in plus.input[1]:
            continue
        plus.op_type = "Max"
        del plus.attribute[:]
        result, logged = log.output[0], f"{log.output[0]}_of_many"
        log.output[0] = logged
        once = f"{result}_once"
        place = list(graph.graph.node).index(log)
        graph.graph.node.insert(place + 1, helper.make_node("Min", list(plus.input), [once]))
        graph.graph.node.insert(place + 2, helper.make_node("Add", [logged, once], [result]))
    return ("sublinear_tf is 1 + log(count) for words that occur, as in scikit-learn",)


def _add_variants(attributes: Mapping[str, Any]) -> int:
    pool = [text.decode() for text in attributes["pool_strings"].strings]
    starts = list(attributes["ngram_counts"].ints)
    indexes = list(attributes["ngram_indexes"].ints)
    weights = list(attributes["weights"].floats) if "weights" in attributes else []
    new_pool: list[str] = []
    new_starts: list[int] = []
    new_indexes: list[int] = []
    new_weights: list[float] = []
    position = added = 0
    for length, start in enumerate(starts, start=1):
        end = starts[length] if length < len(starts) else len(pool)
        new_starts.append(len(new_pool))
        for first in range(start, end, length):
            for variant in itertools.product(*map(_spellings, pool[first : first + length])):
                new_pool.extend(variant)
                new_indexes.append(indexes[position])
                new_weights.extend(weights[position : position + 1])
                added += 1
            added -= 1
            position += 1
    _set(attributes, new_pool, new_starts, new_indexes, new_weights)
    return added


def _set(
    attributes: Mapping[str, Any],
    pool: list[str],
    starts: list[int],
    indexes: list[int],
    weights: list[float],
) -> None:
    attributes["pool_strings"].strings[:] = [text.encode() for text in pool]
    attributes["ngram_counts"].ints[:] = starts
    attributes["ngram_indexes"].ints[:] = indexes
    if weights:
        attributes["weights"].floats[:] = weights


def _spellings(word: str) -> list[str]:
    """Return what locale C makes of every spelling that Python lowers to ``word``."""
    choices = [
        (
            (letter, letter.upper())
            if ord(letter) > 127 and letter.upper().lower() == letter != letter.upper()
            else (letter,)
        )
        for letter in word
    ]
    together = list(itertools.islice(itertools.product(*choices), MOST_VARIANTS + 1))
    if len(together) > MOST_VARIANTS:  # as it is, with a capital, and all in capitals
        together = [
            tuple(c[0] for c in choices),
            (choices[0][-1], *(c[0] for c in choices[1:])),
            tuple(c[-1] for c in choices),
        ]
    return ["".join(letters) for letters in dict.fromkeys(together)]
