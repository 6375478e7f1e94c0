"""ONNX models on the Python-based backend, as the native one would serve them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from slipway.errors import SlipwayError
from slipway.server.client import InferenceError
from slipway.server.onnxruntime_backend import options
from slipway.server.server import Server
from tests import fixture_models

TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "STRING": TensorProto.STRING,
}


def model(
    folder: Path, graph: Any, config: str, *, file: str = "model.onnx", max_batch_size: int = 8
) -> Path:
    """A model repository of one ONNX model, named ``m``."""
    (folder / "m" / "1").mkdir(parents=True)
    fixture_models.save(graph, folder / "m" / "1" / file)
    text = f'name: "m" platform: "onnxruntime_onnx" max_batch_size: {max_batch_size}\n{config}'
    (folder / "m" / "config.pbtxt").write_text(text, encoding="utf-8")
    return folder


def identities(types: Mapping[str, int]) -> Any:
    """A graph that gives every input X_<type> back as Y_<type>."""
    info = helper.make_tensor_value_info
    return helper.make_graph(
        [helper.make_node("Identity", [f"X_{name}"], [f"Y_{name}"]) for name in types],
        "identities",
        [info(f"X_{name}", kind, ["N", 2]) for name, kind in types.items()],
        [info(f"Y_{name}", kind, ["N", 2]) for name, kind in types.items()],
    )


def test_every_data_type_comes_back_as_it_went(server: Server, tmp_path: Path) -> None:
    config = "".join(
        f'{side} {{ name: "{letter}_{name}" data_type: TYPE_{name} dims: 2 }}\n'
        for name in TYPES
        for side, letter in (("input", "X"), ("output", "Y"))
    )
    server.load("types", model(tmp_path, identities(TYPES), config))
    sent: dict[str, Any] = {
        f"X_{name}": np.array([[0, 1], [1, 0]]).astype(
            {"BOOL": "bool", "FP16": "f2", "FP32": "f4", "FP64": "f8"}.get(name, name.lower())
        )
        for name in TYPES
        if name != "STRING"
    }
    sent["X_STRING"] = np.array([["h\u00e9", ""], ["\u65e5\u672c", "x" * 1000]], dtype=object)
    got = server.invoke("types", sent)
    for name in TYPES:
        if name != "STRING":
            assert got[f"Y_{name}"].dtype == sent[f"X_{name}"].dtype
            np.testing.assert_array_equal(got[f"Y_{name}"], sent[f"X_{name}"])
    assert [text.decode() for text in got["Y_STRING"].ravel()] == list(sent["X_STRING"].ravel())
    server.unload("types")


def test_clients_at_once_each_get_their_own_answer(server: Server, tmp_path: Path) -> None:
    server.load("many", fixture_models.copy("adder", tmp_path))

    def ask(number: int) -> bool:
        # batches of different sizes, so that a joined run must be split at the right places
        a = np.full((number % 5 + 1, 4), number, np.float32)
        answer = server.invoke("many", {"A": a, "B": a})["SUM"]
        return answer.shape == a.shape and bool((answer == 2 * number).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(200)))
    server.unload("many")


def test_a_request_that_fails_fails_those_that_it_was_joined_with(
    server: Server, tmp_path: Path
) -> None:
    info = helper.make_tensor_value_info
    weights = helper.make_tensor("table", TensorProto.FLOAT, [3], [10.0, 11.0, 12.0])
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "INDEX"], ["FOUND"])],
        "lookup",
        [info("INDEX", TensorProto.INT64, ["N", 1])],
        [info("FOUND", TensorProto.FLOAT, ["N", 1])],
        [weights],
    )
    config = """input { name: "INDEX" data_type: TYPE_INT64 dims: 1 }
    output { name: "FOUND" data_type: TYPE_FP32 dims: 1 }
    dynamic_batching { max_queue_delay_microseconds: 2000000 preferred_batch_size: 4 }"""
    server.load("lookup", model(tmp_path, graph, config, max_batch_size=4))

    def ask(index: int) -> float | str:
        try:
            return float(server.invoke("lookup", {"INDEX": np.array([[index]])})["FOUND"][0, 0])
        except InferenceError as error:
            return error.what

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [0, 1, 99, 2]))
    # the queue is full with the fourth: one run for all, which 99 fails (native-onnxruntime, 2a.5)
    assert len(set(answers)) == 1
    assert str(answers[0]).startswith("onnx runtime error 2: ") and "idx=99" in str(answers[0])
    assert ask(1) == 11.0
    server.unload("lookup")


def test_a_model_without_batches_and_with_a_file_name_of_its_own_is_served(
    server: Server, tmp_path: Path
) -> None:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["X"], ["Y"], keepdims=1)],
        "sum",
        [info("X", TensorProto.FLOAT, ["a", "b"])],
        [info("Y", TensorProto.FLOAT, [1, 1])],
    )
    config = """default_model_filename: "net.onnx"
    input { name: "X" data_type: TYPE_FP32 dims: [-1, -1] }
    output { name: "Y" data_type: TYPE_FP32 dims: 1 reshape { shape: [1, 1] } }
    parameters { key: "intra_op_thread_count" value { string_value: "1" } }"""
    server.load("sum", model(tmp_path, graph, config, file="net.onnx", max_batch_size=0))
    for shape in ((2, 3), (1, 1)):
        got = server.invoke("sum", {"X": np.ones(shape, np.float32)})["Y"]
        assert got.tolist() == [shape[0] * shape[1]]
    server.unload("sum")


def test_an_input_with_a_default_may_be_left_out(server: Server, tmp_path: Path) -> None:
    info = helper.make_tensor_value_info
    default = helper.make_tensor("B", TensorProto.FLOAT, [1, 1], [5.0])
    graph = helper.make_graph(
        [helper.make_node("Add", ["A", "B"], ["SUM"])],
        "adder",
        [info("A", TensorProto.FLOAT, ["N", 1]), info("B", TensorProto.FLOAT, ["M", 1])],
        [info("SUM", TensorProto.FLOAT, ["N", 1])],
        [default],
    )
    config = """input { name: "A" data_type: TYPE_FP32 dims: [-1, 1] }
    input { name: "B" data_type: TYPE_FP32 dims: [-1, 1] optional: true }
    output { name: "SUM" data_type: TYPE_FP32 dims: [-1, 1] }"""
    batched = config.replace("[-1, 1]", "1")
    for wrong, batch, said in (
        (batched, 8, "optional input 'B' is not supported for models that support batching"),
        (config.replace("optional: true", ""), 0, "configuration expects 2 inputs, model provides"),
        (config.replace("1] }", "1] optional: true }", 1), 0, "expects 0 inputs, model provides 1"),
    ):
        folder = tmp_path / f"{len(said)}"
        with pytest.raises(SlipwayError, match=said):
            server.load("wrong", model(folder, graph, wrong, max_batch_size=batch))
    server.load("default", model(tmp_path / "right", graph, config, max_batch_size=0))
    one = np.ones((1, 1), np.float32)
    assert server.invoke("default", {"A": one})["SUM"].tolist() == [[6.0]]
    assert server.invoke("default", {"A": one, "B": one})["SUM"].tolist() == [[2.0]]
    server.unload("default")


def test_strings_that_are_not_utf8_pass_through_beside_others(
    server: Server, tmp_path: Path
) -> None:
    """Native-onnxruntime, 2b: the native backend does not look into strings."""
    types = {name: TYPES[name] for name in ("STRING", "FP32", "BOOL")}
    config = "".join(
        f'{side} {{ name: "{letter}_{name}" data_type: TYPE_{name} dims: 2 }}\n'
        for name in types
        for side, letter in (("input", "X"), ("output", "Y"))
    )
    batcher = "dynamic_batching { max_queue_delay_microseconds: 2000000 preferred_batch_size: 4 }"
    server.load("text", model(tmp_path, identities(types), config + batcher, max_batch_size=4))
    texts = [b"\xff\xfe", "h\u00e9".encode(), b"", "\u65e5".encode() * 300]

    def ask(text: bytes) -> Any:
        sent: dict[str, Any] = {
            "X_STRING": np.array([[text, b"\xc3"]], dtype=object),
            "X_FP32": np.array([[len(text), 0.5]], np.float32),
            "X_BOOL": np.array([[True, False]]),
        }
        answer = server.invoke("text", sent)
        return {name: array.tolist() for name, array in answer.items()}

    with ThreadPoolExecutor(len(texts)) as pool:
        answers = list(pool.map(ask, texts))
    for text, answer in zip(texts, answers, strict=True):
        assert answer == {
            "Y_STRING": [[text, b"\xc3"]],
            "Y_FP32": [[len(text), 0.5]],
            "Y_BOOL": [[True, False]],
        }
    server.unload("text")


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        ('name: "X_OTHER" data_type: TYPE_FP32 dims: 2', "unexpected inference input 'X_OTHER'"),
        ('name: "X_FP32" data_type: TYPE_FP16 dims: 2', "expects datatype TYPE_FP16 for input"),
        ('name: "X_FP32" data_type: TYPE_FP32 dims: 3', r"complete shape \[-1,3\]"),
        ('name: "X_FP32" data_type: TYPE_FP32 dims: [2, 2]', r"complete shape \[-1,2,2\]"),
        # the native backend takes a free size only where the graph has one
        ('name: "X_FP32" data_type: TYPE_FP32 dims: -1', r"complete shape \[-1,-1\]"),
    ],
)
def test_a_config_that_contradicts_the_graph_fails_the_load(
    server: Server, tmp_path: Path, tensor: str, said: str
) -> None:
    config = f"""input {{ {tensor} }}
    output {{ name: "Y_FP32" data_type: TYPE_FP32 dims: 2 }}"""
    with pytest.raises(SlipwayError, match=said) as caught:
        server.load("wrong", model(tmp_path, identities({"FP32": TYPES["FP32"]}), config))
    assert caught.value.where == "m/config.pbtxt"
    assert caught.value.fix == "make config.pbtxt agree with the model's file"


def test_a_sequence_fails_the_load_though_the_config_does_not_name_it(
    server: Server, tmp_path: Path
) -> None:
    graph = identities({"FP32": TYPES["FP32"]})
    graph.node.append(helper.make_node("SequenceConstruct", ["X_FP32"], ["ROWS"]))
    rows = helper.make_tensor_type_proto(TensorProto.FLOAT, ["N", 2])
    graph.output.append(helper.make_value_info("ROWS", helper.make_sequence_type_proto(rows)))
    config = """input { name: "X_FP32" data_type: TYPE_FP32 dims: 2 }
    output { name: "Y_FP32" data_type: TYPE_FP32 dims: 2 }"""
    with pytest.raises(SlipwayError, match=r"Unsupported ONNX Type 'seq\(tensor\(float\)\)'"):
        server.load("wrong", model(tmp_path, graph, config))


def test_an_outputs_shape_has_to_be_the_graphs_exactly(server: Server, tmp_path: Path) -> None:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Neg", ["X"], ["Y"])],
        "negative",
        [info("X", TensorProto.FLOAT, ["N", "M"])],
        [info("Y", TensorProto.FLOAT, ["N", "M"])],
    )
    config = """input { name: "X" data_type: TYPE_FP32 dims: 2 }
    output { name: "Y" data_type: TYPE_FP32 dims: 2 }"""
    with pytest.raises(SlipwayError, match=r"tensor 'Y': .* making complete shape \[-1,2\]"):
        server.load("exact", model(tmp_path, graph, config))


def test_a_scalar_travels_as_one_element(server: Server, tmp_path: Path) -> None:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Neg", ["X"], ["Y"])],
        "negative",
        [info("X", TensorProto.FLOAT, [])],
        [info("Y", TensorProto.FLOAT, [])],
    )
    config = """input { name: "X" data_type: TYPE_FP32 dims: 1 }
    output { name: "Y" data_type: TYPE_FP32 dims: 1 }"""
    server.load("scalar", model(tmp_path, graph, config, max_batch_size=0))
    got = server.invoke("scalar", {"X": np.array([2], np.float32)})
    assert got["Y"].tolist() == [-2.0]
    server.unload("scalar")


def test_a_file_that_is_no_graph_fails_the_load(server: Server, tmp_path: Path) -> None:
    folder = fixture_models.copy("adder", tmp_path)
    (folder / "adder" / "1" / "model.onnx").write_bytes(b"version https://git-lfs\n")
    with pytest.raises(SlipwayError, match=r"model\.onnx: .*Protobuf parsing failed"):
        server.load("broken", folder)


def test_the_threads_are_those_of_the_config(server: Server, tmp_path: Path) -> None:
    """Native-onnxruntime, 3: what runs on a CPU in production is what the config says."""
    counts = []
    for count in (1, 4):
        config = f"""input {{ name: "X_FP32" data_type: TYPE_FP32 dims: 2 }}
        output {{ name: "Y_FP32" data_type: TYPE_FP32 dims: 2 }}
        parameters {{ key: "intra_op_thread_count" value {{ string_value: "{count}" }} }}"""
        target = f"threads_{tmp_path.name}_{count}"
        graph = identities({"FP32": TYPES["FP32"]})
        server.load(target, model(tmp_path / str(count), graph, config))
        counts.append(_threads_of(f"{target}_0"))
        server.unload(target)
    # the run's own thread is the stub's
    assert counts[1] - counts[0] == 3


def _threads_of(instance: str) -> int:
    """Return the number of threads of the stub of ``instance``, which its arguments name."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if instance.encode() in (process / "cmdline").read_bytes().split(b"\0"):
                return len(list((process / "task").iterdir()))
        except OSError:
            continue  # it has ended meanwhile
    raise AssertionError(f"no stub of {instance}")


def test_what_the_config_leaves_out_stays_onnx_runtimes_own() -> None:
    unset = ort.SessionOptions()
    made = options.session_options({"parameters": {}}, gpu=False)
    for name in (
        "intra_op_num_threads",
        "inter_op_num_threads",
        "execution_mode",
        "enable_cpu_mem_arena",
        "enable_mem_pattern",
    ):
        assert getattr(made, name) == getattr(unset, name)
    with pytest.raises(RuntimeError):  # no entry: the threads spin, as there
        made.get_session_config_entry("session.intra_op.allow_spinning")
