"""Valid ONNX models with what only their backend decides: batches, sequences, ragged inputs.

The local backend answers as NVIDIA's: see docs/decisions/0033.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from tritonclient.utils import triton_to_np_dtype

from tests.check.fixture_repositories import GOOD
from tests.check.mutation.samples import Sample
from tests.check.real_server import as_json

# name: the graph, the config, and the requests as {input: (data type, shape, data)}
type Inputs = dict[str, tuple[str, list[int], list[float]]]
MODELS: dict[str, tuple[str, str, list[Inputs]]] = {
    "native_rows": (
        """g (float[N, 2] X, int64[N, 1] COUNT) => (float[N, 2] Y, int64[N, 1] MORE)
        <int64[1] one = {1}>
        {
            Y = Relu (X)
            MORE = Add (COUNT, one)
        }""",
        """max_batch_size: 4
        input { name: "X" data_type: TYPE_FP32 dims: [ 2 ] }
        input { name: "COUNT" data_type: TYPE_INT64 dims: [ 1 ] }
        output { name: "Y" data_type: TYPE_FP32 dims: [ 2 ] }
        output { name: "MORE" data_type: TYPE_INT64 dims: [ 1 ] }
        dynamic_batching { preferred_batch_size: [ 2 ] }
        optimization { graph { level: 1 } }
        parameters { key: "intra_op_thread_count" value { string_value: "1" } }
        parameters { key: "enable_mem_arena" value { string_value: "true" } }
        """,
        [
            {"X": ("FP32", [3, 2], [1, -2, 3, 4, -5, 6]), "COUNT": ("INT64", [3, 1], [1, 2, 3])},
            {"X": ("FP32", [1, 2], [1, -2]), "COUNT": ("INT64", [1, 1], [7])},
        ],
    ),
    "native_scalars": (
        """g (float[N] X, float[N, 2] PAIR) => (float[N] Y, float[N, 2] SCALED)
        <int64[1] axis = {1}>
        {
            Y = Neg (X)
            column = Unsqueeze (X, axis)
            SCALED = Mul (PAIR, column)
        }""",
        """max_batch_size: 4
        input { name: "X" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } }
        input { name: "PAIR" data_type: TYPE_FP32 dims: [ 2 ] }
        output { name: "Y" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } }
        output { name: "SCALED" data_type: TYPE_FP32 dims: [ 2 ] }
        """,
        [{"X": ("FP32", [2, 1], [2, 3]), "PAIR": ("FP32", [2, 2], [1, 2, 3, 4])}],
    ),
    "native_unbatched": (
        """g (float[R, 2] X) => (float[R, 2] Y, int64[2] SHAPE)
        {
            Y = Relu (X)
            SHAPE = Shape (X)
        }""",
        """max_batch_size: 0
        input { name: "X" data_type: TYPE_FP32 dims: [ -1, 2 ] }
        output { name: "Y" data_type: TYPE_FP32 dims: [ -1, 2 ] }
        output { name: "SHAPE" data_type: TYPE_INT64 dims: [ 2 ] }
        """,
        [{"X": ("FP32", [3, 2], [1, -2, 3, 4, -5, 6])}],
    ),
    "native_sequence": (
        """g (int32[N, 1] X, float[N, 1] START, int32[N, 1] SUM_IN)
            => (int32[N, 1] Y, int32[N, 1] SUM_OUT)
        <int32[1] zero = {0}>
        {
            starts = Cast <to = 9> (START)
            kept = Where (starts, zero, SUM_IN)
            SUM_OUT = Add (kept, X)
            Y = Identity (SUM_OUT)
        }""",
        """max_batch_size: 4
        input { name: "X" data_type: TYPE_INT32 dims: [ 1 ] }
        output { name: "Y" data_type: TYPE_INT32 dims: [ 1 ] }
        sequence_batching {
          max_sequence_idle_microseconds: 60000000
          direct { }
          control_input {
            name: "START"
            control { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] }
          }
          state { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_INT32 dims: 1 }
        }
        """,
        [{"X": ("INT32", [1, 1], [5])}, {"X": ("INT32", [1, 1], [2])}],
    ),
    "native_ragged": (
        """g (float[T] TOKENS, float[N] ENDS) => (float[T] Y, float[N] LAST)
        {
            Y = Neg (TOKENS)
            LAST = Identity (ENDS)
        }""",
        """max_batch_size: 4
        input { name: "TOKENS" data_type: TYPE_FP32 dims: [ -1 ] allow_ragged_batch: true }
        output { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] }
        batch_input {
          kind: BATCH_ACCUMULATED_ELEMENT_COUNT
          target_name: "ENDS" data_type: TYPE_FP32 source_input: "TOKENS"
        }
        batch_output {
          kind: BATCH_SCATTER_WITH_INPUT_SHAPE target_name: "Y" source_input: "TOKENS"
        }
        dynamic_batching { }
        """,
        [{"TOKENS": ("FP32", [1, 3], [1, 2, 3])}],
    ),
}


def native_samples() -> list[Sample]:
    """Return the valid ONNX models, each as a folder of its own."""
    return [_sample(name) for name in MODELS]


def _sample(name: str) -> Sample:
    _, _, asked = MODELS[name]
    requests = tuple(as_json(_request(name, number, len(asked))) for number in range(len(asked)))
    examples = {
        key: np.array(data, dtype=triton_to_np_dtype(kind))
        for key, (kind, _, data) in asked[0].items()
    }
    return Sample(name, lambda root: _make(name, root), requests, examples)


def _request(name: str, number: int, last: int) -> dict[str, Any]:
    _, config, asked = MODELS[name]
    inputs = [
        {"name": key, "datatype": kind, "shape": shape, "data": data}
        for key, (kind, shape, data) in asked[number].items()
    ]
    if "sequence_batching" not in config:
        return {"inputs": inputs}
    marks = {"sequence_id": 1, "sequence_start": number == 0, "sequence_end": number == last - 1}
    return {"inputs": inputs, "parameters": marks}


def _make(name: str, root: Path) -> Path:
    graph, config, _ = MODELS[name]
    folder = root / "models" / name
    version = folder / name / "1"
    version.mkdir(parents=True)
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{graph}')
    onnx.save(model, version / "model.onnx")
    # the local server has no GPU, where more parameters are read
    head = f'name: "{name}"\nbackend: "onnxruntime"\ninstance_group {{ kind: KIND_CPU }}\n'
    text = f"{head}{config}\n"
    (folder / name / "config.pbtxt").write_text(text, encoding="utf-8")
    (folder / "model_version.txt").write_text("1.0.0\n", encoding="utf-8")
    shutil.copyfile(GOOD / "slipway.toml", root / "slipway.toml")
    return folder
