"""The backend directory for the wheel's server, prepared once per installed wheel.

The wheel's server cannot load the Python backend from where the wheel has it: the stub is in
another directory, one for each Python, and a linked library is refused ("escapes backend
directory"). So the files are copied, and our ``onnxruntime`` backend with them. The copy of
``triton_python_backend_utils.py`` adapts the stub to numpy 2, see ``python_backend/numpy_2.py``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from slipway.cache import mark_used
from slipway.errors import SlipwayError
from slipway.files import atomic_write, cache_dir, locked
from slipway.server.backend_files import UTILITIES, backend_files
from slipway.server.source import WHEEL, Source
from slipway.triton.image import numpy_support

STUB = "triton_python_backend_stub"


def prepare(source: Source, python: str) -> Path:
    """Return the backend directory for ``source``, a wheel, and models of Python ``python``
    ("3.12").

    Safe when several processes prepare at once. Never changed once it exists.

    Raises:
        SlipwayError: the wheel has no stub for that Python.
    """
    wheel = source.program.parent.parent
    stub = wheel / "python_backend_stubs" / python / STUB
    if not stub.is_file():
        raise SlipwayError(
            f"{WHEEL} has no Python backend for Python {python}",
            fix="set environment.python in slipway.toml to 3.12",
        )
    version = importlib.metadata.version(WHEEL)
    files = backend_files(wheel / "backends" / "python" / UTILITIES, stub, python)
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name} {len(content)} ".encode() + content)
    folder = cache_dir("triton") / f"{version}-{python}-{digest.hexdigest()[:12]}"
    if folder.is_dir():
        mark_used(folder)
        return folder
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            with atomic_write(folder) as aside:
                _fill(aside, wheel, stub, files)
    return folder


def _fill(folder: Path, wheel: Path, stub: Path, files: Mapping[str, bytes]) -> None:
    python = folder / "python"
    python.mkdir(parents=True)
    library = "libtriton_python.so"
    shutil.copyfile(wheel / "backends" / "python" / library, python / library)
    shutil.copyfile(stub, python / STUB)
    # the server would do it at the first load, and two models loading at once would race
    (python / STUB).chmod(0o755)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def library_folders(source: Source, python: str) -> list[Path]:
    """Return what LD_LIBRARY_PATH must name: the wheel's libraries and the interpreter's libpython.

    The copies have lost the wheel's relative RPATH.

    Raises:
        SlipwayError: no shared libpython of version ``python`` belongs to this interpreter.
    """
    wheel = source.program.parent.parent
    return [wheel.parent.parent / "nvidia_pytriton.libs", libpython(python).parent]


def libpython(python: str) -> Path:
    """Return the shared ``libpython`` of the interpreter that runs the library.

    Raises:
        SlipwayError: it has none, or another minor version.
    """
    name = f"libpython{python}.so.1.0"
    # a relocated interpreter (python-build-standalone) names the LIBDIR of its build machine
    for folder in (Path(sys.base_prefix) / "lib", Path(sysconfig.get_config_var("LIBDIR") or "/")):
        if (folder / name).is_file():
            return folder / name
    raise SlipwayError(
        f"Triton's Python backend needs {name}, which the Python {sys.version.split()[0]} at"
        f" {sys.base_prefix} does not have",
        fix=f"uv python install {python}, or pyenv install {python} with"
        ' PYTHON_CONFIGURE_OPTS="--enable-shared", and create the environment again',
    )


def onnxruntime_folders(source: Source) -> list[Path]:
    """Return the folders of ONNX Runtime and numpy, for our backend's ``sys.path``.

    Raises:
        SlipwayError: one is missing, or the server does not work with this numpy.
    """
    folders: dict[Path, None] = {}
    for name in ("onnxruntime", "numpy"):
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError as error:
            raise SlipwayError(
                f"{name} is not installed: ONNX models need it on this server",
                fix=f"pip install {name}",
            ) from error
        version, release = distribution.version, source.release
        if name == "numpy" and not numpy_support.is_supported(version, release, local=True):
            raise SlipwayError(
                f"numpy {version} does not work with Triton {release}'s stub",
                fix='pip install "numpy<2"',
            )
        folders[Path(str(distribution.locate_file("")))] = None
    return list(folders)
