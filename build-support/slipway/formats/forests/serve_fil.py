"""Forests for the FIL backend: a checkpoint of treelite, and the parameters that FIL reads.

Source: triton-inference-server/fil_backend, ``src/shared_state.h`` and ``src/tl_model.h`` of each
release's branch. FIL of a release reads checkpoints of its treelite's major version; XGBoost's own
files of today it does not read before 26.03.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.formats.forests.settings import ForestSettings
from slipway.formats.format import Converted, Options, Tensor
from slipway.formats.graphs.scores import LABEL, PROBABILITY, Task
from slipway.triton.image.forest_libraries import (
    BROKEN_RELEASES,
    RENAMED_SINCE,
    UNKNOWN_MAX_INDEX,
    VECTOR_BASE_SCORES_SINCE,
    forest_library_of,
)

if TYPE_CHECKING:
    import treelite

CHECKPOINT = "checkpoint.tl"
CONTRIBUTIONS = "contributions"
NAMES = {PROBABILITY: "output__0", LABEL: "output__0", "prediction": "output__0"}
MAJOR = 4  # of the treelite in the locks
TO_ONNX = "--backend onnxruntime"


def refusal(task: Task, triton: str) -> str | None:
    """Return why FIL of ``triton`` cannot serve a forest; ``None`` if it can."""
    library = forest_library_of(triton)
    if library is None or library.major != MAJOR:
        version = library.version if library else "none that is known"
        return f"FIL of Triton {triton} reads checkpoints of treelite {version}, not of {MAJOR}"
    if triton in BROKEN_RELEASES:
        return f"FIL of Triton {triton} does not start: {BROKEN_RELEASES[triton]}"
    if task.several:
        return f"FIL has no models of several targets, and this one has {task.targets}"
    if task.post == "multiclass_ova":
        # with predict_proba it takes softmax of any model of several classes
        return "FIL takes softmax for one-against-all classes, whose probabilities are others"
    return None


def convert_to_fil(
    model: treelite.Model,
    task: Task,
    out: Path,
    options: Options,
    settings: ForestSettings,
) -> Converted:
    """Write ``checkpoint.tl``, and return how FIL serves it.

    Raises:
        SlipwayError: FIL of the release cannot serve it, or not with these settings.
    """
    problem = refusal(task, options.triton)
    if settings.label_only and task.answers == "multiclass":
        problem = _problem_of_classes(options.triton, settings.gpu)
    if settings.missing is not None:
        problem = f"FIL knows no value but NaN as missing, and missing is {settings.missing:g}"
    if problem is not None:
        raise SlipwayError(problem, fix=TO_ONNX)
    model.serialize(str(out / CHECKPOINT))
    classifies = task.answers in ("binary", "multiclass")
    parameters = {"model_type": "treelite_checkpoint"}
    renamed = options.triton >= RENAMED_SINCE
    parameters["is_classifier" if renamed else "output_class"] = str(classifies).lower()
    outputs = [output for output in task.outputs if output.name != LABEL]
    notes = []
    if classifies and not settings.label_only:
        parameters |= {"predict_proba": "true"}
        notes.append("FIL answers the probabilities; the label is the class of the highest one")
    if classifies:
        # read, and required, even where classes are not asked for
        parameters["threshold"] = f"{settings.threshold:g}"
    if settings.label_only or not outputs:
        outputs = [Tensor(LABEL, "FP32", (1,))]  # FIL writes numbers of 32 bits only
    served = {"input": "input__0"} | {output.name: NAMES[output.name] for output in outputs}
    if settings.contributions:
        outputs.append(_contributions(model, task, options.triton))
        served[CONTRIBUTIONS] = "treeshap_output"
    if settings.storage_type != "AUTO":
        if renamed:
            what = f"FIL has no storage_type since Triton {RENAMED_SINCE}"
            raise SlipwayError(what, fix="leave the setting out")
        parameters["storage_type"] = settings.storage_type
    if not settings.gpu:
        # else each request starts a thread on every core: on a busy machine of two, the 90th
        # percentile was 48 ms, and 1 ms with one (src/tl_model.h, gtil_config.nthread)
        parameters["cpu_nthread"] = "1"
    return Converted(
        backend="fil",
        files=(CHECKPOINT,),
        inputs=(Tensor("input", "FP32", (model.num_feature,)),),
        outputs=tuple(map(_without_one, outputs)),
        served=served,
        parameters=parameters,
        notes=tuple(notes),
        gpu=settings.gpu,
    )


def _problem_of_classes(triton: str, gpu: bool) -> str | None:
    """Return why FIL cannot answer the class of several (tl_model.h sets an unknown max_index)."""
    if gpu or not UNKNOWN_MAX_INDEX <= triton < RENAMED_SINCE:
        return None
    return f"FIL of Triton {triton} fails on CPUs if it is to answer the class of several"


def _without_one(output: Tensor) -> Tensor:
    """Return an output as FIL writes it: a row of one number has no dimension."""
    return replace(output, dims=()) if output.dims == (1,) else output


def _contributions(model: treelite.Model, task: Task, triton: str) -> Tensor:
    """Return the output of SHAP values, a row of [features, bias] for each class.

    Raises:
        SlipwayError: the release needs one base score, and the classes have several.
    """
    base = model.get_header_accessor().get_field("base_scores")
    if triton < VECTOR_BASE_SCORES_SINCE and len(set(base.tolist())) > 1:
        what = f"FIL before {VECTOR_BASE_SCORES_SINCE} explains no model of several base scores"
        raise SlipwayError(what, fix="train with base_score=0.5, or leave contributions out")
    return Tensor(CONTRIBUTIONS, "FP32", (task.targets * (model.num_feature + 1),))
