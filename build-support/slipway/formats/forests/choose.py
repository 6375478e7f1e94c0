"""Which backend serves a forest: ONNX Runtime, FIL, or the training's own library in Python."""

from __future__ import annotations

from slipway.formats.format import Choice, Recognised
from slipway.triton.forest_libraries import BROKEN_RELEASES, forest_library_of

# from here on treelite's GTIL, which FIL runs on CPUs, answers a row sooner than ONNX Runtime
# (docs/decisions/0049-forests.md has the figures)
LARGE = 2_000  # trees
MAJOR = 4

ONNX = "the smallest config, and a label and probabilities in one answer, on CPUs"
FIL = "for GPUs, for thousands of trees, and for contributions (--set contributions=true)"
PYTHON = "its own library in an execution environment: exact, larger and slower"


def choose_for_forest(recognised: Recognised, triton: str) -> Choice:
    """Return the backend for a forest on ``triton``, by what the file says of itself."""
    facts = recognised.facts
    library = forest_library_of(triton)
    has_fil = library is not None and library.major == MAJOR and triton not in BROKEN_RELEASES
    no_fil = f"FIL of Triton {triton} does not read treelite {MAJOR}, or does not start"
    trees = int(facts.get("trees", 0))
    only_python = facts.get("only_python")
    if only_python:
        return Choice("python", str(only_python))
    several = int(facts.get("targets", 1)) > 1
    if trees >= LARGE and has_fil and not several:
        others = {"onnxruntime": ONNX, "python": PYTHON}
        return Choice("fil", f"{trees:,} trees: FIL answers a large forest sooner", others)
    others = {"python": PYTHON}
    if several:
        others["fil"] = "not possible: FIL has no models of several targets"
    else:
        others["fil"] = FIL if has_fil else f"not possible: {no_fil}"
    return Choice("onnxruntime", f"{trees:,} trees: {ONNX}", others)
