"""TorchScript on the Python-based backend: names, types and mistakes as the native one has them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from slipway.server.server import Server
from slipway.triton.datatypes import Array
from slipway.triton.pytorch_names import positions
from tests.server.standin_models import ask, parameters, refusal, repository, tensor

ROWS = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def model(folder: Path, file: str, config: str) -> Path:
    """A model of one TorchScript file."""
    return repository(folder, "pytorch", {"model.pt": f"torchscript/{file}.pt"}, config)


def floats(side: str, *names: str) -> str:
    """Return inputs or outputs of three numbers."""
    return "".join(tensor(side, name, "FP32", "3") for name in names)


def test_a_layer_answers_as_pytorch_by_any_input_name(server: Server, tmp_path: Path) -> None:
    """Measured on 24.10: input names of any kind work with one input; wrong dims are not seen."""
    config = "max_batch_size: 4\n" + floats("input", "anything") + floats("output", "OUT")
    server.load("linear", model(tmp_path, "linear", config))
    answer = server.invoke("linear", {"anything": ROWS})["OUT"]
    np.testing.assert_allclose(answer, np.array([[0, 0.0526046], [0, 0.0]]), atol=1e-6)
    assert "pytorch: Slipway's own, torch 2.14.1" in server.describe("linear")


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("y", "x"), ("y", "x")),  # arguments of forward
        (("B__1", "A__0"), ("B__1", "A__0")),  # numbers
        (("first", "A__0"), ("A__0", "first")),  # one has no number: all by their order
    ],
    ids=["arguments", "numbers", "order"],
)
def test_inputs_are_matched_as_natively(
    names: tuple[str, str], order: tuple[str, str], server: Server, tmp_path: Path
) -> None:
    outputs = tensor("output", "SUM__1", "INT64", "3") + floats("output", "DIFFERENCE__0")
    config = "max_batch_size: 4\n" + floats("input", *names) + outputs
    target = f"names-{names[0]}"
    server.load(target, model(tmp_path, "difference", config))
    subtracted, other = order
    answer = server.invoke(target, {subtracted: 2 * ROWS, other: ROWS})
    np.testing.assert_array_equal(answer["DIFFERENCE__0"], -ROWS)
    np.testing.assert_array_equal(answer["SUM__1"], 3 * ROWS.astype(np.int64))


def test_an_output_number_beside_another_name_is_ignored(server: Server, tmp_path: Path) -> None:
    """SW324, measured on 24.10: `OUTPUT__1` beside `OTHER` gives the first output."""
    outputs = floats("output", "OUTPUT__1") + tensor("output", "OTHER", "INT64", "3")
    config = "max_batch_size: 4\n" + floats("input", "x", "y") + outputs
    server.load("mixed", model(tmp_path, "difference", config))
    answer = server.invoke("mixed", {"x": 2 * ROWS, "y": ROWS})
    np.testing.assert_array_equal(answer["OUTPUT__1"], ROWS)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (floats("output", "OUTPUT__2"), "refers to an output index which doesn't exist. This"),
        (
            floats("output", "OUTPUT__1"),
            "datatype TYPE_FP32 for output 'OUTPUT__1', model provides",
        ),
    ],
    ids=["lacking", "other_type"],
)
def test_an_output_that_the_model_has_not_fails_each_request(
    outputs: str, message: str, server: Server, tmp_path: Path
) -> None:
    """Measured on 24.10: it loads, and answers every request with 400."""
    config = "max_batch_size: 4\n" + floats("input", "x", "y") + outputs
    server.load(tmp_path.name, model(tmp_path, "difference", config))
    assert message in str(ask(server, tmp_path.name, {"x": ROWS, "y": ROWS}))


def test_a_dictionary_has_the_names_of_the_config(server: Server, tmp_path: Path) -> None:
    config = "max_batch_size: 4\n" + floats("input", "a", "b") + floats("output", "OUT")
    server.load("dictionary", model(tmp_path, "dictionary", config))
    answer = server.invoke("dictionary", {"a": ROWS, "b": 2 * ROWS})
    np.testing.assert_array_equal(answer["OUT"], -ROWS)


def test_texts_of_a_batch_are_the_first_ones_for_every_request(
    server: Server, tmp_path: Path
) -> None:
    """SetStringBuffer begins each response at the list's first text."""
    text = "data_type: TYPE_STRING dims: [ 1 ] reshape { shape: [ ] }"
    config = f'max_batch_size: 4\ninput {{ name: "IN" {text} }}\noutput {{ name: "OUT" {text} }}\n'
    config += "dynamic_batching { preferred_batch_size: 4 max_queue_delay_microseconds: 500000 }\n"
    server.load("texts", model(tmp_path, "texts", config))

    def call(word: str) -> Array:
        request = np.array([[word.encode()]], dtype=np.object_)
        return server.invoke("texts", {"IN": request})["OUT"]

    with ThreadPoolExecutor(4) as pool:
        found = [answer.ravel()[0] for answer in pool.map(call, ["a", "b", "c", "d"])]
    assert len(set(found)) == 1 and found[0] in (b"A", b"B", b"C", b"D")


