"""What a prebuilt model is: a package that holds weights, and what serves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Files:
    """What is made of a package, by path in the model folder without the model's name.

    ``weights`` ("inferencer/1/model.onnx") are tracked by DVC, and ``data``
    ("postprocessing/1/labels.json") by git.
    """

    weights: Mapping[str, bytes]
    data: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Prebuilt:
    """A prebuilt model. Its requirement with hashes is ``locks/<name>.txt``, and its templates are
    ``templates/prebuilt/<name>``; both with _ for -.

    ``files`` gets the folder of the installed packages, reads there, and imports nothing of them.
    ``licences`` are the licence texts in that folder. They travel with the weights. A package that
    has none gets its text from the templates.
    """

    name: str
    about: str
    files: Callable[[Path], Files]
    licences: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the name for files and Python: ``voice_activity``."""
        return self.name.replace("-", "_")
