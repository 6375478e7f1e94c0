"""Mistakes whose outcome the ONNX Runtime backend decides.

They are in parameters, optimisation, batches of the graph, ragged inputs and sequence controls.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import onnx

from slipway.triton import config, onnx_parameters
from slipway.triton.config import ModelConfig
from tests.check.mutation.mistake import configs, misspell, relative_name

type Message = Any

NAMES = (
    *onnx_parameters.NUMBERS,
    *onnx_parameters.BOOLEANS,
    onnx_parameters.SHRINKAGE,
    "cudnn_conv_use_max_workspace",
    "gpu_mem_limit",
)
VALUES = (
    *("1", "2", "0", "-1", "3", " 2", "2 threads", "1.5", "+1", "0x2", "abc", "", "99999999999"),
    *("true", "True", "FALSE", "on", "off", "yes", "cpu:0", "cpu", "gpu:0", "cpu:1", "cpu:0;gpu:0"),
)
ACCELERATORS = ("openvino", "OpenVINO", "tensorrt", "cuda", "xnnpack", "onednn", "auto")
TYPES = ("TYPE_INT32", "TYPE_INT64", "TYPE_FP32", "TYPE_UINT64", "TYPE_STRING", "TYPE_BOOL")
FLAGS = ("fp32_false_true", "int32_false_true", "bool_false_true")


def parameter(folder: Path, random: Random) -> str | None:
    """Set a parameter of the backend."""
    path, message = _onnx(folder, random)
    if message is None:
        return None
    name, value = random.choice(NAMES), random.choice(VALUES)
    message.parameters[name].string_value = value
    return _write(path, message, folder, f"{name} = {value!r}")


def optimisation(folder: Path, random: Random) -> str | None:
    """Set an optimisation level or an accelerator."""
    path, message = _onnx(folder, random)
    if message is None:
        return None
    tuning = message.optimization
    match random.randrange(4):
        case 0:
            tuning.graph.level = random.choice([-2, -1, 0, 1, 2, 3, 99])
            what = f"graph level {tuning.graph.level}"
        case 1:
            name = random.choice(ACCELERATORS)
            tuning.execution_accelerators.cpu_execution_accelerator.add(name=name)
            what = f"cpu accelerator {name}"
        case 2:
            name = random.choice(ACCELERATORS)
            accelerator = tuning.execution_accelerators.gpu_execution_accelerator.add(name=name)
            mode = random.choice(["FP16", "FP32", "INT8", "fp16", "BF16"])
            accelerator.parameters["precision_mode"] = mode
            what = f"gpu accelerator {name} {mode}"
        case _:
            tuning.cuda.graphs = random.random() < 0.5
            tuning.gather_kernel_buffer_threshold = random.choice([0, 1, 4])
            tuning.eager_batching = random.random() < 0.5
            what = "cuda graphs, gather and eager batching"
    return _write(path, message, folder, what)


def batch(folder: Path, random: Random) -> str | None:
    """Fix, drop or add the first dimension of a graph's tensor."""
    paths = sorted(folder.glob("*/*/*.onnx"))
    if not paths:
        return None
    path = random.choice(paths)
    model = onnx.load(path, load_external_data=False)
    tensor = random.choice([*model.graph.input, *model.graph.output])
    shape = tensor.type.tensor_type.shape
    before = onnx.helper.printable_value_info(tensor)
    match random.randrange(4):
        case 0 if shape.dim:
            shape.dim[0].Clear()
            shape.dim[0].dim_value = 2
        # of an output, ONNX Runtime has the number of dimensions that it infers
        case 1 if shape.dim and tensor in list(model.graph.input):
            del shape.dim[0]
        case 2 if tensor in list(model.graph.output):
            tensor.type.tensor_type.ClearField("shape")
        case 3 if shape.dim:
            shape.dim[0].dim_param = "another"
        case _:
            return None
    path.write_bytes(model.SerializeToString())
    after = onnx.helper.printable_value_info(tensor)
    return None if after == before else f"{relative_name(path, folder)}: {before} → {after}"


