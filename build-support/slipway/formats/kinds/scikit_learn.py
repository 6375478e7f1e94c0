"""scikit-learn's estimators and pipelines: skops files, and pickles only after a look inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.formats.contents import Contents
from slipway.formats.format import Array, Arrays, Cause, Choice, Converted, Options, Recognised


class ScikitLearn:
    """Convert with skl2onnx, or serve with scikit-learn itself as a Python model."""

    name = "scikit-learn"
    title = "a scikit-learn model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what the file is, by its bytes: nothing is unpickled."""
        from slipway.formats.sklearn.reading.facts import read_facts

        facts = read_facts(contents)
        if facts is None:
            return None
        packed = f", packed with {facts.packing}" if facts.packing else ""
        version = f" of {facts.version}" if facts.version else ""
        kind = facts.estimator or "estimator"
        return Recognised(
            f"a scikit-learn model{version} ({kind}, {facts.kind}{packed})",
            {
                "version": facts.version,
                "kind": facts.kind,
                "estimator": facts.estimator,
                "modules": ",".join(facts.modules),
            },
        )

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX: a graph needs no Python in the server. A Python model is always exact."""
        return Choice(
            "onnxruntime",
            "a graph of the whole pipeline answers fastest and needs no execution environment",
            {"python": "scikit-learn itself answers, for what a graph cannot compute exactly"},
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock; ``--with scikit-learn==VERSION`` makes another of it."""
        return "scikit_learn.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.onnx``, or ``model.py`` with ``model.skops``."""
        from slipway.formats.sklearn.convert import convert

        return convert(source, out, options)

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return what the model itself answers, in double precision."""
        from slipway.formats.sklearn.convert import reference

        return reference(source, rows, converted, options)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return what in the pipeline is known to answer otherwise in ONNX."""
        from slipway.formats.sklearn.convert import causes_of

        return causes_of(source, converted, rows, differs)


FORMAT: Any = ScikitLearn()
