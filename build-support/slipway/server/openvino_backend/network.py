"""An OpenVINO model, fitted to its config as the native backend fits it.

openvino_backend, src/openvino.cc: ReadModel, ValidateInputs, ValidateOutputs, LoadModel;
src/openvino_utils.cc: CompareDimsSupported, doesMatch. The messages are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openvino as ov

from slipway.server.openvino_backend.options import Options

TYPES = {
    "TYPE_BOOL": "boolean",
    "TYPE_UINT8": "u8",
    "TYPE_UINT16": "u16",
    "TYPE_UINT32": "u32",
    "TYPE_UINT64": "u64",
    "TYPE_INT8": "i8",
    "TYPE_INT16": "i16",
    "TYPE_INT32": "i32",
    "TYPE_INT64": "i64",
    "TYPE_FP16": "f16",
    "TYPE_FP32": "f32",
}


def attempt(what: str, work: Callable[..., Any], *arguments: Any) -> Any:
    """Return what ``work`` returns for ``arguments``.

    Raises:
        ValueError: OpenVINO fails.
    """
    try:
        return work(*arguments)
    except Exception as error:  # OpenVINO's have no common public root
        raise ValueError(f"openvino error in {what} : {error}") from error


def read_model(core: Any, file: Path, name: str) -> Any:
    """Return the model in ``file``.

    Raises:
        ValueError: it cannot be read.
    """
    if not file.exists():
        raise ValueError(f"unable to find '{file}' for model '{name}'")
    return attempt("reading model", core.read_model, str(file))


def fit(model: Any, name: str, config: Mapping[str, Any], options: Options) -> Any:
    """Return ``model`` with the config's data types, and for its number of rows.

    Raises:
        ValueError: the config does not fit.
    """
    rows = config["max_batch_size"]
    if len(model.inputs) != len(config["input"]):
        raise ValueError(
            f"unable to load model '{name}', configuration expects {len(config['input'])} inputs,"
            f" model provides {len(model.inputs)}"
        )
    steps = ov.preprocess.PrePostProcessor(model)
    for tensor in config["input"]:
        port = _find("input", name, tensor, model.inputs)
        step = attempt(f"setting precision for {tensor['name']}", _typed, steps.input, tensor)
        if options.reshapes:
            shape = _reshaped(port.get_partial_shape(), _dims(tensor), rows)
            attempt(f"setting shape for {tensor['name']}", step.set_shape, shape)
        else:
            _check_dims(name, tensor, port.get_partial_shape(), rows, exactly=False)
        if rows:
            layout = ov.Layout("N...")
            attempt(f"setting layout for {tensor['name']}", step.set_layout, layout)
    model = attempt("apply model input preprocessing", steps.build)
    if rows:
        attempt("setting max batch size", ov.set_batch, model, rows)
    steps = ov.preprocess.PrePostProcessor(model)
    for tensor in config["output"]:
        port = _find("output", name, tensor, model.outputs)
        attempt(f"setting precision for {tensor['name']}", _typed, steps.output, tensor)
        _check_dims(name, tensor, port.get_partial_shape(), rows, exactly=True)
    return attempt("apply model output preprocessing", steps.build)


def compile_model(core: Any, model: Any, options: Options) -> Any:
    """Return the model, compiled for the device of ``options``.

    Raises:
        ValueError: OpenVINO refuses a property, or the model.
    """
    for key, value in options.properties.items():
        attempt("configuring openvino core", core.set_property, options.device, {key: value})
    batching = {"ALLOW_AUTO_BATCHING": "YES" if options.auto_batching else "NO"}
    return attempt("loading model", core.compile_model, model, options.device, batching)


def _typed(port: Callable[[str], Any], tensor: Mapping[str, Any]) -> Any:
    kind = getattr(ov.Type, TYPES[tensor["data_type"]])
    return port(tensor["name"]).tensor().set_element_type(kind)


def _find(side: str, name: str, tensor: Mapping[str, Any], ports: Sequence[Any]) -> Any:
    """Return the model's input or output of the tensor's name; its data type is a known one."""
    by_name = {port.get_any_name(): port for port in ports}
    if tensor["name"] not in by_name:
        raise ValueError(
            f"unexpected inference {side} '{tensor['name']}', allowed {side}s are:"
            f" {', '.join(sorted(by_name))}"
        )
    if tensor["data_type"] not in TYPES:
        raise ValueError(
            f"unsupported datatype {tensor['data_type']} for {side} '{tensor['name']}' for model"
            f" '{name}'"
        )
    return by_name[tensor["name"]]


def _dims(tensor: Mapping[str, Any]) -> list[int]:
    reshape = tensor.get("reshape")
    return [int(d) for d in (tensor["dims"] if reshape is None else reshape.get("shape", []))]


def _reshaped(shape: Any, dims: Sequence[int], rows: int) -> Any:
    """Return the model's shape with the config's sizes.

    Raises:
        ValueError: the model has fewer dimensions; natively that writes behind the end of them.
    """
    start = 1 if rows else 0
    if start + len(dims) > len(shape):
        raise ValueError(
            f"the config has {start + len(dims)} dimensions, and the model {len(shape)}: NVIDIA's"
            " backend writes behind the end of them, which ends the whole server"
        )
    for index, dim in enumerate(dims, start):
        if dim < -1 or dim == 0:
            raise ValueError(
                "openvino backend does not support dimensions values other than `-1` or positive"
                " integers"
            )
        shape[index] = ov.Dimension(dim) if dim > 0 else ov.Dimension.dynamic()
    return shape


def _check_dims(
    name: str, tensor: Mapping[str, Any], shape: Any, rows: int, *, exactly: bool
) -> None:
    """Compare the config's dims with the model's; of a batch, an input's first is not compared."""
    if shape.rank.is_dynamic:
        raise ValueError(
            f"the model does not say how many dimensions '{tensor['name']}' has: NVIDIA's backend"
            " ends the whole server with it"
        )
    dims, sizes = _dims(tensor), list(shape)
    what = f"model '{name}', tensor '{tensor['name']}'"
    if rows and not sizes:
        raise ValueError(
            f"{what}: for the model to support batching the shape should have at least 1 dimension"
        )
    full = [rows, *dims] if rows else dims
    fits = len(sizes) == len(full) and all(
        _matches(size, dim)
        for at, (size, dim) in enumerate(zip(sizes, full, strict=True))
        if exactly or not rows or (at != 0 and dim != -1)
    )
    if not fits:
        shown = [size.get_length() if size.is_static else -1 for size in sizes]
        complete = (
            "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor"
            f" shape, making complete shape {_text(full)}"
            if rows
            else f"shape {_text(full)}"
        )
        raise ValueError(
            f"{what}: the model expects {len(sizes)} dimensions (shape {_text(shown)}) but the"
            f" model configuration specifies {len(full)} dimensions ({complete})"
        )


def _matches(size: Any, dim: int) -> bool:
    if size.is_static:
        return bool(size.get_length() == dim)
    # the limits themselves do not match
    bounded = size.get_max_length() != -1
    return not bounded or size.get_min_length() < dim < size.get_max_length()


def _text(sizes: Sequence[int]) -> str:
    return f"[{','.join(map(str, sizes))}]"
