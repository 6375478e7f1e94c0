"""Edits of a config by a candidate: what the server reads, and what a reader keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.triton.config import parse_config
from slipway.tune.candidate import Value
from slipway.tune.config_edit import change_message, edit_config
from tests.thorough import examples

COMMENTED = """\
name: "m"  # the name
backend: "onnxruntime"
max_batch_size: 16
# why there are two
instance_group {
  kind: KIND_CPU
  count: 2  # two
}
dynamic_batching {
}
# Without this, ONNX Runtime takes every core.
parameters {
  key: "intra_op_thread_count"
  value {
    string_value: "1"
  }
}
"""
BARE = 'name: "m"\nbackend: "onnxruntime"\nmax_batch_size: 4'
LISTS = (
    'name: "m" max_batch_size: 8 instance_group [ { kind: KIND_GPU } ]'
    ' parameters [ { key: "intra_op_thread_count" value: { string_value: "3" } },'
    ' { key: "other" value: { string_value: "x" } } ]'
    " dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 9 }"
)
PARTS = {
    "group": [
        "",
        "instance_group { }",
        "instance_group [{ kind: KIND_GPU }]",
        "instance_group {\n  # a comment\n  count: 3\n  kind: KIND_MODEL\n}",
        "instance_group < kind: KIND_CPU count: 1 >",
    ],
    "batcher": [
        "",
        "dynamic_batching { }",
        "dynamic_batching {\n  preferred_batch_size: 4\n  preserve_ordering: true\n}",
        "dynamic_batching { max_queue_delay_microseconds: 100 }",
    ],
    "threads": [
        "",
        'parameters { key: "intra_op_thread_count" value { string_value: "2" } }',
        "parameters: { value: { string_value: '4' }, key: 'intra_op_thread_count' }",
        'parameters { key: "else" value { string_value: "1" } }',
    ],
}
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.integers(1, 8),
        "threads": st.integers(0, 64),
        "batching": st.sampled_from(["off", 0, 500, 2000]),
        "preferred": st.sampled_from([0, 2, 8]),
        "max_batch": st.integers(1, 64),
    },
)


@settings(max_examples=examples(2000, 150), deadline=None)
@given(
    text=st.one_of(
        st.sampled_from([COMMENTED, BARE, LISTS]),
        st.builds(
            lambda group, batcher, threads, end: "\n".join(
                ['name: "m"', "max_batch_size: 8", batcher, threads, group]
            )
            + end,
            *(st.sampled_from(parts) for parts in (PARTS["group"], PARTS["batcher"])),
            st.sampled_from(PARTS["threads"]),
            st.sampled_from(["", "\n"]),
        ),
    ),
    changes=CHANGES,
)
def test_the_edited_text_says_what_the_changed_config_says(
    text: str, changes: dict[str, Value]
) -> None:
    wanted = change_message(parse_config(text, where="c"), changes)
    assert parse_config(edit_config(text, changes, "c"), where="c") == wanted


def test_comments_and_order_stay() -> None:
    edited = edit_config(COMMENTED, {"instances": 1, "threads": 2, "batching": 500}, "c")
    expected = COMMENTED.replace("count: 2  # two", "count: 1  # two")
    expected = expected.replace('string_value: "1"', 'string_value: "2"')
    batcher = "dynamic_batching {\n  max_queue_delay_microseconds: 500\n}\n"
    assert edited == expected.replace("dynamic_batching {\n}\n", batcher)


def test_a_count_moves_a_model_for_a_gpu_to_the_cpu() -> None:
    text = 'name: "m"\ninstance_group {\n  kind: KIND_GPU\n}\n'
    assert edit_config(text, {"instances": 2}, "c") == (
        'name: "m"\ninstance_group {\n  count: 2\n  kind: KIND_CPU\n}\n'
    )


def test_line_ends_of_windows_stay() -> None:
    text = BARE.replace("\n", "\r\n") + "\r\n"
    edited = edit_config(text, {"threads": 1, "batching": 0, "instances": 2}, "c")
    assert edited.count("\n") == edited.count("\r\n") > text.count("\n")


def test_without_a_change_the_text_is_the_same() -> None:
    assert edit_config(LISTS, {}, "c") == LISTS


def test_what_is_no_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError) as error:
        edit_config("name: 3 nonsense", {"threads": 1}, "models/m/config.pbtxt")
    assert str(error.value.where).startswith("models/m/config.pbtxt:1")
