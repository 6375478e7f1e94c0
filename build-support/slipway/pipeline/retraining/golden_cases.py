"""Ask a retrained model its golden cases, on a real Triton: which answers move, and how far."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.build import build
from slipway.settings import Settings
from slipway.testing import golden
from slipway.testing.served_artifact import ServedArtifact, ServedModel


def moved_answers(folder: Path, settings: Settings) -> Mapping[str, Sequence[str]]:
    """Return how the answers of the model in ``folder`` differ from its golden cases, beyond their
    tolerances, by the case's name; empty if none does.

    Raises:
        SlipwayError: the model cannot be built or loaded, or a case is malformed.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-golden-") as temporary:
        artifact = build(folder, settings, Path(temporary)).path
        with ServedArtifact(settings, folder, artifact) as served:
            model = ServedModel(served)
            found = {
                case.name: golden.differences(case, golden.outcome(model, case))
                for case in golden.cases(folder)
                if (case / golden.EXPECTED).is_file()
            }
    return {name: differences for name, differences in found.items() if differences}
