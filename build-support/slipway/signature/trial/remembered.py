"""Remember what a weights file did with two rows, by its content: a trial takes seconds."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, sha256_of
from slipway.signature.trial.outcome import TwoRows, WrongOutput
from slipway.unchanged import remembered

# of a trial's result; a change of this package is another one
FORMAT = 2


@remembered
def two_rows_of(file: Path) -> TwoRows | None:
    """Return what the graph in ``file``, which holds all its tensors, does with two rows.

    None if it does not take several rows, or cannot be tried.
    """
    from importlib.metadata import version  # not at every start

    key = f"{sha256_of(file)}-{version('onnxruntime')}-{FORMAT}"
    remembered = cache_dir("trials") / f"{key}.json"
    if remembered.is_file():
        return _parse(json.loads(remembered.read_text(encoding="utf-8")))
    # numpy and ONNX Runtime
    from slipway.signature.trial.graph import read_graph
    from slipway.signature.trial.two_rows import try_two_rows

    try:
        trial = try_two_rows(read_graph(file))
    except SlipwayError:
        trial = None  # it is reported elsewhere that it cannot be opened
    with atomic_write(remembered) as temporary:
        temporary.write_text(json.dumps(asdict(trial) if trial else None), encoding="utf-8")
    return trial


def _parse(values: dict[str, object] | None) -> TwoRows | None:
    if values is None:
        return None
    error = values["error"]
    wrong, uneven = _outputs(values["wrong"]), _outputs(values["uneven"])
    return TwoRows(None if error is None else str(error), wrong, uneven)


def _outputs(values: object) -> tuple[WrongOutput, ...]:
    assert isinstance(values, list)
    return tuple(
        WrongOutput(o["name"], o["position"], tuple(o["declared"]), tuple(o["actual"]))
        for o in values
    )