def scalar(folder: Path, random: Random) -> str | None:
    """Reshape a tensor to or from a scalar, or make the model one without batches."""
    path, message = _onnx(folder, random)
    if message is None:
        return None
    tensor = random.choice([*message.input, *message.output])
    match random.randrange(4):
        case 0:
            tensor.reshape.SetInParent()
            del tensor.reshape.shape[:]
            what = "an empty reshape"
        case 1:
            tensor.ClearField("reshape")
            what = "no reshape"
        case 2:
            tensor.dims[:] = [1]
            what = "dims [1]"
        case _:
            message.max_batch_size = random.choice([0, 1, 2, 64])
            return _write(path, message, folder, f"max_batch_size {message.max_batch_size}")
    return _write(path, message, folder, f"{tensor.name}: {what}")


def ragged(folder: Path, random: Random) -> str | None:
    """Allow ragged batches of an input, or change what the server adds to a batch."""
    path, message = _onnx(folder, random)
    if message is None:
        return None
    tensor = random.choice(message.input)
    match random.randrange(4):
        case 0:
            tensor.allow_ragged_batch = not tensor.allow_ragged_batch
            what = f"{tensor.name} allow_ragged_batch {tensor.allow_ragged_batch}"
        case 1 if message.batch_input:
            kinds = config.schema().BatchInput.Kind
            message.batch_input[0].kind = kinds.Value(random.choice(list(kinds.keys())))
            what = f"batch_input {kinds.Name(message.batch_input[0].kind)}"
        case 2 if message.batch_input:
            target = message.batch_input[0].target_name
            message.batch_input[0].target_name[:] = [misspell(target[0], random)]
            what = f"batch_input of {message.batch_input[0].target_name[0]}"
        case 3 if message.batch_input:
            kind = random.choice(TYPES)
            message.batch_input[0].data_type = config.schema().DataType.Value(kind)
            what = f"batch_input of {kind}"
        case _:
            return None
    return _write(path, message, folder, what)


def sequence(folder: Path, random: Random) -> str | None:
    """Change a sequence's controls or states, or add a control that the graph lacks."""
    path, message = _onnx(folder, random)
    if message is None or not message.HasField("sequence_batching"):
        return None
    batching = message.sequence_batching
    control = batching.control_input[0].control[0]
    kinds = config.schema().ModelSequenceBatching.Control.Kind
    match random.randrange(6):
        case 0:
            # another mark changes what the graph means, which no check can know
            control.kind = kinds.Value("CONTROL_SEQUENCE_CORRID")
            what = f"the control is {kinds.Name(control.kind)}"
        case 1:
            for flag in FLAGS:
                control.ClearField(flag)
            flag = random.choice(FLAGS)
            getattr(control, flag).extend([0, 1])
            what = f"the control has {flag}"
        case 2:
            batching.control_input[0].name = misspell(batching.control_input[0].name, random)
            what = f"the control is {batching.control_input[0].name}"
        case 3:
            added = batching.control_input.add(name="ID").control.add()
            added.kind = kinds.Value("CONTROL_SEQUENCE_CORRID")
            added.data_type = config.schema().DataType.Value(random.choice(TYPES))
            what = "a control that the graph lacks"
        case 4:
            batching.state[0].dims[:] = random.choice([[2], [1, 1], [-1], []])
            what = f"a state of {list(batching.state[0].dims)}"
        case _:
            kind = random.choice(TYPES)
            batching.state[0].data_type = config.schema().DataType.Value(kind)
            what = f"a state of {kind}"
    return _write(path, message, folder, what)


def _onnx(folder: Path, random: Random) -> tuple[Path, ModelConfig | None]:
    path = random.choice(configs(folder))
    message = config.load_config(path)
    is_onnx = message.backend == "onnxruntime" or message.platform == "onnxruntime_onnx"
    # what only a GPU reads, the local server cannot judge
    on_cpu = [group.kind == group.KIND_CPU for group in message.instance_group]
    return path, message if is_onnx and on_cpu and all(on_cpu) else None


def _write(path: Path, message: Message, folder: Path, what: str) -> str | None:
    before = path.read_text(encoding="utf-8")
    unchanged = config.render(config.load_config(path)) == config.render(message)
    path.write_text(before if unchanged else config.render(message), encoding="utf-8")
    return None if unchanged else f"{relative_name(path, folder)}: {what}"
