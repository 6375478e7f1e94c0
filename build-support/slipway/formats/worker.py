"""Carry out one request in a conversion environment: a process of its own, isolated.

Started by ``isolated.py`` as a script, with a copy of the few modules of the library that it needs.
``../inputs/request.json`` says what to do; results are written below the working folder.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import sysconfig
import traceback
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

FIRST_TIME = (1980, 1, 1, 0, 0, 0)
INPUTS, ANSWER, ROWS, ANSWERS, OUT = "../inputs", "answer.json", "rows.npz", "answers.npz", "out"

type Request = dict[str, Any]


def main() -> None:
    """Carry out the request; write the answer, or the error, to ``answer.json``."""
    sys.path.insert(0, str(Path(INPUTS, "library").resolve()))
    from slipway.errors import SlipwayError
    from slipway.formats.exchange import load_json, save_json

    request = load_json(Path(INPUTS, "request.json"))
    task: Callable[[Request], Any] = globals()[f"_{request['task']}"]
    try:
        answer = {"result": task(request)}
    except SlipwayError as error:
        answer = {"error": {"what": error.what, "where": error.where, "fix": error.fix}}
    except Exception as error:  # of a framework, which the user can only be shown
        traceback.print_exc()
        answer = {"failure": f"{type(error).__name__}: {error}"}
    save_json(answer, Path(ANSWER))


def _convert(request: Request) -> Request:
    """Convert, find rows, and answer them in the framework."""
    from slipway.formats.exchange import options_of, save_arrays
    from slipway.formats.rows import find_rows

    _fix_times_in_archives()
    form, options = _format(request), options_of(request["options"])
    source, out = Path(request["source"]), Path(OUT)
    out.mkdir()
    converted = form.convert(source, out, options)
    versions = {"python": platform.python_version(), "numpy": version("numpy")}
    given = request["rows"]
    rows = find_rows(converted, Path(given) if given else None, request["seed"])
    save_arrays(rows.arrays, Path(ROWS))
    if request["compared"]:
        answers = form.reference(source, rows.arrays, converted, options)
        shaped = {
            o.name: _shaped(answers[o.name], o.dims)
            for o in converted.outputs
            if o.name in answers  # a framework may lack one, which is not compared then
        }
        save_arrays(shaped, Path(ANSWERS))
    return {
        "converted": converted,
        "versions": {**versions, **converted.versions},
        "notes": list(rows.notes),
    }


def _served(request: Request) -> Request:
    """Answer the rows by what will be served."""
    from slipway.formats.exchange import converted_of, load_arrays, save_arrays

    converted = converted_of(request["converted"])
    backend = importlib.import_module(f"slipway.formats.served.{request['module']}")
    rows = load_arrays(Path(INPUTS, ROWS))
    _name_library(converted.backend, request["stand_in"])
    answers = backend.answer(Path(INPUTS, OUT), rows, converted)
    save_arrays({name: _array(answer) for name, answer in answers.items()}, Path(ANSWERS))
    return {"versions": backend.versions()}


def _name_library(backend: str, release: str) -> None:
    """Write where a stand-in finds its library, as the server does (server/standins.py)."""
    folder = Path("standins").resolve()
    folder.mkdir()
    (folder / backend).write_text(f"{sysconfig.get_path('purelib')}\n{release}", encoding="utf-8")
    os.environ["SLIPWAY_STANDINS"] = str(folder)


def _causes(request: Request) -> list[Any]:
    """Ask the format for causes of a difference that it knows."""
    import numpy as np

    from slipway.formats.exchange import converted_of, load_arrays

    differs = np.array(request["differs"], bool)
    rows = load_arrays(Path(INPUTS, ROWS))
    converted = converted_of(request["converted"])
    return list(_format(request).causes(Path(request["source"]), converted, rows, differs))


def _lower(request: Request) -> Request:
    """Write a graph's weights in a lower precision."""
    from slipway.formats.exchange import load_arrays
    from slipway.formats.graphs.precision import lower

    requests = [load_arrays(Path(INPUTS, name)) for name in request["requests"]]
    Path(OUT).mkdir()
    lower(Path(request["source"]), Path(OUT, "model.onnx"), request["precision"], requests)
    return {name: version(name) for name in ("onnx", "onnxruntime")}


def _format(request: Request) -> Any:
    module, _, attribute = request["format"].partition(":")
    value: Any = importlib.import_module(module)
    for name in attribute.split("."):
        value = getattr(value, name)
    return value


def _fix_times_in_archives() -> None:
    """Give what is written to zip archives the first time that they can hold, not today's."""
    original = zipfile.ZipInfo.__init__

    def initialize(info: zipfile.ZipInfo, filename: str = "NoName", *_: Any, **__: Any) -> None:
        original(info, filename, FIRST_TIME)

    zipfile.ZipInfo.__init__ = initialize  # type: ignore[method-assign, assignment]


def _shaped(answer: Any, dims: tuple[int, ...]) -> Any:
    """Return a framework's answer with the output's dims, which may have a 1 more or less."""
    array = _array(answer)
    shape = (len(array), *dims)
    same = [size for size in array.shape if size != 1] == [size for size in shape if size != 1]
    return array.reshape(shape) if same else array


def _array(answer: Any) -> Any:
    import numpy as np

    return np.asarray(answer)


if __name__ == "__main__":
    main()
