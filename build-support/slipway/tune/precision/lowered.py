"""Weights in a lower precision, made in an environment of their own and kept for ``--write``."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.files import atomic_write, sha256_of
from slipway.formats import worker
from slipway.formats.exchange import save_arrays
from slipway.formats.graphs import precision as precision_module
from slipway.formats.isolated import ask, workplace
from slipway.formats.serving import LOCKS
from slipway.triton.config import FILE_NAME, load_config
from slipway.triton.datatypes import Array
from slipway.tune.load import CandidateFailed

LOCK = "onnx.txt"
DEFAULT_FILE = "model.onnx"

type Calibrate = Callable[[str], list[Mapping[str, Array]]]
"""Returns what a model inside the artifact is asked, by its name."""


class Lowered:
    """Lowered weights below the folder ``kept``, each named by a digest of what it is made of: the
    weights, the tools and how they are called."""

    def __init__(self, kept: Path, calibrate: Calibrate) -> None:
        self._kept = kept
        self._calibrate = calibrate
        self._failed: dict[tuple[str, str], str] = {}

    def replace(self, base: Path, folder: Path, model: str, precision: str) -> None:
        """Put the weights of ``model`` in ``base`` into ``folder``, in ``precision``.

        Raises:
            CandidateFailed: the tools cannot lower them; says why.
        """
        source = weights_file(base, model)
        target = folder / source.relative_to(base)
        lowered = self.weights(source, model, precision)
        target.unlink()
        shutil.copyfile(lowered, target)

    def weights(self, source: Path, model: str, precision: str) -> Path:
        """Return the file of ``source`` in ``precision``, which is made if it is not kept.

        Raises:
            CandidateFailed: see :meth:`replace`.
        """
        if (model, precision) in self._failed:
            raise CandidateFailed(self._failed[model, precision])
        file = self._kept / f"{model}-{precision}-{_made_of(source)}.onnx"
        if not file.is_file():
            try:
                self._make(source, file, model, precision)
            except SlipwayError as error:
                reason = f"{precision}: {_last_line(error.what)}"
                self._failed[model, precision] = reason
                raise CandidateFailed(reason) from error
        return file

    def _make(self, source: Path, file: Path, model: str, precision: str) -> None:
        with workplace() as place:
            requests = []
            for number, arrays in enumerate(
                self._calibrate(model) if precision == precision_module.STATIC else ()
            ):
                requests.append(f"request_{number}.npz")
                save_arrays(arrays, place.inputs / requests[-1])
            placed = place.place(source, "source")
            ask(
                place,
                {
                    "task": "lower",
                    "source": placed,
                    "precision": precision,
                    "requests": requests,
                },
                lock=LOCKS / LOCK,
                what=f"writing {model} in {precision}",
            )
            made = place.work / worker.OUT / DEFAULT_FILE
            if made.is_symlink() or not made.is_file():
                raise SlipwayError("no weights were written")
            with atomic_write(file) as temporary:
                shutil.copyfile(made, temporary)


def weights_file(folder: Path, model: str) -> Path:
    """Return the ONNX file of a model in the folder of a repository: that of its newest version.

    Raises:
        CandidateFailed: there is none, or its weights are in further files.
    """
    config = load_config(folder / model / FILE_NAME)
    name = config.default_model_filename or DEFAULT_FILE
    versions = [path for path in (folder / model).iterdir() if path.name.isdigit()]
    newest = max(versions, key=lambda path: int(path.name), default=None)
    if newest is None or not (newest / name).is_file():
        raise CandidateFailed(f"{model} has no {name} in one file")
    return newest / name


def _made_of(source: Path) -> str:
    parts = (source, LOCKS / LOCK, Path(precision_module.__file__))
    return hashlib.sha256("".join(map(sha256_of, parts)).encode()).hexdigest()[:12]


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "failed")
