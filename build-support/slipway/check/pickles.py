"""Weights that run code when they are loaded: told by their content, never by loading them."""

from __future__ import annotations

import copy
import logging
import zipfile
from pathlib import Path

# what a loader unpickles, by its name: joblib's files begin with anything once they are compressed
SUFFIXES = {".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle"}
# what holds other things that run, which modelscan knows as well
OTHERS = {".h5", ".keras", ".npy", ".npz", ".zip", ".pt", ".pth", ".ckpt"}
PROTOCOLS = range(2, 6)
MAGIC = 0x80  # opens every pickle since protocol 2


def is_pickle(file: Path) -> bool:
    """Whether loading ``file`` unpickles it: a pickle, or an archive of PyTorch's that holds one.

    TorchScript, whose archive holds code beside its pickles, is read by libtorch, which runs none.
    """
    if file.suffix in SUFFIXES or _begins_one(file):
        return True
    names = _members(file) if zipfile.is_zipfile(file) else []
    scripted = any("/code/" in name for name in names)
    return not scripted and any(name.endswith((".pkl", ".pickle")) for name in names)


def is_suspect(file: Path) -> bool:
    """Whether it is worth a scan, which imports a library of its own."""
    return file.suffix in OTHERS or is_pickle(file)


def dangers(file: Path) -> list[str]:
    """What ``file`` would call when it is loaded, such as ``posix.system``; sorted."""
    from modelscan.modelscan import ModelScan
    from modelscan.settings import DEFAULT_SETTINGS

    # what it cannot read it reports as an error of its own; only what it finds counts here
    logging.getLogger("modelscan").setLevel(logging.CRITICAL)
    settings = copy.deepcopy(DEFAULT_SETTINGS)
    formats = settings["middlewares"]["modelscan.middlewares.FormatViaExtensionMiddleware"]
    unpickled = next(kinds for kind, kinds in formats["formats"].items() if kind.value == "pickle")
    if _begins_one(file):
        unpickled.append(file.suffix)
    issues = ModelScan(settings).scan(file)["issues"]
    return sorted({_named(issue) for issue in issues})


def _begins_one(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(2)
    return len(head) == 2 and head[0] == MAGIC and head[1] in PROTOCOLS


def _named(issue: dict[str, str]) -> str:
    parts = (issue.get("module"), issue.get("operator"))
    return ".".join(part for part in parts if part) or issue["description"]


def _members(file: Path) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []
