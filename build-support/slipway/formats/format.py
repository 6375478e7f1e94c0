"""What a format is: how its files are recognised, converted, and scored in their own framework.

Imported in conversion environments too, which have numpy and the framework, and nothing else of the
library's: only the standard library and numpy are imported here and at the head of ``kinds/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from slipway.formats.contents import Contents

type Array = np.ndarray[Any, Any]
type Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Feature:
    """What one column of the rows may hold, as far as the file tells.

    ``low`` and ``high`` bound the training's numbers (of trees: their thresholds). ``values`` are
    categories or texts. ``missing``: a row may lack it (NaN, or "" in text).
    """

    name: str
    low: float = -1.0
    high: float = 1.0
    values: tuple[str | int | float, ...] = ()
    integer: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Tensor:
    """An input or output. ``dims`` are those of one row, -1 where free; ``datatype`` is Triton's.

    ``features`` are the columns of the last dimension of an input, for rows to be drawn from;
    ``example`` are the dims that these have, if free ones need a size that is not 8.
    """

    name: str
    datatype: str
    dims: tuple[int, ...]
    features: tuple[Feature, ...] = ()
    example: tuple[int, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """A file that a format has recognised by its content.

    ``about`` is for a sentence ("an XGBoost model of 3.4.1, 100 trees"). ``facts`` are what the
    choice of a backend and of requirements needs ("trees", "version", "categorical" …).
    ``beside`` are the paths, from the file's folder, of other files that belong to it.
    """

    about: str
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A backend that serves the file, and why this one; ``others`` are possible, each with its
    reason."""

    backend: str
    reason: str
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What the user has decided. ``settings`` are the format's own, from ``--set KEY=VALUE``.

    ``code`` is the Python file that defines the model (a PyTorch state dict needs it).
    ``triton`` is the release that serves: it limits opset, IR and file versions.
    """

    backend: str
    triton: str
    code: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Converted:
    """What :meth:`Format.convert` wrote to its folder, with the model's own names.

    ``files`` are paths below the folder, which go to the inferencer's version directory as they are
    named (``model.onnx``, ``checkpoint.tl``, ``model.pt``, ``model.xml`` …, for the Python backend
    ``model.py`` and what it opens). ``inputs`` and ``outputs`` are as clients see them; ``served``
    maps each of their names to the name that the served file or backend has for it, where it is
    another. ``parameters`` go to config.pbtxt. ``packages`` are those of a Python model.
    ``repairs`` say what was changed that a plain conversion would have got wrong, ``notes`` what
    was guessed or lowered; ``versions`` are those of all programs that took part.
    ``max_batch_size`` 0: rows cannot be joined.
    """

    backend: str
    files: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    served: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    max_batch_size: int = 16
    gpu: bool = False
    tolerance: float = 1e-4


@dataclass(frozen=True)
class Cause:
    """A known cause of a difference, and what avoids it: an option or a change of the training."""

    what: str
    fix: str


class Format(Protocol):
    """A format of model files.

    ``recognise``, ``choose`` and ``requirements`` run in the library's process and may import only
    the standard library and numpy. ``convert``, ``reference`` and ``causes`` run in the conversion
    environment, isolated: no network, limits of time and memory, nothing to read but the source.
    Paths that they get are relative to the working folder, the same each time.

    Rows and answers are arrays with the rows first, then a row's ``dims``; text is an array of
    objects, each a ``str``. A format whose framework needs sockets within the machine (a Java
    process beside it) has an attribute ``loopback = True``.
    """

    name: str
    """A short name, for options and records: "xgboost"."""
    title: str
    """For a sentence: "an XGBoost model"."""

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what the file is; ``None`` if it is not of this format.

        Raises:
            SlipwayError: it is of this format, but truncated, of a newer version than known, or
                holds what is refused (code).
        """
        ...

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return the backend that serves it best on ``triton``, a release such as "25.04"."""
        ...

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the name of the lock of its conversion environment, a file of ``locks/``, or the
        absolute path of one with hashes."""
        ...

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write what ``options.backend`` serves to the folder ``out``.

        Raises:
            SlipwayError: it cannot be converted; ``fix`` names the option or backend that can.
        """
        ...

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the framework's own answers to ``rows``, by the names of ``converted.outputs``."""
        ...

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return known causes that the file shows, for rows that differ (a mask of the rows)."""
        ...
