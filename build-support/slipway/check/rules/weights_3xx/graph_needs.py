"""SW315–SW318, SW355: what an ONNX graph needs: the runtime, operators, locales, external data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import RuleHit
from slipway.check.model_files import is_present
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.check.tensors.graphs import graphs_with_signature
from slipway.model.pointer import DIRECTORY
from slipway.signature import graph_of
from slipway.triton.image.onnx_runtimes import runtime_of

ALWAYS_THERE = ("C", "POSIX", "C.UTF-8")  # locales of every image
# ONNX Runtime's own operators, in addition to those of ONNX
RUNTIME_DOMAINS = ("com.microsoft", "com.ms.", "org.pytorch.aten", "trt.plugins")


@rule(
    "SW315",
    "newer-than-the-runtime",
    reason="the load fails: 'Unsupported model IR version', 'opset … is under development'",
    source="seen with each ONNX Runtime's wheel; triton/image/onnx_runtimes.py names"
    " Triton's build.py",
)
def newer_than_the_runtime(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find IR versions and opsets that the serving release's ONNX Runtime does not support."""
    release = model.settings.triton_release
    runtime = runtime_of(release)
    for graph, signature in graphs_with_signature(model) if runtime is not None else ():
        assert runtime is not None
        requirements = {
            "IR version": (signature.ir_version, runtime.ir_version),
            "opset": (signature.opsets.get("", 0), runtime.opset),
            "opset of ai.onnx.ml": (signature.opsets.get("ai.onnx.ml", 0), runtime.ml_opset),
        }
        for what, (actual, highest) in requirements.items():
            if actual > highest:
                yield RuleHit(
                    graph.location,
                    f"{what} {actual}, and ONNX Runtime {runtime.version} of Triton {release}"
                    f" supports up to {highest}",
                    f"export it with {what} {highest}, or convert it: onnx.version_converter",
                )


@rule(
    "SW316",
    "unregistered-operator",
    reason="the load fails: '… is not a registered function/op'",
    source="seen with ONNX Runtime 1.13 to 1.28",
)
def unregistered_operator(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find operators of an unknown domain, if the config names no library for them."""
    for graph, signature in graphs_with_signature(model):
        if graph.message.model_operations.op_library_filename:
            continue
        for operator in signature.operators:
            if not operator.startswith(RUNTIME_DOMAINS):
                yield RuleHit(
                    graph.location,
                    f"operator {operator!r} is neither ONNX's nor ONNX Runtime's",
                    "export it as standard operators, or name its library:"
                    " model_operations { op_library_filename: … }",
                )


@rule(
    "SW317",
    "external-data-outside",
    reason="the artifact lacks the file, and ONNX Runtime 1.24 refuses it: 'escapes model"
    " directory'",
    source="seen with ONNX Runtime 1.24 and 1.28; earlier ones read any file of the host",
)
def external_data_outside(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find graphs that keep tensors in a file outside their folder."""
    for graph, signature in graphs_with_signature(model):
        for location in filter(_leads_outside, signature.external_data):
            yield RuleHit(
                graph.location,
                f"its tensors are in {location!r}, outside its folder",
                "save it again: onnx.save_model(…, save_as_external_data=True, location=NAME)",
            )


@rule(
    "SW318",
    "external-data-missing",
    reason="the load fails: 'cannot get file size: No such file or directory'",
    source="seen with ONNX Runtime 1.16 to 1.28",
)
def external_data_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find external data that is missing next to the graph, also as a pointer."""
    for graph, signature in graphs_with_signature(model):
        file = graph_of(graph.file)
        if file is None and _is_directory(model, graph.location.file):
            continue  # only the directory's list names its files, and it is not here
        folder = (file or graph.file).parent
        for location in signature.external_data:
            if not _leads_outside(location) and not is_present(folder / location):
                yield RuleHit(
                    graph.location,
                    f"its tensors are in {location!r}, which is missing",
                    f"put it next to the graph, then: slipway weights add {folder / location}",
                )


def _is_directory(model: ModelUnderCheck, pointer: Path) -> bool:
    return model.pointer(pointer).md5.endswith(DIRECTORY)


def _leads_outside(location: str) -> bool:
    return os.path.isabs(location) or os.path.normpath(location).split(os.sep)[0] == ".."


@rule(
    "SW355",
    "locale-of-the-machine",
    reason="the load fails: 'Failed to construct locale with name'; images have only C and POSIX",
    source="onnxruntime, core/providers/cpu/nn/string_normalizer.cc, and seen on 24.10",
)
def locale_of_the_machine(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find StringNormalizer operators of a locale that the serving machine has to have."""
    for graph, signature in graphs_with_signature(model):
        for locale in signature.locales:
            if locale not in ALWAYS_THERE:
                yield RuleHit(
                    graph.location,
                    f"a StringNormalizer of the locale {locale!r}, which Triton's images lack",
                    "convert it with the locale C, which lowers A to Z: skl2onnx's option"
                    " {'locale': 'C'}; slipway new --from does so, and keeps other letters right",
                )
