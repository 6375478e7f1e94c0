"""Score a French text by a lexicon of adjectives, with pattern's rule, which textblob-fr copies.

The rule is that of `Sentiment.assessments` in pattern/text/__init__.py (BSD, Tom De Smedt). Each
known word is one assessment. Its polarity is multiplied by the intensity of the adverb before it,
and by −0.5 after a negation. The polarity of a text is the mean of its assessments.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import tokens
from emoticons import EMOTICONS

NEGATIONS = {"n'", "ne", "ni", "non", "pas", "rien", "sans", "aucun", "jamais"}
NEGATED = -0.5
"""« pas mauvais » is half as good as « mauvais » is bad."""

EXCLAIMED = 1.25
IRONY = "(!)"


@dataclass(frozen=True)
class Word:
    """What the lexicon says of one spelling."""

    polarity: float
    """−1 to 1."""
    intensity: float
    """What it multiplies the next word by, 0.5 to 2."""
    adverb: bool


@dataclass(frozen=True)
class Score:
    """A text's polarity in −1 to 1, and how many words and faces it comes from."""

    polarity: float
    known: int


@dataclass
class _Assessment:
    polarity: float
    intensity: float = 1.0
    negated: bool = False

    @property
    def result(self) -> float:
        return self.polarity * NEGATED if self.negated else self.polarity


class Lexicon:
    """Known words, and the rule that weighs them."""

    def __init__(self, path: Path) -> None:
        """Read the columns word, polarity, intensity, adverb, separated by tabs."""
        with path.open(encoding="utf-8", newline="") as file:
            self.words = {
                row["word"]: Word(
                    float(row["polarity"]), float(row["intensity"]), row["adverb"] == "1"
                )
                for row in csv.DictReader(file, delimiter="\t")
            }
        self._spellings = self.words.keys() | NEGATIONS

    def score(self, text: str) -> Score:
        """Return the mean of the assessments; 0 for a text in which nothing is known."""
        weighing = _Weighing()
        for token in tokens.split(text, self._spellings):
            word = self.words.get(token)
            if word is None:
                weighing.unknown(token)
            else:
                weighing.known(token, word)
        results = [assessment.result for assessment in weighing.assessments]
        return Score(sum(results) / max(len(results), 1), weighing.count)


class _Weighing:
    """The assessments so far, and what the words just before say of the next one."""

    def __init__(self) -> None:
        self.assessments: list[_Assessment] = []
        self.count = 0
        self._adverb: str | None = None
        self._negation = False

    def known(self, token: str, word: Word) -> None:
        self.count += 1
        if self._adverb is None:
            self.assessments.append(_Assessment(word.polarity, word.intensity))
        else:  # the adverb's own assessment becomes that of the word which it modifies
            last = self.assessments[-1]
            last.polarity = _limited(word.polarity * last.intensity)
            last.intensity = word.intensity
        if self._negation:  # « pas très bon »: the adverb weakens
            self.assessments[-1].intensity = 1 / self.assessments[-1].intensity
            self.assessments[-1].negated = True
        self._adverb = token if word.adverb else None
        self._negation = token in NEGATIONS

    def unknown(self, token: str) -> None:
        if token in NEGATIONS:
            self._negation = True
        elif len(token.strip("'")) > 1:  # a negation reaches over marks and single letters only
            self._negation = False
        if self._negation and self._adverb is not None and self._adverb.endswith("ment"):
            self.assessments[-1].negated = True  # « vraiment pas bon »
            self._negation = False
        elif len(token) > 2:
            self._adverb = None
        self._mark(token)

    def _mark(self, token: str) -> None:
        if token == "!" and self.assessments:
            self.assessments[-1].polarity = _limited(self.assessments[-1].polarity * EXCLAIMED)
        elif token == IRONY:
            self.assessments.append(_Assessment(0.0))
        elif token in EMOTICONS:
            self.count += 1
            self.assessments.append(_Assessment(EMOTICONS[token]))


def _limited(polarity: float) -> float:
    return max(-1.0, min(polarity, 1.0))
