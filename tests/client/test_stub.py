"""Generated clients compile, pass black and mypy, and work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.client import Endpoint, stub
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from slipway.triton import kserve
from tests.client import fake_runtime, generated_client, releases
from tests.client.fake_runtime import FakeRuntime
from tests.client.modules import import_text
from tests.client.releases import ONE, TWO

TYPES = [
    "BOOL",
    "BYTES",
    *(f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    "FP16",
    "FP32",
    "FP64",
]
# an interface with every kind of name and tensor that a generated client must support
EVERYTHING = Interface(
    16,
    {
        "IMAGE": Tensor("BYTES", (1,)),
        "image": Tensor("UINT8", (-1, -1, 3), optional=True),
        "class": Tensor("INT64", (1,), optional=True),
        "is.key?": Tensor("BOOL", (), optional=True),
        "self": Tensor("FP16", (2, 2), optional=True),
        "a name that is as long as no name should ever be, but nobody keeps one from writing it": (
            Tensor("FP64", (1,), optional=True)
        ),
    },
    {
        "SCORE": Tensor("FP32", (1,)),
        'say "hello"\n': Tensor("BYTES", (1,)),
        "a name that is as long as no name should ever be, but nobody keeps one from writing it": (
            Tensor("INT32", (-1,))
        ),
    },
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
TENSORS = st.dictionaries(
    NAMES,
    st.builds(
        Tensor,
        st.sampled_from(TYPES),
        st.lists(st.integers(-1, 4096).filter(bool), max_size=4).map(tuple),
        st.booleans(),
    ),
    max_size=4,
)
INTERFACES = st.builds(Interface, st.sampled_from([0, 1, 64]), TENSORS, TENSORS)


def run(text: str) -> dict[str, Any]:
    """Return the names that the generated module defines."""
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, "generated.py", "exec"), namespace)
    return namespace


def test_the_generated_client_in_this_folder_is_up_to_date() -> None:
    """black and mypy check that file with all others.

    To write it again: ``python -m tests.client.test_stub``.
    """
    written = Path(generated_client.__file__).read_text(encoding="utf-8")
    assert written == stub.generate_client("m", ONE, EVERYTHING)


@settings(deadline=None)
@given(INTERFACES)
def test_the_client_of_any_interface_declares_it_and_accepts_its_inputs(
    interface: Interface,
) -> None:
    namespace = run(stub.generate_client("m", ONE, interface))
    assert namespace["INTERFACE"] == interface
    predict = namespace["MClient"].predict
    assert len(predict.__kwdefaults__) == 1 + sum(t.optional for t in interface.inputs.values())
    assert len(namespace["MAnswer"].__dataclass_fields__) == len(interface.outputs)


@given(NAMES, NAMES)
def test_no_name_of_a_model_or_release_ends_a_docstring_or_comment(name: str, target: str) -> None:
    end = '"""\nraise SystemExit\n'
    run(stub.generate_client(name + end, target + end, releases.FEATURES))


@settings(deadline=None, max_examples=50)
@given(
    st.from_regex(r"[A-Za-z][\w.-]{0,40}", fullmatch=True, alphabet=st.characters(codec="ascii")),
    INTERFACES,
)
def test_generated_code_is_formatted_as_by_black(name: str, interface: Interface) -> None:
    black = pytest.importorskip("black")
    text = stub.generate_client(name, f"{name}_1.0.0.tar.gz", interface)
    mode = black.Mode(line_length=100, target_versions={black.TargetVersion.PY312})
    assert black.format_str(text, mode=mode) == text


def test_mypy_finds_wrong_uses_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "generated.py").write_text(
        stub.generate_client("m", ONE, EVERYTHING), encoding="utf-8"
    )
    (tmp_path / "right.py").write_text(
        "import numpy as np\nfrom numpy.typing import NDArray\n"
        "from generated import MClient\n"
        "def ask(client: MClient) -> NDArray[np.float32]:\n"
        "    return client.predict(image=[b'x', 'y'], tensor_class=[[1], [2]], key='k').score\n",
        encoding="utf-8",
    )
    (tmp_path / "wrong.py").write_text(
        "from generated import MClient\n"
        "def ask(client: MClient) -> None:\n"
        "    client.predict()\n"
        "    client.predict(image=1)\n"
        "    client.predict(image=b'x', tensor_class=0.5)\n"
        "    client.predict(image=b'x').label\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=cache"]
    command += ["--no-error-summary", "--follow-imports=silent"]  # the library has its own check
    library = Path(stub.__file__).parents[2]
    done = subprocess.run(
        [*command, "generated.py", "right.py", "wrong.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(library), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(": error:")[0] for line in errors] == [
        f"wrong.py:{line}" for line in (3, 4, 5, 6)
    ], done.stdout


def test_a_generated_client_sends_its_named_arguments(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore, tmp_path: Path
) -> None:
    module = import_text(stub.generate_client("m", ONE, releases.FEATURES), tmp_path)
    answer = module.MClient(endpoint).predict(x=[1, 2, 3, 4])
    assert answer.score.tolist() == [[0.5]]
    assert fake.requests[0].body == kserve.encode({"X": np.array([[1, 2, 3, 4]], np.float32)})[0]
    module.MClient(endpoint, target=TWO).predict(x=[1, 2, 3, 4], note="n", key="user-17")
    assert [request.target for request in fake.requests] == [ONE, TWO]


def test_when_the_served_interface_changes_the_fix_is_to_generate_the_client_again(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore, tmp_path: Path
) -> None:
    other = Interface(16, {"X": Tensor("FP32", (5,))}, releases.FEATURES.outputs)
    releases.release(store, "m_4.0.0.tar.gz", other)
    releases.alias(store, "m_4.0.0.tar.gz")
    module = import_text(stub.generate_client("m", ONE, releases.FEATURES), tmp_path)
    with pytest.raises(SlipwayError, match="slipway client m --output FILE"):
        module.MClient(endpoint).predict(x=[1, 2, 3, 4])
    assert fake.requests == []


def test_a_model_without_tensors_has_a_client_too(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore, tmp_path: Path
) -> None:
    releases.release(store, "m_4.0.0.tar.gz", Interface(0, {}, {}))
    fake.otherwise = lambda request: fake_runtime.outputs({})
    module = import_text(
        stub.generate_client("m", "m_4.0.0.tar.gz", Interface(0, {}, {})), tmp_path
    )
    module.MClient(endpoint, target="m_4.0.0.tar.gz").predict()
    assert len(fake.requests) == 1


def test_the_client_names_the_release_it_was_generated_from() -> None:
    assert ONE in stub.generate_client("m", ONE, EVERYTHING).split("\n\n")[0]


if __name__ == "__main__":
    Path(generated_client.__file__).write_text(
        stub.generate_client("m", ONE, EVERYTHING), encoding="utf-8"
    )
