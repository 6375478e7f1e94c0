"""What may be tried of a model, and what is left out with its reason."""

from __future__ import annotations

from slipway.triton.config import parse_config
from slipway.tune.candidate import BASELINE, Space
from slipway.tune.space import Extent, derive_space

ONNX = 'name: "m" backend: "onnxruntime" max_batch_size: 4'
PYTHON = 'backend: "python" max_batch_size: 4 instance_group { kind: KIND_CPU count: 1 }'


def space_of(*texts: str, clients: int = 8, cpu: bool = False, cores: int = 4) -> Space:
    configs = {f"m{number}": parse_config(text, where="c") for number, text in enumerate(texts)}
    return derive_space(configs, Extent(clients, cpu=cpu, cores=cores))


def values(space: Space, name: str, model: str = "m0") -> tuple[object, ...] | None:
    found = [knob.values for knob in space.knobs if (knob.model, knob.name) == (model, name)]
    return found[0] if found else None


def test_threads_go_up_to_the_cores_and_none_means_all() -> None:
    assert values(space_of(ONNX), "threads") == (0, 1, 2, 4)


def test_a_value_that_is_no_power_of_two_stays_among_the_others() -> None:
    text = ONNX + ' parameters { key: "intra_op_thread_count" value { string_value: "3" } }'
    space = space_of(text)
    assert values(space, "threads") == (0, 1, 2, 4, 3)
    assert next(k.current for k in space.knobs if k.name == "threads") == 3


def test_instances_for_a_gpu_are_tried_only_for_an_endpoint_without_one() -> None:
    on_gpu = ONNX + " instance_group { kind: KIND_GPU }"
    assert values(space_of(on_gpu), "instances") is None
    assert any("--cpu" in line for line in space_of(on_gpu).left_out)
    assert values(space_of(on_gpu, cpu=True), "instances") == (1, 2, 4)


def test_triton_starts_two_of_onnx_runtime_on_a_cpu_where_no_count_is_given() -> None:
    (knob,) = [k for k in space_of(ONNX, cpu=True).knobs if k.name == "instances"]
    assert knob.current == 2


def test_processes_of_python_models_fit_the_shared_memory_of_an_endpoint() -> None:
    space = space_of(PYTHON, PYTHON, PYTHON, cores=8)
    assert values(space, "instances") == (1, 2)
    assert any("/dev/shm" in line for line in space.left_out)


def test_a_batch_is_raised_only_as_far_as_clients_can_fill_it() -> None:
    assert values(space_of(ONNX, clients=8), "max_batch") == (4, 8)
    assert values(space_of(ONNX, clients=4), "max_batch") is None
    assert any("never fill" in line for line in space_of(ONNX, clients=4).left_out)


def test_sequences_keep_their_batcher_and_their_count() -> None:
    text = ONNX + " sequence_batching { } instance_group { kind: KIND_CPU }"
    space = space_of(text)
    assert {knob.name for knob in space.knobs} == {"threads", "precision"}
    assert sum("sequence" in line for line in space.left_out) == 2


def test_a_preferred_size_goes_with_the_batcher() -> None:
    space = space_of(PYTHON + " dynamic_batching { preferred_batch_size: 2 }")
    by_name = {knob.name: knob for knob in space.knobs}
    off = space.with_value(BASELINE, by_name["batching"], "off")
    assert [tuple(change) for change in off] == [("m0", "batching", "off")]
    assert space.with_value(off, by_name["preferred"], 4) == off


def test_every_combination_is_counted_once() -> None:
    space = space_of(PYTHON + " dynamic_batching { }", clients=2)
    every = list(space.every())
    assert len(every) == len(set(every)) <= len(space) and every[0] == BASELINE


def test_candidates_of_another_space_are_left_out() -> None:
    wide, narrow = space_of(ONNX, cores=8), space_of(ONNX, cores=2)
    threads = next(knob for knob in wide.knobs if knob.name == "threads")
    eight = wide.with_value(BASELINE, threads, 8)
    assert narrow.among({eight: 1, BASELINE: 2}) == {BASELINE: 2}
