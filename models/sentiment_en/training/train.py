"""Stage: rated snippets → sentiment_en.skops, and metrics.json on snippets held out."""

import csv
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skops.io
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

HERE = Path(__file__).parent
PARAMETERS = yaml.safe_load((HERE / "params.yaml").read_text())
SOURCES = {
    "tweets": "tweets_GroundTruth.txt",
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
}


@dataclass(frozen=True)
class Snippets:
    """Texts, the file that each is from, and whether people rated it as kind (above 0)."""

    texts: list[str]
    sources: np.ndarray
    kind: np.ndarray


def read_snippets() -> Snippets:
    """Return the snippets that people agree on: by at least ``clear``, on a scale of 4."""
    texts, sources, kind = [], [], []
    with tarfile.open(HERE / "snippets.tar.gz") as archive:
        for source, file in SOURCES.items():
            stream = archive.extractfile(f"hutto_ICWSM_2014/{file}")
            assert stream is not None
            lines = stream.read().decode("utf-8", "replace").splitlines()
            for _, rating, text in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                if abs(float(rating)) >= PARAMETERS["clear"]:
                    texts.append(text)
                    sources.append(source)
                    kind.append(float(rating) > 0)
    return Snippets(texts, np.array(sources), np.array(kind))


def pipeline() -> Pipeline:
    """Return what is fitted: words and pairs of words, weighed by logistic regression."""
    words = PARAMETERS["words"]
    return Pipeline(
        [
            (
                "words",
                TfidfVectorizer(
                    ngram_range=(1, words["longest"]),
                    min_df=words["texts"],
                    max_features=words["most"],
                    sublinear_tf=True,
                    token_pattern=r"(?u)\b\w+\b",  # letters alone count: "I", the t of "isn't"
                ),
            ),
            ("weights", LogisticRegression(C=PARAMETERS["strength"], max_iter=1000)),
        ]
    )


def main() -> None:
    snippets = read_snippets()
    places = np.arange(len(snippets.texts))
    train, test = train_test_split(
        places,
        test_size=PARAMETERS["test"],
        random_state=PARAMETERS["seed"],
        stratify=[f"{s} {k}" for s, k in zip(snippets.sources, snippets.kind, strict=True)],
    )
    labels = np.where(snippets.kind, "positive", "negative")
    model = pipeline().fit([snippets.texts[i] for i in train], labels[train])
    texts = [snippets.texts[i] for i in test]
    answers = model.predict(texts)
    lexicon = SentimentIntensityAnalyzer()
    by_lexicon = [
        "positive" if lexicon.polarity_scores(text)["compound"] > 0 else "negative"
        for text in texts
    ]

    def accuracies(predicted: np.ndarray | list[str]) -> dict[str, float]:
        found = {"all": accuracy_score(labels[test], predicted)}
        for source in SOURCES:
            mask = snippets.sources[test] == source
            found[source] = accuracy_score(labels[test][mask], np.asarray(predicted)[mask])
        return {name: round(value, 3) for name, value in found.items()}

    metrics = {
        "snippets": {"trained on": len(train), "held out": len(test)},
        "accuracy": accuracies(answers),
        "accuracy of the lexicon": accuracies(by_lexicon),
    }
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    skops.io.dump(model, HERE / "sentiment_en.skops", compression=zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()
