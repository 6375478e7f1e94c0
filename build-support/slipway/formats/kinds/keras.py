"""Models of Keras 2 and 3: ``.keras`` archives and HDF5 files, to ONNX."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
)
from slipway.formats.networks import keras_file
from slipway.formats.networks.keras_file import KerasFile

KNOWN = (3, 15)  # of the lock; a newer Keras may have written what this one reads otherwise
OWN_MODULES = ("keras", "builtins", "tensorflow.keras")


class Keras:
    """Models of Keras, recognised by their own configuration, never by their name."""

    name = "keras"
    title = "a Keras model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what a ``.keras`` archive or HDF5 file holds, read as JSON."""
        if contents.path.is_dir():
            return None
        file = keras_file.read_archive(contents) or keras_file.read_hdf5(contents)
        if file is None:
            return None
        _check_version(file.version)
        custom = _check_parts(file)
        parts = [part["class_name"] for part in file.parts()]
        layers = file.config.get("config", {})
        count = len(layers.get("layers", ())) if isinstance(layers, dict) else 0
        kind = str(file.config["class_name"])
        written = f"of Keras {file.version}" if file.version else "of an unnamed version of Keras"
        container = "HDF5" if file.legacy else ".keras"
        facts: dict[str, str | int] = {
            "version": file.version,
            "container": container,
            "layers": count,
            "custom": ", ".join(custom),
            "embeddings": parts.count("Embedding"),
        }
        return Recognised(f"a {kind} model {written} ({container}, {count} layers)", facts)

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX: no other backend of Triton since 25.03 serves Keras's layers."""
        return Choice(
            "onnxruntime",
            "a graph of ONNX needs no TensorFlow in the server, and is the smallest",
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of TensorFlow and Keras."""
        return "tensorflow.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.onnx``: the model as it predicts, its outputs named by layers."""
        from slipway.formats.networks import keras_model, onnx_file, tensorflow_graph

        if options.backend != "onnxruntime":
            what = f"a Keras model cannot be served by the backend {options.backend}"
            raise SlipwayError(what, fix="--backend onnxruntime")
        model = keras_model.load(source, options)
        inputs, outputs = keras_model.input_names(model), keras_model.output_names(model)
        import tensorflow as tf

        specs = keras_model.specs(model, options.settings)

        def predict(*arrays: object) -> list[object]:
            return keras_model.call(model, list(arrays))

        try:
            function = tf.function(predict, autograph=False).get_concrete_function(*specs)
        except (TypeError, ValueError) as error:
            raise _untraced(error, inputs) from error
        graph = tensorflow_graph.to_onnx(function, model, inputs, outputs)
        written = onnx_file.write(graph, out, options.triton, keras_model.known(model))
        return Converted(
            backend="onnxruntime",
            files=(onnx_file.NAME,),
            inputs=written.inputs,
            outputs=written.outputs,
            repairs=(
                "the outputs have the names of their layers, not Identity:0",
                "traced as it predicts: dropout, augmentation and batch statistics are off",
                *written.repairs,
            ),
            notes=written.notes,
            versions=tensorflow_graph.versions(),
            max_batch_size=written.max_batch_size,
            tolerance=written.tolerance,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the answers of the loaded model, in evaluation mode."""
        from slipway.formats.networks import keras_model
        from slipway.formats.networks.examples import column
        from slipway.formats.rows import answer_in_batches

        model, most = keras_model.load(source, options), converted.max_batch_size

        def answer(part: dict[str, Array]) -> dict[str, Array]:
            arrays = keras_model.answer(model, part)
            pairs = zip(converted.outputs, arrays, strict=True)
            return {x.name: column(array, most) for x, array in pairs}

        return answer_in_batches(answer, dict(rows), most)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return what is known to differ: half precision, and layers that answer by chance."""
        from slipway.formats.networks.keras_causes import causes

        file = keras_file.read_archive(Contents(source)) or keras_file.read_hdf5(Contents(source))
        return causes(file) if file else ()


def _check_version(version: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers > KNOWN:
        known = ".".join(map(str, KNOWN))
        what = f"it was written by Keras {version}, newer than the {known} that converts it"
        raise SlipwayError(what, fix=f"save it with Keras {known} or older, or update slipway")


def _check_parts(file: KerasFile) -> tuple[str, ...]:
    """Return classes that are not Keras's own, by name; refuse code in the file.

    Raises:
        SlipwayError: a Lambda layer holds Python code.
    """
    custom = []
    for part in file.parts():
        name, config = part["class_name"], part.get("config")
        marshalled = isinstance(config, dict) and config.get("function_type") == "lambda"
        if name == "__lambda__" or name == "Lambda" and marshalled:
            from slipway.formats.networks.keras_model import lambda_refused

            raise lambda_refused()
        registered = part.get("registered_name")
        module = part.get("module", "keras") or ""
        if registered and not module.startswith(OWN_MODULES):
            custom.append(str(name))
    return tuple(dict.fromkeys(custom))


def _untraced(error: Exception, inputs: list[str]) -> SlipwayError:
    layer = re.search(r"calling (\w+)\.call", str(error))
    what = f"{layer[1] if layer else 'a layer'} needs the sizes of its input, and they are free"
    return SlipwayError(what, fix=f"fix them: --set {inputs[0]}=64,64,3 (its sizes without batch)")


FORMAT = Keras()
