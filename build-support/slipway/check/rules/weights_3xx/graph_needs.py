"""SW315–SW318: what an ONNX graph needs of the ONNX Runtime that serves, and of files beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Found
from slipway.check.graphs import known
from slipway.check.model_files import is_there
from slipway.check.rule import rule
from slipway.check.subject import Subject
from slipway.model import weights
from slipway.signature import graph_of, runtime_of

# ONNX Runtime's own operators, besides those of ONNX
RUNTIME_DOMAINS = ("com.microsoft", "com.ms.", "org.pytorch.aten", "trt.plugins")


@rule(
    "SW315",
    "newer-than-the-runtime",
    reason="the load fails: 'Unsupported model IR version', 'opset … is under development'",
    source="seen with each ONNX Runtime's wheel; signature/runtime.py names Triton's build.py",
)
def newer_than_the_runtime(subject: Subject) -> Iterator[Found]:
    """An IR version or opset that the serving release's ONNX Runtime does not take."""
    release = subject.settings.triton_release
    runtime = runtime_of(release)
    for graph, signature in known(subject) if runtime is not None else ():
        assert runtime is not None
        needs = {
            "IR version": (signature.ir_version, runtime.ir_version),
            "opset": (signature.opsets.get("", 0), runtime.opset),
            "opset of ai.onnx.ml": (signature.opsets.get("ai.onnx.ml", 0), runtime.ml_opset),
        }
        for what, (found, most) in needs.items():
            if found > most:
                yield Found(
                    graph.place,
                    f"{what} {found}, and ONNX Runtime {runtime.version} of Triton {release}"
                    f" takes up to {most}",
                    f"export it with {what} {most}, or convert it: onnx.version_converter",
                )


@rule(
    "SW316",
    "unregistered-operator",
    reason="the load fails: '… is not a registered function/op'",
    source="seen with ONNX Runtime 1.13 to 1.28",
)
def unregistered_operator(subject: Subject) -> Iterator[Found]:
    """An operator of nobody's domain, in a config that names no library for it."""
    for graph, signature in known(subject):
        if graph.message.model_operations.op_library_filename:
            continue
        for operator in signature.operators:
            if not operator.startswith(RUNTIME_DOMAINS):
                yield Found(
                    graph.place,
                    f"operator {operator!r} is neither ONNX's nor ONNX Runtime's",
                    "export it as standard operators, or name its library:"
                    " model_operations { op_library_filename: … }",
                )


@rule(
    "SW317",
    "external-data-outside",
    reason="the artifact lacks the file, and ONNX Runtime 1.24 refuses it: 'escapes model directory'",
    source="seen with ONNX Runtime 1.24 and 1.28; earlier ones read any file of the host",
)
def external_data_outside(subject: Subject) -> Iterator[Found]:
    """A graph that keeps tensors in a file outside of its folder."""
    for graph, signature in known(subject):
        for location in filter(_leaves, signature.external_data):
            yield Found(
                graph.place,
                f"its tensors lie in {location!r}, outside of its folder",
                "save it anew: onnx.save_model(…, save_as_external_data=True, location=NAME)",
            )


@rule(
    "SW318",
    "external-data-missing",
    reason="the load fails: 'cannot get file size: No such file or directory'",
    source="seen with ONNX Runtime 1.16 to 1.28",
)
def external_data_missing(subject: Subject) -> Iterator[Found]:
    """External data that lies neither beside the graph nor behind a pointer there."""
    for graph, signature in known(subject):
        file = graph_of(graph.file)
        if file is None and _is_directory(graph.place.file):
            continue  # what is in it only its list says, which is not here
        folder = (file or graph.file).parent
        for location in signature.external_data:
            if not _leaves(location) and not is_there(folder / location):
                yield Found(
                    graph.place,
                    f"its tensors lie in {location!r}, which is missing",
                    f"put it beside the graph, then: slipway weights add {folder / location}",
                )


def _is_directory(pointer: Path) -> bool:
    return weights.read(pointer).md5.endswith(weights.DIRECTORY)


def _leaves(location: str) -> bool:
    return os.path.isabs(location) or os.path.normpath(location).split(os.sep)[0] == ".."
