"""The inputs of a step become outputs of its ensemble, so that they can be seen."""

from __future__ import annotations

from slipway.triton.config import parse_config
from slipway.tune.precision.calibration import expose_inputs

ENSEMBLE = """
name: "p" platform: "ensemble" max_batch_size: 4
input { name: "IMAGE" data_type: TYPE_STRING dims: 1 }
output { name: "SCORE" data_type: TYPE_FP32 dims: 1 }
ensemble_scheduling {
  step { model_name: "pre" model_version: -1
    input_map { key: "BYTES" value: "IMAGE" } output_map { key: "PIXELS" value: "pixels" } }
  step { model_name: "net" model_version: -1
    input_map { key: "PIXELS" value: "pixels" } output_map { key: "OUT" value: "SCORE" } }
}"""
STEP = 'name: "net" input { name: "PIXELS" data_type: TYPE_UINT8 dims: [ 8, 8 ] }'
FIRST = 'name: "pre" input { name: "BYTES" data_type: TYPE_STRING dims: 1 }'


def test_an_inner_tensor_gets_the_type_and_the_dims_of_the_steps_input() -> None:
    served = parse_config(ENSEMBLE, where="c")
    assert expose_inputs(served, parse_config(STEP, where="c")) == {"PIXELS": "pixels"}
    added = served.output[1]
    assert (added.name, list(added.dims)) == ("pixels", [8, 8])
    assert added.data_type == parse_config(STEP, where="c").input[0].data_type


def test_an_input_of_the_ensemble_is_known_already() -> None:
    served = parse_config(ENSEMBLE, where="c")
    assert expose_inputs(served, parse_config(FIRST, where="c")) == {"BYTES": "IMAGE"}
    assert served == parse_config(ENSEMBLE, where="c")


def test_what_is_no_step_cannot_be_seen() -> None:
    served = parse_config(ENSEMBLE, where="c")
    assert expose_inputs(served, parse_config('name: "other"', where="c")) == {}
