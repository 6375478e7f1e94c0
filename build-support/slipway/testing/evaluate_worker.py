"""Serve a model, run its ``evaluate.py``, and write the returned metrics or the error as JSON.

:mod:`slipway.testing.evaluate` starts it as a process.
"""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from slipway import settings
from slipway.errors import SlipwayError
from slipway.files import atomic_write
from slipway.model.thresholds import EVALUATION_PROGRAM
from slipway.server.client import UnansweredError
from slipway.testing.served_artifact import ServedArtifact, ServedModel, describe_end

FUNCTION = "evaluate"
RETURN = "return numbers by name, for example {'accuracy': 0.9}"


def main(model: Path, root: Path, artifact: Path, answer: Path) -> None:
    """Write ``{"metrics", "notes"}``, or ``{"error", "where", "fix"}``, to ``answer``."""
    try:
        result = _evaluate(model, root, artifact)
    except SlipwayError as error:
        result = {"error": error.what, "where": error.where, "fix": error.fix}
    with atomic_write(answer) as temporary:
        temporary.write_text(json.dumps(result), encoding="utf-8")


def _evaluate(model: Path, root: Path, artifact: Path) -> dict[str, Any]:
    program = model / EVALUATION_PROGRAM
    evaluate = _function(program)
    with ServedArtifact(settings.load(root), model, artifact) as served:
        returned = call_program(lambda: evaluate(ServedModel(served)), program)
        notes = [f"served by {served.server.describe(served.target)}", *served.fallbacks]
    notes += map(describe_end, served.ends)
    return {"metrics": finite_metrics(returned, program), "notes": notes}


def _function(program: Path) -> Callable[[Any], Any]:
    """Return the program's ``evaluate``, before a server is started for it."""
    sys.path.insert(0, str(program.parent))
    spec = importlib.util.spec_from_file_location("evaluate", program)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as an import does; needed to pickle what it defines
    call_program(lambda: spec.loader.exec_module(module), program)  # type: ignore[union-attr]
    attribute = getattr(module, FUNCTION, None)
    if not callable(attribute):
        raise SlipwayError(
            f"the program has no function {FUNCTION}",
            where=str(program),
            fix=f"def {FUNCTION}(model: Model) -> dict[str, float]: ...",
        )
    function: Callable[[Any], Any] = attribute
    return function


def call_program(call: Callable[[], Any], program: Path) -> Any:
    """Return the result of ``call``; an error of the program is raised with its line."""
    try:
        return call()
    except UnansweredError:
        raise  # it says where the model's code is, which is not in this program
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame.lineno for frame in frames if frame.filename == str(program)]
        line = own[-1] if own else getattr(error, "lineno", None)
        inside = [frame for frame in frames if frame.filename != __file__]
        print("".join(traceback.format_list(inside)), end="", file=sys.stderr)
        raise SlipwayError(
            f"{type(error).__name__}: {error}",
            where=f"{program}:{line}" if line else str(program),
            fix="fix the error; its traceback is above",
        ) from error


def finite_metrics(returned: Any, program: Path) -> dict[str, float | None]:
    """Return the metrics in ``returned``, with ``None`` for values that are not finite.

    Raises:
        SlipwayError: it is not a mapping of numbers.
    """
    if not isinstance(returned, Mapping) or not returned:
        raise SlipwayError(
            f"{FUNCTION} returned {returned!r}, not metrics", where=str(program), fix=RETURN
        )
    metrics: dict[str, float | None] = {}
    for name, value in returned.items():
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise SlipwayError(
                f"the metric {name!r} is {value!r}, not a number", where=str(program), fix=RETURN
            ) from error
        metrics[str(name)] = number if math.isfinite(number) else None
    return metrics


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