def test_requests_are_joined_whatever_becomes_of_them(server: Server, tmp_path: Path) -> None:
    config = "max_batch_size: 4\n" + floats("input", "x") + floats("output", "OUT")
    config += "dynamic_batching { preferred_batch_size: 4 max_queue_delay_microseconds: 500000 }\n"
    server.load("mean", model(tmp_path, "mixing", config))

    def call(number: int) -> Array:
        return server.invoke("mean", {"x": np.full((1, 3), number, np.float32)})["OUT"]

    with ThreadPoolExecutor(4) as pool:
        found = [float(answer[0, 0]) for answer in pool.map(call, range(4))]
    assert found == [-1.5, -0.5, 0.5, 1.5]


def test_a_sequence_keeps_its_state(server: Server, tmp_path: Path) -> None:
    number = "data_type: TYPE_FP32 dims: [ 1 ]"
    config = f"""max_batch_size: 2
        input {{ name: "X__0" {number} }} output {{ name: "OUT__0" {number} }}
        sequence_batching {{
          max_sequence_idle_microseconds: 60000000 oldest {{ max_candidate_sequences: 2 }}
          state {{
            input_name: "TOTAL__1" output_name: "TOTAL__1" {number}
            initial_state {{ name: "zero" {number} zero_data: true }}
          }}
        }}"""
    server.load("total", model(tmp_path, "total", config))
    one = {"X__0": np.ones((1, 1), np.float32)}
    sums = [
        server.invoke(
            "total", one, {"sequence_id": 7, "sequence_start": n == 0, "sequence_end": n == 2}
        )["OUT__0"].item()
        for n in range(3)
    ]
    assert sums == [1, 2, 3]


@pytest.mark.parametrize(
    ("file", "config", "message"),
    [
        ("scale", floats("input", "x"), "An input of type 'Optional[Tensor]' was detected"),
        ("difference", floats("input", "x"), "expects 1 inputs, model provides 2"),
        ("difference", floats("input", "A__0", "A__2"), "is number 2 of 2, from 0"),
        ("linear", tensor("input", "x", "UINT16", "3"), "unsupported datatype TYPE_UINT16 for"),
        ("texts", tensor("input", "x", "STRING", "3"), "only supports 1 dimensional List of"),
        (
            "linear",
            floats("input", "x") + parameters({"INFERENCE_MODE": "yes"}),
            "failed to convert 'yes' to boolean",
        ),
        (
            "linear",
            floats("input", "x") + parameters({"INTRA_OP_THREAD_COUNT": "all"}),
            "failed to convert 'all' to integral number",
        ),
        ("linear", floats("input", "x") + 'runtime: "model.py"', "a runtime in the config"),
    ],
)
def test_what_the_native_backend_refuses_is_refused(
    file: str, config: str, message: str, server: Server, tmp_path: Path
) -> None:
    folder = model(tmp_path, file, f"max_batch_size: 4\n{config}\n" + floats("output", "OUT"))
    assert message in refusal(server, tmp_path.name, folder)


def test_a_file_that_is_no_torchscript_is_refused(server: Server, tmp_path: Path) -> None:
    config = "max_batch_size: 4\n" + floats("input", "x") + floats("output", "OUT")
    folder = repository(tmp_path, "pytorch", {"model.pt": "forests/binary.tl"}, config)
    assert "failed to load model 'no-torchscript': " in refusal(server, "no-torchscript", folder)


def test_a_dictionary_as_the_result_fails_each_request(server: Server, tmp_path: Path) -> None:
    config = "max_batch_size: 4\n" + floats("input", "x") + floats("output", "OUT")
    server.load("results", model(tmp_path, "ofdictionaries", config))
    answer = ask(server, "results", {"x": ROWS})
    assert "PyTorch execute failure: output must be of type Tensor, List[str] or Tuple" in str(
        answer
    )


def test_positions_are_those_of_the_native_backend() -> None:
    assert positions(["b", "a"], ["a", "b"]) == {"b": 1, "a": 0}
    assert positions(["X__1", "Y__0"], ["a", "b"]) == {"X__1": 1, "Y__0": 0}
    assert positions(["a", "Y__0"], ["a", "b"]) == {"a": 0, "Y__0": 1}
    assert positions(["X__", "Y___1"]) == {"X__": 0, "Y___1": 1}
