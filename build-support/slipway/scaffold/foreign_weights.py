"""Say of a file in a Triton model's directory what it is, and whether the model opens it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.format import Format, Recognised
from slipway.formats.recognise import find_format
from slipway.model.original import FOLDER
from slipway.scaffold import naming
from slipway.settings import Settings
from slipway.triton import config

# the formats that a backend opens as they are, and the name that it looks for
SERVED_AS = {
    "onnx": ("onnxruntime", "model.onnx"),
    "fil_checkpoint": ("fil", "checkpoint.tl"),
    "torch_script": ("pytorch", "model.pt"),
    "openvino_ir": ("openvino", "model.xml"),
    "tensorrt_plan": ("tensorrt", "model.plan"),
}
ONNX, PYTHON, FIL = "onnx", "python", "fil"
FORESTS = ("xgboost", "lightgbm")
LARGEST = 64  # files of a folder that are looked at for a model


@dataclass(frozen=True)
class Weights:
    """What a file was recognised as.

    ``opened``: the model's backend opens it, as far as its config tells. ``fix`` says what serves
    it, where not.
    """

    file: Path
    about: str
    format: str
    opened: bool
    fix: str

    def __str__(self) -> str:
        return f"{self.file}: {self.about}"


def recognise_weights(file: Path, settings: Settings, backend: str = "") -> Weights | None:
    """Return what ``file`` is in the model's directory that it lies in; ``None`` if not known.

    ``backend`` is the model's, and by default what the config in its directory says.

    Raises:
        SlipwayError: it is of a known format, and damaged or refused.
    """
    found = find_format(file)
    if found is None:
        return None
    form, recognised = found
    backend = backend or _backend(file)
    served = SERVED_AS.get(form.name)
    forest = backend == FIL and form.name in FORESTS  # rules of the check know which versions
    if backend == PYTHON or forest:
        return Weights(file, recognised.about, form.name, True, "")
    if served is not None and backend in ("", served[0]):
        opened = backend != ""
        fix = f'name it {served[1]}, in a model with backend: "{served[0]}"'
        return Weights(file, recognised.about, form.name, opened, "" if opened else fix)
    return Weights(
        file, recognised.about, form.name, False, _conversion(file, form, recognised, settings)
    )


def _conversion(file: Path, form: Format, recognised: Recognised, settings: Settings) -> str:
    choice = form.choose(recognised, settings.triton_release)
    return f"{new_command(file)}, which serves it with {choice.backend}"


def new_command(file: Path) -> str:
    """Return the command that makes a model of ``file``, named as its directory or itself."""
    directory = file.parent.parent if file.parent.name.isdigit() else file
    return f"slipway new {naming.propose_name(directory.stem)} --from {shlex.quote(str(file))}"


def _backend(file: Path) -> str:
    """Return the backend of the model whose version directory ``file`` lies in; "" of none."""
    path = file.parent.parent / config.FILE_NAME
    if not file.parent.name.isdigit() or not path.is_file():
        return ""
    try:
        return str(config.load_config(path).backend)
    except SlipwayError:
        return ""  # the check reports it


def refuse_foreign(file: Path, settings: Settings, backend: str = "") -> Weights | None:
    """Return what ``file`` is; refuse another format under the name of an ONNX graph.

    ``backend`` is the model's, and by default what the config in its directory says.

    Raises:
        SlipwayError: it is named ``.onnx`` and of another format that can be converted.
    """
    try:
        weights = recognise_weights(file, settings, backend)
    except SlipwayError:
        return None  # whoever opens it says so; it may be kept all the same
    if weights is not None and file.suffix == f".{ONNX}" and weights.format != ONNX:
        raise SlipwayError(f"not ONNX, but {weights.about}", where=str(file), fix=weights.fix)
    return weights


def is_original(file: Path) -> bool:
    """Return whether ``file`` is what a model was converted from."""
    return file.resolve().parent.name == FOLDER


def models_in(folder: Path, settings: Settings) -> list[Weights]:
    """Return the files and folders of known formats in ``folder``, a few of them."""
    found: list[Weights] = []
    left = [folder]
    looked_at = 0
    while left and looked_at < LARGEST:
        for path in sorted(left.pop(0).iterdir()):
            looked_at += 1
            if path.name.startswith("."):
                continue
            try:
                weights = recognise_weights(path, settings)
            except SlipwayError:
                continue  # damaged: named alone, its error says so
            if weights is not None:
                found.append(weights)
            elif path.is_dir():
                left.append(path)
    return found
