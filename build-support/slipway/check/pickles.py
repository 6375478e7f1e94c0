"""Detect weights that run code when they are loaded, by their content, without loading them."""

from __future__ import annotations

import copy
import logging
import zipfile
from pathlib import Path

# names of files that a loader unpickles: compressed joblib files may begin with any bytes
SUFFIXES = {".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle"}
# other formats that may hold code, which modelscan knows as well
OTHERS = {".h5", ".keras", ".npy", ".npz", ".zip", ".pt", ".pth", ".ckpt"}
PROTOCOLS = range(2, 6)
MAGIC = 0x80  # the first byte of every pickle since protocol 2


def is_pickle(file: Path) -> bool:
    """Return whether loading ``file`` unpickles it: a pickle, or a PyTorch archive that holds one.

    A TorchScript archive holds code as well as pickles. libtorch reads it, which runs no pickle.
    """
    if file.suffix in SUFFIXES or _starts_like_a_pickle(file):
        return True
    names = _members(file) if zipfile.is_zipfile(file) else []
    scripted = any("/code/" in name for name in names)
    return not scripted and any(name.endswith((".pkl", ".pickle")) for name in names)


def is_suspect(file: Path) -> bool:
    """Return whether ``file`` is worth a scan, which imports a large library."""
    return file.suffix in OTHERS or is_pickle(file)


def find_dangerous_calls(file: Path) -> list[str]:
    """Return what ``file`` would call when it is loaded, such as ``posix.system``; sorted."""
    from modelscan.modelscan import ModelScan
    from modelscan.settings import DEFAULT_SETTINGS

    # it also logs files that it cannot read; only its findings count here
    logging.getLogger("modelscan").setLevel(logging.CRITICAL)
    settings = copy.deepcopy(DEFAULT_SETTINGS)
    formats = settings["middlewares"]["modelscan.middlewares.FormatViaExtensionMiddleware"]
    unpickled = next(kinds for kind, kinds in formats["formats"].items() if kind.value == "pickle")
    if _starts_like_a_pickle(file):
        unpickled.append(file.suffix)
    issues = ModelScan(settings).scan(file)["issues"]
    return sorted({_call_name(issue) for issue in issues})


def _starts_like_a_pickle(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(2)
    return len(head) == 2 and head[0] == MAGIC and head[1] in PROTOCOLS


def _call_name(issue: dict[str, str]) -> str:
    parts = (issue.get("module"), issue.get("operator"))
    return ".".join(part for part in parts if part) or issue["description"]


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []
