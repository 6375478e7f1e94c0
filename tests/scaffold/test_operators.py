"""Some of the onnx package's operator models give the expected answers.

``benchmarks/run operators`` runs all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.scaffold import from_onnx
from slipway.server.server import Server
from slipway.settings import Settings
from tests.scaffold.serving import artifact

NODES = Path(onnx.__file__).parent / "backend" / "test" / "data" / "node"
CASES = (
    "test_abs",
    "test_and_bcast4v2d",
    "test_ai_onnx_ml_label_encoder_string_int",
    "test_bitshift_right_uint64",
    "test_cast_FLOAT_to_FLOAT16",
    "test_clip",  # scalars among its inputs
    "test_concat_3d_axis_1",
    "test_det_nd",
    "test_gather_elements_1",
    "test_lstm_defaults",
    "test_maxpool_with_argmax_2d_precomputed_pads",  # two outputs of two types
    "test_nonzero_example",  # an output's size depends on the values
    "test_range_int32_type_negative_delta",
    "test_reduce_sum_do_not_keepdims_example",
    "test_split_equal_parts_1d_opset18",  # three outputs
    "test_string_concat_utf8",
)


def arrays(folder: Path, side: str, values: Any) -> dict[str, Any]:
    """Return the arrays of a test data set by tensor name."""
    tensors = {}
    for number, value in enumerate(values):
        proto = onnx.TensorProto.FromString((folder / f"{side}_{number}.pb").read_bytes())
        tensors[value.name] = numpy_helper.to_array(proto)
    return tensors


@pytest.mark.parametrize("name", CASES)
def test_an_operator_model_answers_as_onnx_expects(
    name: str, settings: Settings, environment: ExecutionEnvironment, server: Server
) -> None:
    file = NODES / name / "model.onnx"
    graph = onnx.load(file).graph
    inputs = arrays(NODES / name / "test_data_set_0", "input", graph.input)
    outputs = arrays(NODES / name / "test_data_set_0", "output", graph.output)
    derived = from_onnx.derive(file)
    folder = from_onnx.write("sample", derived, settings)
    assert check([folder], settings) == []
    server.load(name, artifact(folder, environment))
    steps = derived.steps
    got = server.invoke(
        name, {t.public: t.client_array(inputs[t.name], False) for t in steps.inputs}
    )
    # they stay loaded: a busy server of 24.10 may crash during an unload
    assert steps.max_batch_size == 0 and len(got) == len(outputs)
    for tensor in steps.outputs:
        expected = tensor.client_array(outputs[tensor.name], False)
        answer = got[tensor.public]
        if expected.dtype.kind in "OU":
            assert [text.decode() for text in answer.ravel()] == expected.ravel().tolist()
        else:
            assert answer.dtype == expected.dtype
            np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-5)
