"""Convert a scikit-learn file, and ask the model itself for its answers."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import Array, Arrays, Cause, Converted, Options
from slipway.formats.sklearn import causes
from slipway.formats.sklearn.column import Column
from slipway.formats.sklearn.columns import input_columns, named, tensors
from slipway.formats.sklearn.graph import to_graph
from slipway.formats.sklearn.python_model import packages, write_python_model
from slipway.formats.sklearn.reading.facts import read_facts
from slipway.formats.sklearn.reading.load import load
from slipway.formats.sklearn.results import Result, answer, results
from slipway.formats.sklearn.tables import table

TOOLS = ("scikit-learn", "skl2onnx", "onnxmltools", "onnx", "skops", "numpy")


def convert(source: Path, out: Path, options: Options) -> Converted:
    """Write what the backend serves to ``out``.

    Raises:
        SlipwayError: it is not fitted, or ONNX cannot express it.
    """
    _refuse_version(source)
    model = load(source, options)
    columns, separate = _inputs(model, source, options)
    kinds = results(model)
    notes = _notes(model, columns, separate, kinds, source)
    inputs = tensors(columns, separate)
    versions = {name: version(name) for name in TOOLS}
    if options.backend == "python":
        modules = _modules(source)
        files = write_python_model(model, columns, separate, kinds, options, out)
        outputs = tuple(r.tensor for r in kinds)
        return Converted(
            "python",
            files,
            inputs,
            outputs,
            packages=packages(model, modules),
            notes=notes,
            versions=versions,
            tolerance=1e-6,
        )
    graph = to_graph(model, columns, separate, options)
    (out / "model.onnx").write_bytes(graph.model.SerializeToString(deterministic=True))
    kept = {entry.name for entry in graph.model.graph.input}
    return Converted(
        "onnxruntime",
        ("model.onnx",),
        tuple(tensor for tensor in inputs if tensor.name in kept),
        graph.outputs,
        repairs=graph.repairs,
        notes=notes,
        versions=versions,
    )


def reference(
    source: Path, rows: Arrays, converted: Converted, options: Options
) -> dict[str, Array]:
    """Return the model's own answers to ``rows``."""
    model = load(source, options)
    columns, separate = _inputs(model, source, options)
    framed = getattr(model, "feature_names_in_", None) is not None
    asked = table(rows, columns, separate, framed)
    wanted = {tensor.name for tensor in converted.outputs}
    return {r.name: answer(model, asked, r) for r in results(model) if r.name in wanted}


def causes_of(
    source: Path, converted: Converted, rows: Arrays, differs: Array
) -> tuple[Cause, ...]:
    """Return known causes that the steps of the model in ``source`` show."""
    # it was loaded before, with the user's trust: what is asked here changes nothing of it
    try:
        model = load(source, Options(converted.backend, ""))
    except SlipwayError:
        return ()
    return causes.causes(model, input_columns(model), rows, differs)


def _refuse_version(source: Path) -> None:
    """Raise if a scikit-learn of another minor version wrote the file: nothing was loaded yet.

    Attributes of fitted estimators change between minor versions; scikit-learn promises nothing.
    """
    facts = read_facts(Contents(source))
    here = version("scikit-learn")
    if facts and facts.version and facts.version.split(".")[:2] != here.split(".")[:2]:
        raise SlipwayError(
            f"scikit-learn {facts.version} wrote it, and {here} reads it here: answers may differ,"
            " or fail",
            where=str(source),
            fix=f"--with 'scikit-learn=={facts.version}'",
        )


def _inputs(model: Any, source: Path, options: Options) -> tuple[list[Column], bool]:
    try:
        columns = input_columns(model)
    except ValueError as error:
        raise SlipwayError(
            str(error), where=str(source), fix="fit it, and save it again"
        ) from error
    return columns, named(model, columns, options.settings)


def _modules(source: Path) -> tuple[str, ...]:
    facts = read_facts(Contents(source))
    return facts.modules if facts else ()


def _notes(
    model: Any, columns: list[Column], separate: bool, kinds: tuple[Result, ...], source: Path
) -> tuple[str, ...]:
    notes = []
    classes = getattr(model, "classes_", None)
    if classes is not None and len(kinds) > 1:
        names = ", ".join(str(name) for name in classes)
        notes.append(f"{kinds[1].name} is in the order of the classes {names}")
    if unused := [column.name for column in columns if not column.used]:
        notes.append(f"the model does not use {', '.join(unused)}")
    if not separate and getattr(model, "feature_names_in_", None) is not None:
        notes.append("the columns of input are " + ", ".join(column.name for column in columns))
    facts = read_facts(Contents(source))
    if facts and facts.version and facts.version != version("scikit-learn"):
        notes.append(f"scikit-learn {facts.version} wrote it, {version('scikit-learn')} read it")
    return tuple(notes)
