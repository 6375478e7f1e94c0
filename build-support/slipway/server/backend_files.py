"""The files of the prepared backend directory that are Slipway's own, or changed by it."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from slipway.files import sha256_of
from slipway.triton.image import numpy_support
from slipway.triton.standins import STANDINS

SLIPWAY = Path(__file__).parents[1]
# what the modules of a backend import of the library; nothing else of it is there
SHARED = (
    "server/backend_parts/*.py",
    "triton/onnx_parameters.py",
    "triton/image/forest_libraries.py",
    "triton/pytorch_names.py",
    "triton/datatypes.py",
    "errors.py",
)
OWN = ("onnxruntime", *sorted(STANDINS))
PYTHON_BACKEND = Path(__file__).parent / "python_backend"
NUMPY_2 = ("numpy_2.py", "numpy_2_check.py")
UTILITIES = "triton_python_backend_utils.py"
# SHA-256 of the wheel's files with which numpy_2.py was tested: it depends on the binary's layout
TESTED_STUBS = {"3.12": "41a7758c6f44520b846e90a5bf8b063f99aee01698c3e32113ce352fe8369921"}
TESTED_UTILITIES = "dcfbb2a8e115e6c47097ca59e395488c3a94c3cec416d9b89e20bf495ef8bab7"
CALL = """

# added by Slipway (server/backend_files.py)
import faulthandler, signal  # for server/model_stacks.py

faulthandler.register(signal.SIGUSR2, all_threads=True)
if int(np.__version__.partition(".")[0]) >= 2:
    from slipway_numpy_2 import adapt

    serialize_byte_tensor = adapt(serialize_byte_tensor, {tested!r})
    print({message!r}, np.__version__, flush=True)
"""


def backend_files(utilities: Path, stub: Path, python: str) -> dict[str, bytes]:
    """Return the files by their path in the backend directory.

    ``utilities`` and ``stub`` are the wheel's, the stub that for Python ``python``.
    """
    return {
        **{f"{name}/{file}": data for name in OWN for file, data in _files_of(name).items()},
        **{f"python/slipway_{name}": (PYTHON_BACKEND / name).read_bytes() for name in NUMPY_2},
        f"python/{UTILITIES}": _adapting_utilities(utilities.read_bytes(), stub, python),
    }


def _files_of(backend: str) -> dict[str, bytes]:
    """Return the files of a backend's directory: its modules under the names they import."""
    own = f"slipway/server/{backend}_backend"
    files = {f"slipway/{name}": data for name, data in modules_of(backend).items()}
    packages = {str(parent) for file in files for parent in PurePosixPath(file).parents[:-1]}
    inits = {f"{package}/__init__.py": b"" for package in sorted(packages)}
    return {"model.py": files[f"{own}/model.py"], **inits, **files}


def modules_of(backend: str) -> dict[str, bytes]:
    """Return the modules that a backend of ours consists of, by their path in the library."""
    patterns = (f"server/{backend}_backend/*.py", *SHARED)
    paths = [path for pattern in patterns for path in sorted(SLIPWAY.glob(pattern))]
    return {path.relative_to(SLIPWAY).as_posix(): path.read_bytes() for path in paths}


def _adapting_utilities(utilities: bytes, stub: Path, python: str) -> bytes:
    """Return the wheel's Python module, which adapts the stub under numpy 2.

    With other files of the wheel than the tested ones, models with numpy 2 fail to load, which is
    better than to return empty tensors.
    """
    known = hashlib.sha256(utilities).hexdigest() == TESTED_UTILITIES
    known = known and sha256_of(stub) == TESTED_STUBS.get(python)
    tested = numpy_support.TESTED_VERSIONS if known else ()
    return utilities + CALL.format(tested=tested, message=numpy_support.MESSAGE).encode()
