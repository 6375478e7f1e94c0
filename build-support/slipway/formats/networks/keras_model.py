"""A model of Keras in memory: loaded without running code of the file, called, named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.format import Array, Feature, Options, Tensor
from slipway.formats.networks.code import load_code
from slipway.formats.networks.examples import example_of
from slipway.formats.networks.tensorflow_graph import quiet, tensor

SETTING = re.compile(r"^-?\d+(,-?\d+)*$")


def load(source: Path, options: Options) -> Any:
    """Return the model of a ``.keras`` or HDF5 file, with the classes of ``options.code``.

    Raises:
        SlipwayError: it needs a class that nobody gave, or a Lambda layer.
    """
    quiet()
    import keras

    classes = _classes(options.code) if options.code else {}
    with keras.saving.custom_object_scope(classes):
        try:
            return keras.saving.load_model(named(source), compile=False, safe_mode=True)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _explained(error) from error


def named(source: Path) -> Path:
    """Return a path of the file whose name ends as Keras wants it, which decides by that."""
    ending = ".h5" if source.read_bytes()[:4] == b"\x89HDF" else ".keras"
    if source.suffix in (ending, ".hdf5"):
        return source
    import tempfile

    copy = Path(tempfile.mkdtemp()) / f"model{ending}"
    copy.symlink_to(source.resolve())
    return copy


def input_names(model: Any) -> list[str]:
    """Return the names of the inputs in the order in which Keras flattens them."""
    return [_operation(t) for t in _inputs(model)]


def output_names(model: Any) -> list[str]:
    """Return names of outputs: keys of a dictionary, else the layers that make them."""
    import keras

    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, dict):
        return [".".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(structure)]
    names: list[str] = []
    for made in keras.tree.flatten(model.outputs):
        name = _operation(made)
        names.append(name if name not in names else f"{name}_{names.count(name)}")
    return [f"{name}_{i}" if names[:i].count(name) else name for i, name in enumerate(names)]


def specs(model: Any, settings: Mapping[str, str]) -> list[Any]:
    """Return TensorSpecs of the inputs. Settings ``NAME=64,64,3`` fix sizes that are free.

    Raises:
        SlipwayError: a setting names no input, or other sizes than the model has.
    """
    import tensorflow as tf

    made = []
    names = input_names(model)
    unknown = sorted(settings.keys() - set(names))
    if unknown:
        fix = f"its inputs are {', '.join(names)}"
        raise SlipwayError(f"--set {unknown[0]}: the model has no such input", fix=fix)
    for name, given in zip(names, _inputs(model), strict=True):
        shape = list(given.shape)
        if name in settings:
            sizes = [
                int(size) for size in settings[name].split(",") if SETTING.match(settings[name])
            ]
            free = zip(sizes, shape[1:], strict=False)
            if len(sizes) != len(shape) - 1 or any(b not in (None, a) for a, b in free):
                what = f"--set {name}={settings[name]} does not fit the shape {tuple(shape[1:])}"
                raise SlipwayError(what, fix=f"--set {name}=" + ",".join("64" for _ in shape[1:]))
            shape[1:] = sizes
        made.append(tf.TensorSpec(shape, given.dtype, name=name))
    return made


def call(model: Any, arrays: list[Any]) -> list[Any]:
    """Return the outputs of one call as in prediction: no dropout, no augmentation, flat."""
    import keras

    structure = getattr(model, "_inputs_struct", None)
    packed = keras.tree.pack_sequence_as(structure, arrays) if structure is not None else arrays
    if isinstance(packed, list | tuple) and len(packed) == 1:
        packed = packed[0]
    return list(keras.tree.flatten(model(packed, training=False)))


def answer(model: Any, rows: Mapping[str, Array]) -> list[Array]:
    """Return its answers to rows as arrays."""
    import numpy as np

    given = [tensor(rows[name]) for name in input_names(model)]
    return [np.asarray(made) for made in call(model, given)]


def known(model: Any) -> list[Tensor]:
    """Return what inputs of whole numbers and of pixels may hold: tables' sizes, 0 to 255.

    Free sizes of pictures are large enough for networks that halve them a few times.
    """
    layers = list(model._flatten_layers())
    tables = [x.input_dim for x in layers if type(x).__name__ == "Embedding"]
    pixels = any(type(x).__name__ == "Rescaling" for x in layers)
    made = []
    for name, given in zip(input_names(model), _inputs(model), strict=True):
        features: tuple[Feature, ...] = ()
        if "int" in given.dtype:
            high = min(tables) - 1 if tables else 255 if pixels else 1
            features = (Feature(name, 0, high, integer=True),)
        elif pixels and given.dtype.startswith("float"):
            features = (Feature(name, 0, 255),)
        dims = tuple(-1 if size is None else size for size in given.shape[1:])
        made.append(Tensor(name, "", dims, features, example_of(dims)))
    return made


def _inputs(model: Any) -> list[Any]:
    import keras

    try:
        found = keras.tree.flatten(model.inputs)
    except (AttributeError, ValueError):
        found = []
    if not found or found == [None]:
        what = "a subclassed model: its file does not say what it takes"
        fix = "wrap it: keras.Model(x := keras.Input(…), model(x)), and save that"
        raise SlipwayError(what, fix=fix)
    return list(found)


def _operation(tensor: Any) -> str:
    return str(tensor._keras_history.operation.name)


def _classes(code: Path) -> dict[str, Any]:
    module = load_code(code)
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == module.__name__
    }


def _explained(error: Exception) -> SlipwayError:
    text = str(error)
    if "Lambda" in text and "unsafe" in text:
        return lambda_refused()
    missing = re.search(
        r"Unknown layer: '([^']+)'|Could not locate (?:class|function) '([^']+)'", text
    )
    if missing:
        return custom_refused(missing[1] or missing[2])
    fix = "load it with Keras where it was trained, and save it again as .keras"
    return SlipwayError(f"Keras cannot load it: {text[:300]}", fix=fix)


def lambda_refused() -> SlipwayError:
    """Return the error about a Lambda layer, whose Python code is in the file."""
    what = "a Lambda layer holds Python code of whoever wrote the file, and loading would run it"
    fix = (
        "write the layer as operations (keras.ops) or as a class with "
        "@keras.saving.register_keras_serializable, save again, and give the class with --code"
    )
    return SlipwayError(what, fix=fix)


def custom_refused(name: str) -> SlipwayError:
    """Return the error about a class that is not Keras's."""
    fix = "give the Python file that defines it: --code FILE"
    return SlipwayError(f"it needs {name}, which is not Keras's", fix=fix)
