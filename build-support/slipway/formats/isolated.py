"""Carry out requests of formats in their environments, isolated from everything else."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slipway
from slipway.environment.tools import provide_tools
from slipway.errors import SlipwayError
from slipway.formats import worker
from slipway.formats.exchange import load_json, save_json
from slipway.formats.sandbox.mounts import PLACE
from slipway.formats.sandbox.run import Isolation, Limits, run

OWN = "slipway"
# modules of other folders that formats import in their environments; they need the standard library
SHARED = (
    *("__init__.py", "errors.py", "triton/__init__.py"),
    *("triton/checkpoint_head.py", "triton/standins.py", "triton/image/__init__.py"),
    *("triton/image/forest_libraries.py", "triton/image/onnx_runtimes.py"),
    "triton/image/tensorrt.py",
)
VARIABLES = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
WORKER = f"{OWN}/formats/worker.py"
NOT_NEEDED = shutil.ignore_patterns("__pycache__", "sandbox", "locks", "*.pyc")


@dataclass
class Workplace:
    """Folders of one request. ``inputs`` is read-only to the process, ``work`` is its own."""

    inputs: Path
    work: Path
    shown: dict[str, str] = field(default_factory=dict)

    def place(self, path: Path, folder: str) -> str:
        """Copy a file or folder to the inputs; return its path as the process sees it.

        It is the same path each time: no place of this machine gets into what is converted.
        """
        target = self.inputs / folder / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copyfile(path, target)
        self.shown[f"{folder}/{path.name}"] = str(path)
        return f"{worker.INPUTS}/{folder}/{path.name}"


@contextmanager
def workplace() -> Iterator[Workplace]:
    """Yield folders for one request; remove them at the end."""
    with tempfile.TemporaryDirectory(prefix="slipway-conversion-") as folder:
        place = Workplace(Path(folder).resolve() / "inputs", Path(folder).resolve() / "work")
        place.inputs.mkdir()
        place.work.mkdir()
        yield place


@dataclass(frozen=True)
class Answer:
    """What a request returned, and how it was isolated."""

    result: Any
    isolation: Isolation


def ask(
    place: Workplace,
    request: Mapping[str, Any],
    *,
    lock: Path,
    what: str,
    modules: str = OWN,
    library: Mapping[str, bytes] | None = None,
    variables: Mapping[str, str] | None = None,
    loopback: bool = False,
    limits: Limits | None = None,
) -> Answer:
    """Carry out ``request`` in the environment of ``lock``; see ``worker.py``.

    Args:
        what: names the step for the user.
        modules: the module of the format; its top-level package is copied, if not the library's.
        library: further modules, by their path in the library.
        loopback: whether the framework needs sockets within the machine.

    Raises:
        SlipwayError: that of the format; or the framework's own error, as text; or it took more
            time or memory than allowed.
    """
    tools = provide_tools(lock)
    _copy_library(place.inputs / "library", modules, library or {})
    save_json(request, place.inputs / "request.json")
    ended = run(
        ["%tools%/bin/python", "-s", "-P", "-B", f"%inputs%/library/{WORKER}"],
        what=what,
        work=place.work,
        folders={"inputs": place.inputs, "tools": tools.folder},
        variables={**VARIABLES, **(variables or {})},
        limits=limits,
        loopback=loopback,
    )
    answer = place.work / worker.ANSWER
    if not answer.is_file() or answer.is_symlink():
        text = _last_lines(ended.text) or "(no output)"
        raise SlipwayError(
            f"{what} ended with status {ended.status}\n  {text}",
            fix="if the file is whole, its framework cannot read it: try the version that wrote it",
        )
    values = load_json(answer)
    _raise_error(values, place, what, ended.text)
    return Answer(values["result"], ended.isolation)


def _raise_error(values: Mapping[str, Any], place: Workplace, what: str, text: str) -> None:
    if "error" in values:
        parts = {name: part and _shown(part, place) for name, part in values["error"].items()}
        raise SlipwayError(parts["what"], where=parts["where"], fix=parts["fix"])
    if "failure" in values:
        failure = _shown(values["failure"], place)
        raise SlipwayError(
            f"{what}: the framework raised {failure}\n  {_shown(_last_lines(text), place)}",
            fix="if the file is whole, try the version of the framework that wrote it: --with",
        )


def _shown(text: str, place: Workplace) -> str:
    """Return ``text`` with the user's paths instead of those of the copies."""
    for inputs in (str(place.inputs), f"{PLACE}/inputs", worker.INPUTS):
        text = text.replace(f"{inputs}/library/", "")
        for seen, path in place.shown.items():
            text = text.replace(f"{inputs}/{seen}", path)
    return text


def _last_lines(text: str, count: int = 20) -> str:
    return "\n  ".join(text.splitlines()[-count:])


def _copy_library(folder: Path, modules: str, further: Mapping[str, bytes]) -> None:
    """Copy the modules that formats need, and a format's own; nothing that is installed here."""
    if folder.exists():
        return
    library = Path(slipway.__file__).parent
    own = folder / OWN
    (own / "triton" / "image").mkdir(parents=True)
    for name in SHARED:
        shutil.copyfile(library / name, own / name)
    shutil.copytree(library / "formats", own / "formats", ignore=NOT_NEEDED)
    for name, data in further.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_bytes(data)
    package = modules.partition(".")[0]
    spec = None if package == OWN else importlib.util.find_spec(package)
    if spec is not None and spec.submodule_search_locations:
        source = Path(next(iter(spec.submodule_search_locations)))
        shutil.copytree(source, folder / package, ignore=NOT_NEEDED)
    elif spec is not None and spec.origin:
        shutil.copyfile(spec.origin, folder / Path(spec.origin).name)
