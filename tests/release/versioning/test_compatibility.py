"""What a change of inputs, outputs and configs means for those who ask a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.model.interface import Interface, Tensor
from slipway.release.versioning import compatibility
from slipway.release.versioning.compatibility import Reason, VersionPart
from slipway.triton import config

IN, OUT = Tensor("FP32", (3,)), Tensor("BYTES", (1,))
BASE = Interface(8, {"IN": IN}, {"OUT": OUT})


def judged(before: Interface, after: Interface) -> list[Reason]:
    return list(compatibility.interface_changes(before, after))


def with_input(name: str, tensor: Tensor) -> Interface:
    return Interface(8, {"IN": IN, name: tensor}, {"OUT": OUT})


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (Interface(8, {}, {"OUT": OUT}), "input 'IN' is gone"),
        (Interface(8, {"IMAGE": IN}, {"OUT": OUT}), "input 'IN' was renamed to 'IMAGE'"),
        (Interface(8, {"IN": IN}, {}), "output 'OUT' is gone"),
        (Interface(8, {"IN": IN}, {"LABEL": OUT}), "output 'OUT' was renamed to 'LABEL'"),
        (Interface(8, {"IN": Tensor("UINT8", (3,))}, {"OUT": OUT}), "input 'IN': FP32 → UINT8"),
        (Interface(8, {"IN": IN}, {"OUT": Tensor("FP32", (1,))}), "output 'OUT': BYTES → FP32"),
        (Interface(8, {"IN": Tensor("FP32", (4,))}, {"OUT": OUT}), "input 'IN': dims [3] → [4]"),
        (Interface(8, {"IN": Tensor("FP32", (3, 1))}, {"OUT": OUT}), "dims [3] → [3, 1]"),
        (
            Interface(8, {"IN": IN}, {"OUT": Tensor("BYTES", (-1,))}),
            "output 'OUT': dims [1] → [-1]",
        ),
        (with_input("NEW", IN), "input 'NEW' is new and required"),
        (Interface(4, {"IN": IN}, {"OUT": OUT}), "max_batch_size 8 → 4"),
        (Interface(0, {"IN": IN}, {"OUT": OUT}), "it no longer takes batches"),
    ],
)
def test_what_breaks_a_caller_is_major(after: Interface, reason: str) -> None:
    (found,) = judged(BASE, after)
    assert found.part == "major"
    assert reason in found.what


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (with_input("NEW", Tensor("FP32", (1,), optional=True)), "input 'NEW' is new and optional"),
        (Interface(8, {"IN": IN}, {"OUT": OUT, "WHY": OUT}), "output 'WHY' is new"),
        (Interface(16, {"IN": IN}, {"OUT": OUT}), "max_batch_size 8 → 16"),
        (Interface(8, {"IN": Tensor("FP32", (-1,))}, {"OUT": OUT}), "dims [3] → [-1]"),
        (Interface(8, {"IN": Tensor("FP32", (3,), True)}, {"OUT": OUT}), "is now optional"),
    ],
)
def test_what_only_allows_more_is_minor(after: Interface, reason: str) -> None:
    (found,) = judged(BASE, after)
    assert found.part == "minor"
    assert reason in found.what


def test_an_output_that_varies_less_is_minor_and_an_input_that_takes_less_is_major() -> None:
    free = Tensor("FP32", (-1,))
    assert [r.part for r in judged(Interface(8, {}, {"O": free}), Interface(8, {}, {"O": IN}))] == [
        "minor"
    ]
    assert [r.part for r in judged(Interface(8, {"I": free}, {}), Interface(8, {"I": IN}, {}))] == [
        "major"
    ]


def test_an_optional_input_that_has_to_be_given_is_major() -> None:
    before = Interface(8, {"IN": Tensor("FP32", (3,), optional=True)}, {"OUT": OUT})
    assert judged(before, BASE) == [Reason("major", "input 'IN' is now required")]


def test_a_batch_where_there_was_none_is_major() -> None:
    before = Interface(0, {"IN": IN}, {"OUT": OUT})
    (found,) = judged(before, BASE)
    assert (found.part, "now takes batches" in found.what) == ("major", True)


def test_the_order_of_tensors_is_no_change() -> None:
    before = Interface(8, {"A": IN, "B": OUT}, {"C": IN, "D": OUT})
    after = Interface(8, {"B": OUT, "A": IN}, {"D": OUT, "C": IN})
    assert judged(before, after) == []


TENSORS = st.builds(
    Tensor,
    st.sampled_from(["FP32", "BYTES"]),
    st.lists(st.sampled_from([-1, 1, 3]), max_size=2).map(tuple),
    st.booleans(),
)
NAMED = st.dictionaries(st.sampled_from("ABC"), TENSORS, max_size=3)
INTERFACES = st.builds(Interface, st.sampled_from([0, 4, 8]), NAMED, NAMED)


def fits(interface: Interface, request: Mapping[str, tuple[str, tuple[int, ...]]]) -> bool:
    """Whether a server with this interface takes a request of these tensors, as Triton does."""
    known = interface.inputs
    if request.keys() - known.keys():
        return False
    if any(not tensor.optional and name not in request for name, tensor in known.items()):
        return False
    for name, (datatype, shape) in request.items():
        dims = interface.shape(known[name])
        sizes_fit = len(shape) == len(dims) and all(
            d in (-1, s) for d, s in zip(dims, shape, strict=True)
        )
        if known[name].datatype != datatype or not sizes_fit:
            return False
        if interface.batches and shape[0] > interface.max_batch_size:
            return False
    return True


@given(INTERFACES, INTERFACES, st.data())
def test_unless_it_is_major_every_request_that_was_taken_still_is(
    before: Interface, after: Interface, data: st.DataObject
) -> None:
    if any(reason.part == "major" for reason in judged(before, after)):
        return
    given = {
        name: tensor
        for name, tensor in before.inputs.items()
        if not tensor.optional or data.draw(st.booleans())
    }
    batch = data.draw(st.integers(1, before.max_batch_size)) if before.batches else None
    request = {}
    for name, tensor in given.items():
        sizes = [data.draw(st.integers(1, 9)) if size == -1 else size for size in tensor.dims]
        shape = (*([batch] if batch is not None else []), *sizes)
        request[name] = tensor.datatype, shape
    assert fits(before, request)
    assert fits(after, request)


@given(INTERFACES, INTERFACES)
def test_unless_it_is_major_every_answer_has_what_it_had(
    before: Interface, after: Interface
) -> None:
    if any(reason.part == "major" for reason in judged(before, after)):
        return
    for name, tensor in before.outputs.items():
        now = after.outputs[name]
        assert now.datatype == tensor.datatype and len(now.dims) == len(tensor.dims)
        assert all(was in (-1, size) for was, size in zip(tensor.dims, now.dims, strict=True))


@given(INTERFACES, INTERFACES)
def test_nothing_is_found_exactly_where_nothing_changed(
    before: Interface, after: Interface
) -> None:
    def alike(tensors: Mapping[str, Tensor], optional: bool) -> Any:
        return {n: t if optional else t._replace(optional=False) for n, t in tensors.items()}

    same = before.max_batch_size == after.max_batch_size
    same &= alike(before.inputs, True) == alike(after.inputs, True)
    same &= alike(before.outputs, False) == alike(after.outputs, False)
    assert (judged(before, after) == []) is same


CONFIG = """
name: "m" backend: "python" max_batch_size: 8
input { name: "IN" data_type: TYPE_FP32 dims: 1 }
output { name: "OUT" data_type: TYPE_FP32 dims: 1 label_filename: "labels.txt" }
parameters { key: "THRESHOLD" value { string_value: "0.5" } }
instance_group { count: 1 kind: KIND_CPU }
"""


def of_configs(before: str, after: str, served: bool = True) -> list[Reason]:
    parsed = [config.parse_config(text, where="a config") for text in (before, after)]
    return list(compatibility.config_changes("m", parsed[0], parsed[1], served))


@pytest.mark.parametrize(
    ("old", "new", "part", "said"),
    [
        ("0.5", "0.7", "minor", "m: THRESHOLD 0.5 → 0.7"),
        ('backend: "python"', 'backend: "onnxruntime"', "minor", "m: backend python → onnxruntime"),
        ("labels.txt", "words.txt", "minor", "m: output"),
        ("count: 1", "count: 4", "patch", "m: instance_group"),
        ("instance_group", "dynamic_batching {} instance_group", "patch", "m: dynamic_batching"),
        ("instance_group", "optimization { priority: 1 } instance_group", "minor", "optimization"),
        (
            "instance_group",
            'parameters { key: "intra_op_thread_count" value { string_value: "1" } }'
            " instance_group",
            "patch",
            "m: intra_op_thread_count — → 1",
        ),
        (
            "instance_group",
            "model_transaction_policy { decoupled: true } instance_group",
            "major",
            "m: decoupled false → true",
        ),
        ("instance_group", "sequence_batching {} instance_group", "major", "m: a request needs a"),
    ],
)
def test_a_configs_value_counts_by_what_it_can_change(
    old: str, new: str, part: VersionPart, said: str
) -> None:
    found = of_configs(CONFIG, CONFIG.replace(old, new))
    assert compatibility.highest_part(found) == part
    assert said in found[0].what


def test_comments_spaces_and_the_place_of_the_environment_are_no_change() -> None:
    packed = 'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "here" } }'
    assert of_configs(CONFIG, f"# why\n{CONFIG}\n\n{packed}") == []


def test_changes_of_the_interface_are_not_reported_twice() -> None:
    assert of_configs(CONFIG, CONFIG.replace("TYPE_FP32 dims: 1", "TYPE_FP64 dims: 2")) == []
    assert of_configs(CONFIG, CONFIG.replace("max_batch_size: 8", "max_batch_size: 4")) == []


def test_inside_of_an_ensemble_no_tensor_is_anybody_elses_business() -> None:
    after = CONFIG.replace("TYPE_FP32 dims: 1 }", "TYPE_FP64 dims: 2 }").replace("8", "4")
    found = of_configs(CONFIG, after, served=False)
    assert {reason.part for reason in found} == {"minor"}
    assert "m: max_batch_size 8 → 4" in [reason.what for reason in found]


def test_the_highest_part_counts() -> None:
    assert compatibility.highest_part([]) is None
    parts: list[VersionPart] = ["patch", "major", "minor"]
    assert compatibility.highest_part([Reason(part, "") for part in parts]) == "major"
