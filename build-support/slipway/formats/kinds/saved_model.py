"""SavedModel folders of TensorFlow: one signature of them, to ONNX."""

from __future__ import annotations

import mmap
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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

GRAPH = "saved_model.pb"
KNOWN = (2, 21)  # of the lock
DEFAULT = "serving_default"
SETTING = "signature"
# MetaInfoDef's tensorflow_version (5), before its tensorflow_git_version (6)
VERSION = re.compile(rb"\*[\x05-\x20](\d+\.\d+\.\d+[-\w.]{0,16})2[\x01-\x7f](?:v\d|unknown|b')")


class SavedModel:
    """A folder of TensorFlow with its graph, variables and signatures."""

    name = "saved_model"
    title = "a TensorFlow SavedModel"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what a folder with a ``saved_model.pb`` holds."""
        if not contents.path.is_dir():
            return None
        if "saved_model.pbtxt" in contents.names and GRAPH not in contents.names:
            fix = "save it with tf.saved_model.save, which writes saved_model.pb"
            raise SlipwayError("a SavedModel in text, which nothing loads any more", fix=fix)
        if GRAPH not in contents.names:
            return None
        _check_variables(contents)
        version = _version(contents.path / GRAPH)
        numbers = tuple(int(part) for part in version.split(".")[:2])
        if numbers > KNOWN:
            known = ".".join(map(str, KNOWN))
            what = f"it was written by TensorFlow {version}, newer than the {known} that converts"
            raise SlipwayError(what, fix=f"save it with TensorFlow {known}, or update slipway")
        about = f"a SavedModel of TensorFlow {version}" if version else "a SavedModel"
        return Recognised(about, {"version": version})

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX: Triton's tensorflow backend is gone since 25.03 (build.py of r25.03)."""
        reason = "Triton has no tensorflow backend since 25.03; ONNX needs no TensorFlow at all"
        return Choice("onnxruntime", reason)

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of TensorFlow and Keras."""
        return "tensorflow.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.onnx`` of one signature, its names in their own case."""
        from slipway.formats.networks import onnx_file, tensorflow_graph

        if options.backend != "onnxruntime":
            what = f"a SavedModel cannot be served by the backend {options.backend}"
            raise SlipwayError(what, fix="--backend onnxruntime")
        owner, chosen, function = _load(source, options)
        inputs, outputs = _input_names(function), _output_names(function)
        graph = tensorflow_graph.to_onnx(function, owner, inputs, outputs)
        written = onnx_file.write(graph, out, options.triton)
        others = sorted(set(_signatures(owner)) - {chosen})
        left_out = [f"signatures left out: {', '.join(others)}"] if others else []
        return Converted(
            backend="onnxruntime",
            files=(onnx_file.NAME,),
            inputs=written.inputs,
            outputs=written.outputs,
            repairs=(
                f"inputs and outputs have the names of the signature {chosen}, in their own case",
                *written.repairs,
            ),
            notes=(*written.notes, *left_out),
            versions=tensorflow_graph.versions(),
            max_batch_size=written.max_batch_size,
            tolerance=written.tolerance,
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the answers of the same signature in TensorFlow."""
        from slipway.formats.networks.examples import column
        from slipway.formats.networks.tensorflow_graph import tensor
        from slipway.formats.rows import answer_in_batches

        _, _, function = _load(source, options)
        most = converted.max_batch_size

        def answer(part: dict[str, Array]) -> dict[str, Array]:
            made = function(**{name: tensor(part[name]) for name in _input_names(function)})
            return {x.name: column(np.asarray(made[x.name]), most) for x in converted.outputs}

        return answer_in_batches(answer, dict(rows), most)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return the causes that its operations make likely."""
        data = (source / GRAPH).read_bytes()
        known = []
        if b"RandomUniform" in data or b"RandomStandardNormal" in data:
            what = (
                "it draws random numbers: dropout or augmentation of the training is in the graph"
            )
            fix = "save a function that calls the model with training=False"
            known.append(Cause(what, fix))
        if b"ResizeBilinear" in data or b"ResizeBicubic" in data:
            what = "images are resized: TensorFlow's and ONNX's pixels lie differently"
            known.append(Cause(what, "resize in preprocessing, and save the model without it"))
        return tuple(known)


def _check_variables(contents: Contents) -> None:
    if "variables/variables.index" not in contents.names:
        return  # a graph of constants has none
    if not any(name.startswith("variables/variables.data-") for name in contents.names):
        what = "the folder has no variables/variables.data-…: the copy is not complete"
        raise SlipwayError(what, fix="copy the whole folder again")


def _version(graph: Path) -> str:
    if graph.stat().st_size == 0:
        raise SlipwayError("saved_model.pb is empty", fix="copy the whole folder again")
    with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        match = VERSION.search(data)
        return match[1].decode() if match else ""


def _load(source: Path, options: Options) -> tuple[Any, str, Any]:
    from slipway.formats.networks.tensorflow_graph import quiet

    quiet()
    import tensorflow as tf

    try:
        owner = _open(source)
    except (OSError, ValueError, RuntimeError, tf.errors.OpError) as error:
        text = str(error).strip().splitlines()[0][:300]
        what = f"TensorFlow cannot load it: {text}"
        raise SlipwayError(what, fix="copy the whole folder again, or save it again") from error
    chosen = _choose(_signatures(owner), options.settings.get(SETTING))
    return owner, chosen, owner.signatures[chosen]


def _open(source: Path) -> Any:
    """Load it; without the slots of an optimizer if TensorFlow does not know that any more."""
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(source))
    except AttributeError as error:
        if "add_slot" not in str(error):
            raise
    from tensorflow.core.protobuf import saved_model_pb2

    program = saved_model_pb2.SavedModel.FromString((source / GRAPH).read_bytes())
    for graph in program.meta_graphs:
        for node in graph.object_graph_def.nodes:
            del node.slot_variables[:]
    copy = Path(tempfile.mkdtemp())
    for name in ("variables", "assets"):
        if (source / name).is_dir():
            (copy / name).symlink_to((source / name).resolve())
    (copy / GRAPH).write_bytes(program.SerializeToString())
    return tf.saved_model.load(str(copy))


def _signatures(owner: Any) -> list[str]:
    return [name for name in owner.signatures if not name.startswith("__")]


def _choose(names: Sequence[str], asked: str | None) -> str:
    listed = ", ".join(names)
    if not names:
        what = "it has no signature: nothing says what it takes"
        raise SlipwayError(what, fix="tf.saved_model.save(model, FOLDER, signatures=…)")
    if asked is not None:
        if asked not in names:
            raise SlipwayError(f"it has no signature {asked!r}", fix=f"its signatures: {listed}")
        return asked
    if DEFAULT in names:
        return DEFAULT
    if len(names) > 1:
        what = f"it has {len(names)} signatures, and none is called {DEFAULT}: {listed}"
        raise SlipwayError(what, fix=f"--set {SETTING}={names[0]}")
    return names[0]


def _input_names(function: Any) -> list[str]:
    """Return the keywords of a signature, in the order of its placeholders: sorted."""
    return sorted(function.structured_input_signature[1])


def _output_names(function: Any) -> list[str]:
    return sorted(function.structured_outputs)


FORMAT = SavedModel()
