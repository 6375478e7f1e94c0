"""Read and write ``config.pbtxt`` through Triton's own protobuf schema."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf import text_format

from slipway.errors import SlipwayError
from slipway.triton import generated

FILE_NAME = "config.pbtxt"
# a message class created at run time: its fields are Triton's model_config.proto
type ModelConfig = Any


def schema() -> ModuleType:
    """Return tritonclient's generated ``model_config_pb2``."""
    return generated.load_module("tritonclient.grpc.model_config_pb2")


def load_config(path: Path) -> ModelConfig:
    """Return the ``ModelConfig`` in a ``config.pbtxt``.

    Raises:
        SlipwayError: the file is missing, or not of Triton's schema; names line and column.
    """
    try:
        return parse_config(path.read_text(encoding="utf-8"), where=str(path))
    except FileNotFoundError as error:
        raise SlipwayError("no such file", where=str(path), fix=f"add a {FILE_NAME}") from error
    except UnicodeDecodeError as error:
        raise SlipwayError("not UTF-8 text", where=str(path), fix="save it as UTF-8") from error


def parse_config(text: str, *, where: str) -> ModelConfig:
    """Return the ``ModelConfig`` of ``text``; errors name ``where``."""
    config = schema().ModelConfig()
    try:
        text_format.Parse(text, config)
    except text_format.ParseError as error:
        line, column = error.GetLine(), error.GetColumn()
        message = str(error).removeprefix(f"{line}:{column} : ")
        raise SlipwayError(
            message,
            where=f"{where}:{line}:{column}",
            fix="the fields are those of Triton's ModelConfig",
        ) from error
    return config


def render(config: ModelConfig) -> str:
    """Return the protobuf text of ``config``, equal for equal configs.

    Maps are sorted, and ``platform: "ensemble"`` in the one spelling that the endpoint's regular
    expression finds (Triton, sagemaker_server.cc).
    """
    return str(text_format.MessageToString(config, as_utf8=True))


def asks_for_gpu(config: ModelConfig) -> bool:
    """Return whether a configuration places instances on a GPU."""
    kinds = schema().ModelInstanceGroup
    return any(group.kind == kinds.KIND_GPU or group.gpus for group in config.instance_group)


def dtype_name(data_type: int) -> str:
    """Return KServe v2's name: ``TYPE_FP32`` → ``FP32``, ``TYPE_STRING`` → ``BYTES``."""
    name = str(schema().DataType.Name(data_type)).removeprefix("TYPE_")
    return "BYTES" if name == "STRING" else name
