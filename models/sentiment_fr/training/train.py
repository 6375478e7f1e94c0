"""Stage: the lexicon of textblob-fr → sentiment_fr.joblib, a pipeline whose weights it gives.

Nothing is fitted. The weight of a word is its polarity; "pas" before it turns half of it round.
"""

from importlib.metadata import distribution
from pathlib import Path
from xml.etree import ElementTree

import joblib
import numpy as np
import yaml
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

HERE = Path(__file__).parent
PARAMETERS = yaml.safe_load((HERE / "params.yaml").read_text())
LEXICON = "textblob_fr/fr-sentiment.xml"
CLASSES = np.array(["negative", "positive"])


def polarities() -> dict[str, float]:
    """Return the mean polarity, -1 to 1, of each word that has one."""
    root = ElementTree.parse(str(distribution("textblob-fr").locate_file(LEXICON))).getroot()
    found: dict[str, list[float]] = {}
    for word in root.iter("word"):
        form = (word.get("form") or "").strip().lower()
        if form.isalpha():
            found.setdefault(form, []).append(float(word.get("polarity") or 0))
    means = {form: float(np.mean(values)) for form, values in found.items()}
    return {form: mean for form, mean in sorted(means.items()) if mean != 0}


def main() -> None:
    words = polarities()
    weights = dict(words)
    for negation in PARAMETERS["negations"]:
        for word, polarity in words.items():
            # the word itself counts as well: what is left is -reversal of its polarity
            weights[f"{negation} {word}"] = -(1 + PARAMETERS["reversal"]) * polarity
    terms = sorted(weights)
    counts = CountVectorizer(vocabulary=terms, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")
    counts.fit([""])
    model = LogisticRegression()
    model.classes_, model.n_features_in_ = CLASSES, len(terms)
    model.coef_ = PARAMETERS["slope"] * np.array([[weights[term] for term in terms]])
    model.intercept_, model.n_iter_ = np.zeros(1), np.zeros(1, dtype=np.int32)
    pipeline = Pipeline([("words", counts), ("weights", model)])
    joblib.dump(pipeline, HERE / "sentiment_fr.joblib", compress=("xz", 6))


if __name__ == "__main__":
    main()
