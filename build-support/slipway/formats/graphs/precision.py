"""Write an ONNX graph's weights in a lower precision, by ONNX Runtime's own tools.

FP16 keeps inputs and outputs as they are. INT8 is dynamic (the weights; what flows between is
quantised in every run) or static (ranges are calibrated on example requests beforehand):
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
Weights have seven bits: of eight, CPUs without VNNI cut sums of two products at 16 bits, and a
model would answer otherwise on another instance type.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError

FP16, INT8, STATIC = "fp16", "int8", "int8-static"


def lower(source: Path, out: Path, precision: str, requests: list[dict[str, Any]]) -> None:
    """Write ``source`` in ``precision`` to ``out``; ``requests`` are examples, for INT8 static.

    Raises:
        SlipwayError: the graph has nothing that becomes smaller, or there are no examples.
    """
    import onnx

    original = onnx.load(str(source))
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        # the tools write next to what they read, which may not be allowed
        copied = Path(folder, "source.onnx")
        shutil.copyfile(source, copied)
        if precision == FP16:
            from onnxruntime.transformers.float16 import convert_float_to_float16

            halved = convert_float_to_float16(onnx.load(str(copied)), keep_io_types=True)
            onnx.save(halved, str(out))
        elif precision == INT8:
            from onnxruntime.quantization import QuantType, quantize_dynamic
            from onnxruntime.quantization.registry import IntegerOpsRegistry

            # it writes convolutions of signed weights, which its own CPU provider cannot run
            kinds = [kind for kind in IntegerOpsRegistry if kind != "Conv"]
            quantize_dynamic(
                str(copied),
                str(out),
                weight_type=QuantType.QInt8,
                op_types_to_quantize=kinds,
                reduce_range=True,
            )
        else:
            _static(copied, out, requests)
    after = onnx.load(str(out))
    if _weights(after) == _weights(original):
        raise SlipwayError(
            f"the graph has no weights that {precision} makes smaller",
            where=source.name,
            fix="leave its precision as it is",
        )
    # what the runtime of a release reads is limited by the version; the tools write their newest
    after.ir_version = min(after.ir_version, max(original.ir_version, 7))
    onnx.save(after, str(out))


def _static(source: Path, out: Path, requests: list[dict[str, Any]]) -> None:
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    if not requests:
        raise SlipwayError(
            "INT8 static needs example requests to calibrate on",
            where=source.name,
            fix="add golden cases",
        )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Mapping[str, Any]] = iter(requests)

        def get_next(self) -> Any:
            return next(self._left, None)

    quantize_static(
        str(source),
        str(out),
        Reader(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
    )


def _weights(model: Any) -> dict[int, int]:
    """Return how many elements the graph's constants have of each type."""
    counts: dict[int, int] = {}
    for tensor in model.graph.initializer:
        size = 1
        for length in tensor.dims:
            size *= length
        counts[tensor.data_type] = counts.get(tensor.data_type, 0) + size
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                data_type = attribute.t.data_type
                counts[data_type] = counts.get(data_type, 0) + len(attribute.t.raw_data)
    return counts
