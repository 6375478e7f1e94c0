"""Is an English remark kind? Trained on the rated snippets of vaderSentiment."""

from __future__ import annotations

from pathlib import Path

from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt

WEIGHTS = Path(__file__).parents[1] / "weights" / "sentiment_en.onnx"
"""What Slipway's sample ``models/sentiment_en`` serves: no package has it, only the snippets."""


def _files(package: Path) -> Files:
    """Return the library's own file; the package has the licence of what it was trained on."""
    return Files(weights={"inferencer/1/model.onnx": WEIGHTS.read_bytes()})


KIND = Prebuilt(
    name="sentiment-en",
    about="an English remark → kind or unkind, with a score",
    files=_files,
    licences=("vaderSentiment-3.3.2.dist-info/LICENSE.txt",),
)
