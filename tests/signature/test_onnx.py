"""The header of ONNX files: what goes in and out, whatever else is in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from slipway.errors import SlipwayError
from slipway.signature import GraphTensor
from slipway.signature.onnx import read_onnx
from tests.signature import graphs
from tests.signature.graphs import constant, save, tensor


def test_tensors_stand_in_the_graphs_order_with_named_and_unknown_sizes(tmp_path: Path) -> None:
    inputs = [tensor("b", ["N", 3, None]), tensor("a", [], TensorProto.INT64)]
    outputs = [tensor("d", None, TensorProto.STRING), tensor("c", [-1], TensorProto.BOOL)]
    found = read_onnx(save(tmp_path / "m.onnx", inputs, outputs))
    assert found.inputs == (GraphTensor("b", "FP32", ("N", 3, None)), GraphTensor("a", "INT64", ()))
    assert found.outputs == (GraphTensor("d", "BYTES", None), GraphTensor("c", "BOOL", (None,)))
    assert (found.format, found.ir_version, found.opsets) == ("onnx", 8, {"": 17})


def test_an_initializer_among_the_inputs_is_optional_since_ir_version_4(tmp_path: Path) -> None:
    both = [tensor("X", ["N", 2]), tensor("W", [2])]
    for version, optional in ((3, []), (4, ["W"]), (8, ["W"])):
        path = save(
            tmp_path / "m.onnx",
            both,
            [tensor("Y", ["N", 2])],
            initializers=[constant("W", 2), constant("unlisted", 2)],
            nodes=[helper.make_node("Add", ["X", "W"], ["Y"])],
            ir_version=version,
        )
        found = read_onnx(path)
        assert [each.name for each in found.inputs] == ["X"]
        assert [each.name for each in found.optional_inputs] == optional


@pytest.mark.parametrize(
    ("data_type", "word", "carried"),
    [
        (TensorProto.DOUBLE, "FP64", True),
        (TensorProto.FLOAT16, "FP16", True),
        (TensorProto.BFLOAT16, "BF16", True),
        (TensorProto.UINT8, "UINT8", True),
        (TensorProto.COMPLEX64, "COMPLEX64", False),
        (TensorProto.INT4, "INT4", False),
        (TensorProto.FLOAT8E5M2, "FLOAT8E5M2", False),
    ],
)
def test_data_types_have_tritons_words_or_their_own(
    tmp_path: Path, data_type: int, word: str, carried: bool
) -> None:
    path = save(tmp_path / "m.onnx", [tensor("X", [1], data_type)], [tensor("Y", [1], data_type)])
    [found] = read_onnx(path).inputs
    assert (found.datatype, found.carried) == (word, carried)


def test_what_is_no_tensor_is_named(tmp_path: Path) -> None:
    scalar = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    types = {
        "sequence(FP32)": helper.make_sequence_type_proto(scalar),
        "optional(FP32)": helper.make_optional_type_proto(scalar),
        "map(INT64, FP32)": helper.make_map_type_proto(TensorProto.INT64, scalar),
        "sparse(FP32)": helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [2]),
    }
    inputs = [helper.make_value_info(word, proto) for word, proto in types.items()]
    found = read_onnx(save(tmp_path / "m.onnx", inputs, [tensor("Y", [1])], nodes=[]))
    assert [each.datatype for each in found.inputs] == list(types)
    assert not any(each.carried for each in found.inputs)


def test_operators_of_other_domains_are_listed_but_not_the_files_own_functions(
    tmp_path: Path,
) -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    function = helper.make_function(
        "own", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], opsets[:1]
    )
    inner = helper.make_graph(
        [helper.make_node("Deep", [], ["d"], domain="com.elsewhere")],
        "inner",
        [],
        [tensor("d", [1])],
    )
    nodes = [
        helper.make_node("Twice", ["X"], ["t"], domain="own"),
        helper.make_node("Normalizer", ["t"], ["n"], domain="ai.onnx.ml"),
        helper.make_node("If", ["c"], ["Y"], then_branch=inner, else_branch=inner),
    ]
    inputs = [tensor("X", [1]), tensor("c", [], TensorProto.BOOL)]
    path = save(
        tmp_path / "m.onnx",
        inputs,
        [tensor("Y", [1])],
        nodes=nodes,
        functions=[function],
        opsets=opsets,
    )
    assert read_onnx(path).operators == ("com.elsewhere::Deep",)


def test_external_data_is_named_also_in_subgraphs(tmp_path: Path) -> None:
    def outside(name: str, location: str) -> onnx.TensorProto:
        made = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4])
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value=location)
        return made

    inner = helper.make_graph(
        [], "inner", [], [tensor("w", [4])], [outside("w", "../inner.bin"), constant("v", 1)]
    )
    nodes = [
        helper.make_node("If", ["c"], ["Y"], then_branch=inner, else_branch=inner),
        helper.make_node("Constant", [], ["k"], value=outside("k", "constant.bin")),
    ]
    path = save(
        tmp_path / "m.onnx",
        [tensor("c", [], TensorProto.BOOL)],
        [tensor("Y", [4])],
        nodes=nodes,
        initializers=[outside("W", "model.onnx.data")],
    )
    assert read_onnx(path).external_data == ("../inner.bin", "constant.bin", "model.onnx.data")


def test_a_sample_that_onnx_runtime_opens_is_read_alike(tmp_path: Path) -> None:
    import onnxruntime

    inputs = [tensor("X", ["N", 2]), tensor("T", [3, 1], TensorProto.STRING)]
    outputs = [tensor("Y", ["N", 2]), tensor("U", [3, 1], TensorProto.STRING)]
    path = save(tmp_path / "m.onnx", inputs, outputs)
    session, found = onnxruntime.InferenceSession(path), read_onnx(path)
    for ours, theirs in ((found.inputs, session.get_inputs), (found.outputs, session.get_outputs)):
        assert [(t.name, list(t.shape or ())) for t in ours] == [
            (node.name, node.shape) for node in theirs()
        ]


def test_the_weights_are_never_in_memory(tmp_path: Path) -> None:
    """300 MB of initializer, of which the file holds nothing but a hole."""
    size = 300_000_000
    path = save(tmp_path / "m.onnx", [tensor("X", ["N"])], [tensor("Y", ["N"])], initializers=[])
    head = path.read_bytes()
    # graph { initializer { name: "W" raw_data: size bytes } }, appended: parts merge
    raw = b"\x42\x01W" + b"\x4a" + _varint(size)
    initializer = b"\x2a" + _varint(len(raw) + size) + raw
    path.write_bytes(head + b"\x3a" + _varint(len(initializer) + size) + initializer)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    program = (
        # VmHWM is this process's own; ru_maxrss begins with what its parent had
        "import re, sys; from pathlib import Path; from slipway.signature import onnx;"
        "print(onnx.read_onnx(Path(sys.argv[1])).inputs[0].name,"
        " re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    name, kilobytes = done.stdout.split()
    assert name == "X" and int(kilobytes) * 1024 < size / 2


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


@pytest.mark.parametrize(
    "content",
    [b"", b"import numpy as np\n", b"version https://git-lfs.github.com/spec/v1\n", b"\x08\x08"],
)
def test_what_is_no_onnx_model_is_refused_by_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(SlipwayError, match="model.onnx: not an ONNX model"):
        read_onnx(path)


def test_a_file_that_is_cut_short_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [tensor("X", ["N"])], [tensor("Y", ["N"])])
    whole = path.read_bytes()
    graph_begins = whole.index(b"graph") - 20
    for size in range(graph_begins, len(whole) - 6):  # behind it stands the opset alone
        path.write_bytes(whole[:size])
        with pytest.raises(SlipwayError, match="not an ONNX model"):
            read_onnx(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="no such file"):
        read_onnx(tmp_path / "model.onnx")


def test_the_onnx_package_is_not_imported(tmp_path: Path) -> None:
    path = graphs.save(tmp_path / "m.onnx", [tensor("X", ["N"])], [tensor("Y", ["N"])])
    program = (
        "import sys; from pathlib import Path; from slipway.signature import onnx;"
        f"onnx.read_onnx(Path({str(path)!r})); print('onnx' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
