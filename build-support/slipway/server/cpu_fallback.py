"""Replace GPU settings by CPU settings in the extracted copy under test, where there is no GPU."""

from __future__ import annotations

from pathlib import Path

from slipway.triton import config, onnx_parameters

GPU_ACCELERATOR_ADVICE = "gpu_execution_accelerator"
# tells Slipway's own backends that the model is for a GPU: on one, forests answer otherwise, and
# OpenVINO refuses to load
FOR_A_GPU = "slipway.kind_gpu"
TOLD = ("fil", "openvino")


def to_cpu(repository: Path) -> tuple[str, ...]:
    """Rewrite every ``config.pbtxt`` below ``repository`` that asks for a GPU.

    Return one line for each change, such as ``x_inferencer: KIND_GPU → KIND_CPU``.

    Raises:
        SlipwayError: a config cannot be read.
    """
    changes: list[str] = []
    for path in sorted(repository.glob(f"*/{config.FILE_NAME}")):
        parsed = config.load_config(path)
        replaced = use_cpu(parsed)
        if replaced:
            path.write_text(config.render(parsed), encoding="utf-8")
            changes += [f"{path.parent.name}: {change}" for change in replaced]
    return tuple(changes)


def use_cpu(model: config.ModelConfig) -> list[str]:
    """Replace what asks for a GPU in a parsed config; return what was replaced, for people."""
    changes = []
    kinds = config.schema().ModelInstanceGroup
    on_gpu = not model.instance_group or any(
        group.kind not in (kinds.KIND_CPU, kinds.KIND_MODEL) for group in model.instance_group
    )
    for group in model.instance_group:
        if group.kind == kinds.KIND_GPU or group.gpus:
            group.kind = kinds.KIND_CPU
            del group.gpus[:]
            changes.append("KIND_GPU → KIND_CPU")
            if model.backend in TOLD:
                model.parameters[FOR_A_GPU].string_value = "true"
    optimization = model.optimization
    if optimization.execution_accelerators.gpu_execution_accelerator:
        names = [a.name for a in optimization.execution_accelerators.gpu_execution_accelerator]
        optimization.execution_accelerators.ClearField(GPU_ACCELERATOR_ADVICE)
        changes.append(f"without the accelerator {', '.join(names)}")
    if optimization.HasField("cuda"):
        optimization.ClearField("cuda")
        changes.append("without CUDA graphs")
    if on_gpu and onnx_parameters.SHRINKAGE in model.parameters:
        value = model.parameters[onnx_parameters.SHRINKAGE]
        kept = [d for d in value.string_value.split(";") if not d.startswith("gpu:")]
        if ";".join(kept) != value.string_value:
            value.string_value = ";".join(kept)
            changes.append("without shrinking the arena of a GPU")
            if not kept:
                del model.parameters[onnx_parameters.SHRINKAGE]
    return changes
