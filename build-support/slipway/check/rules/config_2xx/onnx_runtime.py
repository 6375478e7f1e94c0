"""SW247–SW249: what only the ONNX Runtime backend reads of a config."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.config_file import ConfigFile
from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton import onnx_parameters as parameters
from slipway.triton.config import ModelConfig, schema
from slipway.triton.pbtxt import FieldPath

NATIVE = "triton-inference-server/onnxruntime_backend, src/onnxruntime.cc"
ACCELERATORS: FieldPath = ("optimization", "execution_accelerators")
ONE_THREAD = f'parameters {{ key: "{parameters.INTRA_OP}" value {{ string_value: "1" }} }}'


@rule(
    "SW247",
    "onnx-parameter",
    reason="the load fails: “failed to convert…”; a number beyond 32 bits ends the whole server,"
    " and an arena that is not there fails every request",
    source=f"{NATIVE}: ModelState; backend, src/backend_common.cc: ParseIntValue, ParseBoolValue;"
    " seen on 24.10",
)
def onnx_parameter(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find parameters whose value the ONNX Runtime backend refuses."""
    for config, message in _onnx_configs(model):
        gpu = _may_use_gpu(message)
        for name, value in sorted(message.parameters.items()):
            try:
                if name == parameters.SHRINKAGE:
                    arena = _has_arena(message)
                    parameters.check_shrinkage(value.string_value, gpu=gpu, arena=arena)
                else:
                    parameters.check_parameter(name, value.string_value, gpu=gpu)
            except (ValueError, OverflowError) as error:
                yield RuleHit(
                    config.value_location("parameters", name, "value"),
                    f"{name}: {error}",
                    _fix(name),
                )


@rule(
    "SW248",
    "onnx-accelerator",
    reason="the load fails: “unknown Execution Accelerator … is requested”",
    source=f"{NATIVE}: ModelState::LoadModel; seen on 24.10",
)
def onnx_accelerator(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find accelerators, and precisions of TensorRT, that the ONNX Runtime backend lacks."""
    for config, message in _onnx_configs(model):
        fields: list[tuple[str, bool, tuple[str, ...]]]
        fields = [("cpu_execution_accelerator", False, parameters.CPU_ACCELERATORS)]
        if _may_use_gpu(message):  # on a CPU those for a GPU are not read
            fields.append(("gpu_execution_accelerator", True, parameters.GPU_ACCELERATORS))
        for field, gpu, known in fields:
            accelerators = getattr(message.optimization.execution_accelerators, field)
            for number, accelerator in enumerate(accelerators):
                try:
                    parameters.check_accelerator(
                        accelerator.name,
                        accelerator.parameters,
                        gpu=gpu,
                        release=model.settings.triton_release,
                    )
                except ValueError as error:
                    yield RuleHit(
                        config.value_location(*ACCELERATORS, field, number, "name"),
                        str(error),
                        f"remove it, or {' or '.join(known)}",
                    )


@rule(
    "SW249",
    "onnx-threads",
    severity="warning",
    reason="every instance takes all cores of a CPU, and its threads spin between requests: a"
    " third fewer requests were answered, at half as much processor time again for each",
    source=f"{NATIVE}: ModelState; ONNX Runtime: Thread management; measured with the backend of"
    " 24.10",
)
def onnx_threads(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find models that may run on a CPU and leave the number of threads to ONNX Runtime."""
    for config, message in _onnx_configs(model):
        kinds = {group.kind for group in message.instance_group}
        if kinds == {schema().ModelInstanceGroup.KIND_GPU}:
            continue
        value = message.parameters.get(parameters.INTRA_OP)
        if value is None and not model.is_single_config:
            yield RuleHit(
                config.location(),
                f"it sets no {parameters.INTRA_OP}",
                ONE_THREAD,
                (config.append_field(f"{ONE_THREAD}\n"),),
            )
        elif value is not None and _is_default(value.string_value):
            yield RuleHit(
                config.value_location("parameters", parameters.INTRA_OP, "value"),
                f"{parameters.INTRA_OP} {value.string_value} leaves it to ONNX Runtime",
                'string_value: "1"',
            )


def _onnx_configs(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, ModelConfig]]:
    for config, message in model.parsed.values():
        if config.backend == "onnxruntime":
            yield config, message


def _may_use_gpu(message: ModelConfig) -> bool:
    """Return whether an instance is placed on a GPU, if only by default."""
    groups = message.instance_group
    return not groups or any(g.kind not in (g.KIND_CPU, g.KIND_MODEL) for g in groups)


def _has_arena(message: ModelConfig) -> bool:
    value = message.parameters.get(parameters.ARENA)
    return value is None or value.string_value.lower() not in parameters.FALSE


def _is_default(text: str) -> bool:
    try:
        return parameters.parse_int(text) <= 0
    except (ValueError, OverflowError):
        return False  # another rule reports it


def _fix(name: str) -> str:
    if name in parameters.BOOLEANS:
        return f"one of {', '.join((*parameters.TRUE, *parameters.FALSE))}"
    if name == parameters.SHRINKAGE:
        return 'string_value: "cpu:0", or "gpu:0" on a GPU, and enable_mem_arena on'
    choices, _ = parameters.CHOICES.get(name, (None, False))
    if choices is not None:
        return f"one of {', '.join(map(str, choices))}"
    return 'a number, such as string_value: "1"'
