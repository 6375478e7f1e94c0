"""Forests for the ONNX Runtime backend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.formats.forests.settings import ForestSettings
from slipway.formats.format import Converted, Options, Tensor
from slipway.formats.graphs.limits import lower
from slipway.formats.graphs.scores import Task, forest_graph

if TYPE_CHECKING:
    import treelite

GRAPH = "model.onnx"


def convert_to_onnx(
    model: treelite.Model,
    task: Task,
    out: Path,
    options: Options,
    settings: ForestSettings,
) -> Converted:
    """Write ``model.onnx``, and return what it takes and answers.

    Raises:
        SlipwayError: a setting that only FIL has.
    """
    import onnx

    only_fil = settings.contributions or settings.label_only or settings.threshold != 0.5
    if only_fil or settings.gpu or settings.storage_type != "AUTO":
        what = "contributions, output, threshold, gpu and storage_type are settings of FIL"
        raise SlipwayError(what, fix="--backend fil, or leave the setting out")
    graph = forest_graph(model, task, settings.missing)
    repairs = lower(graph, options.triton)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(out / GRAPH))
    converted = Converted(
        backend="onnxruntime",
        files=(GRAPH,),
        inputs=(Tensor("input", "FP32", (model.num_feature,)),),
        outputs=task.outputs,
        repairs=repairs,
    )
    if settings.missing is not None:
        note = f"{settings.missing:g} in the input is taken as missing, besides NaN"
        converted = replace(converted, notes=(note,))
    return converted
