"""Which backend serves a forest: ONNX Runtime, FIL, or the training's own library in Python.

On CPUs FIL computes with treelite's GTIL. Of 500 trees of depth 6, a row took 0.09 ms and 16 rows
1.1 ms there; in ONNX Runtime 0.012 and 0.067 ms (one thread, treelite 4.8.1, ONNX Runtime 1.21).
So FIL is for GPUs and for contributions, which ONNX Runtime does not have.
"""

from __future__ import annotations

from slipway.formats.format import Choice, Recognised
from slipway.triton.image.forest_libraries import BROKEN_RELEASES, forest_library_of

MAJOR = 4

ONNX = "the smallest file and the soonest answer on CPUs, with label and probabilities"
FIL = "for GPUs (--set gpu=true), and for contributions (--set contributions=true)"
PYTHON = "its own library in an execution environment: exact, larger and slower"


def choose_for_forest(recognised: Recognised, triton: str) -> Choice:
    """Return the backend for a forest on ``triton``, by what the file says of itself."""
    facts = recognised.facts
    if "only_python" in facts:
        return Choice("python", str(facts["only_python"]))
    trees, several = int(facts.get("trees", 0)), int(facts.get("targets", 1)) > 1
    others = {"python": PYTHON}
    reason = f"{trees:,} trees: {ONNX}"
    problem = "FIL has no models of several targets" if several else problem_of_fil(triton)
    if problem is not None:
        return Choice("onnxruntime", f"{reason}; {problem}", others)
    return Choice("onnxruntime", reason, {"fil": FIL, **others})


def problem_of_fil(triton: str) -> str | None:
    """Return why FIL of a release serves no forest; ``None`` if it does."""
    library = forest_library_of(triton)
    if triton in BROKEN_RELEASES:
        return f"FIL of Triton {triton} does not start: {BROKEN_RELEASES[triton]}"
    if library is None or library.major != MAJOR:
        return f"FIL of Triton {triton} reads no checkpoints of treelite {MAJOR}"
    return None
