"""A scikit-learn model as a Python model: the model as a skops file, and the code that asks it."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Options
from slipway.formats.sklearn.canonical import number_objects
from slipway.formats.sklearn.column import Column
from slipway.formats.sklearn.columns import WIDE
from slipway.formats.sklearn.reading.load import copy_code
from slipway.formats.sklearn.results import Result

CODE = Path(__file__).parent.parent / "python_models" / "sklearn_model.py"
FILES = ("model.py", "model.skops", "interface.json")


def write_python_model(
    model: Any,
    columns: list[Column],
    separate: bool,
    results: tuple[Result, ...],
    options: Options,
    out: Path,
) -> tuple[str, ...]:
    """Write the model's files to ``out`` and return their names. A pickle never gets there.

    Raises:
        SlipwayError: skops cannot keep the model.
    """
    import skops.io

    try:
        skops.io.dump(model, out / "model.skops")
        number_objects(out / "model.skops")
    except Exception as error:  # of whatever type the estimator's state provokes
        raise SlipwayError(
            f"skops cannot keep this model: {error}",
            fix="save a model without functions of your own, or name their file: --code FILE",
        ) from error
    interface = {
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "used": column.used,
                "absent": "NaN" if column.absent != column.absent else column.absent,
            }
            for column in columns
        ],
        "separate": separate,
        "wide": WIDE,
        "framed": getattr(model, "feature_names_in_", None) is not None,
        "documents": columns[0].document and len(columns) == 1,
        "trusted": sorted(skops.io.get_untrusted_types(file=out / "model.skops")),
        "outputs": [{"name": r.name, "datatype": r.datatype, "method": r.method} for r in results],
    }
    text = json.dumps(interface, indent=1, ensure_ascii=False) + "\n"
    (out / "interface.json").write_text(text, encoding="utf-8")
    shutil.copyfile(CODE, out / "model.py")
    if options.code is None:
        return FILES
    copy_code(options.code, out)
    return (*FILES, options.code.name)


def packages(model: Any, modules: tuple[str, ...]) -> tuple[str, ...]:
    """Return the packages that serve the model, at the versions that converted it."""
    names = ["scikit-learn", "skops", "numpy"]
    if getattr(model, "feature_names_in_", None) is not None:
        names.append("pandas")
    names += [n for m, n in (("xgboost", "xgboost-cpu"), ("lightgbm", "lightgbm")) if m in modules]
    return tuple(f"{name}=={version(name)}" for name in names)
