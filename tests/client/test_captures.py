"""The decorator for an application's own function: what it was given and returned is captured."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

import slipway
from slipway.capture.location import CaptureLocation
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.client import Captures
from slipway.client.container import ContainerReply
from slipway.client.model import Prediction
from slipway.settings import Settings
from slipway.store.directory import DirectoryStore
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests.client import releases
from tests.client.fake_runtime import SCORE, FakeRuntime

PHOTO = np.array([[b"\x00\xff JPEG"]], dtype=object)
OUTPUTS = {"SCORE": np.array([[0.5]], np.float32), "LABEL": np.array([["café"]])}


@pytest.fixture
def captures(store: DirectoryStore) -> Iterator[Captures]:
    settings = Settings(root=store.root.parent, store=store.root.name)
    with Captures(settings=settings) as opened:
        yield opened


def captured(captures: Captures, store: DirectoryStore) -> list[CapturedRequest]:
    """Close, and return everything in the order of time."""
    captures.close()
    since = datetime.now(UTC) - timedelta(days=1)
    location = CaptureLocation(folder=store.root / "captured")
    return sorted(read_captured(location, since=since), key=lambda record: record.when)


def test_arrays_are_captured_as_they_were_when_the_function_was_called(
    captures: Captures, store: DirectoryStore
) -> None:
    @captures.of(releases.ONE)
    def ask(inputs: dict[str, Array]) -> dict[str, Array]:
        """Ask."""
        inputs["X"] *= 0  # the caller's arrays are its own
        return OUTPUTS

    sent = {"X": np.ones((1, 4), np.float32), "PHOTO": PHOTO, "NAME": np.array([["é"]])}
    assert ask(sent) is OUTPUTS
    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")
    [record] = captured(captures, store)
    assert (record.target, record.endpoint, record.role) == (releases.ONE, "local", "answer")
    np.testing.assert_array_equal(record.inputs["X"], np.ones((1, 4), np.float32))
    assert record.inputs["PHOTO"].tolist() == PHOTO.tolist()
    assert record.inputs["NAME"].tolist() == [["é".encode()]]
    np.testing.assert_array_equal(record.outputs["SCORE"], OUTPUTS["SCORE"])
    assert record.outputs["LABEL"].tolist() == [["café".encode()]]


def test_each_array_may_be_an_argument(captures: Captures, store: DirectoryStore) -> None:
    class Service:
        @captures.of(releases.ONE)
        def ask(self, X: Array, *, limit: int = 3) -> Prediction:
            return Prediction(dict(OUTPUTS), releases.ONE)

    Service().ask(np.ones((2, 4), np.float32), limit=5)
    [record] = captured(captures, store)
    assert list(record.inputs) == ["X"] and record.inputs["X"].shape == (2, 4)


def test_a_coroutine_is_captured(captures: Captures, store: DirectoryStore) -> None:
    @captures.of(releases.ONE)
    async def ask(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        await asyncio.sleep(0)
        return {"SCORE": inputs["X"][:, :1]}

    async def ask_many() -> list[Mapping[str, Array]]:
        rows = [np.full((1, 4), value, np.float32) for value in range(20)]
        return await asyncio.gather(*(ask({"X": row}) for row in rows))

    assert len(asyncio.run(ask_many())) == 20
    records = captured(captures, store)
    assert sorted(float(record.inputs["X"][0, 0]) for record in records) == list(range(20))
    for record in records:
        assert record.outputs["SCORE"][0, 0] == record.inputs["X"][0, 0]


def test_the_target_model_may_depend_on_the_arguments(
    captures: Captures, store: DirectoryStore
) -> None:
    @captures.of(lambda target, inputs: str(target))
    def ask(target: str, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return OUTPUTS

    for target in (releases.ONE, releases.TWO):
        ask(target, {"X": np.ones((1, 4), np.float32)})
    records = captured(captures, store)
    assert [record.target for record in records] == [releases.ONE, releases.TWO]


def bodies(function: str) -> Callable[..., Any]:
    """A function that asks with bytes, and returns its answer in one of several forms."""

    def pair(body: bytes, content_type: str) -> tuple[bytes, str]:
        return SCORE.body, SCORE.content_type

    def reply(body: bytes, content_type: str) -> ContainerReply:
        return ContainerReply(SCORE.body, SCORE.content_type, releases.ONE)

    def json(body: bytes, content_type: str) -> bytes:
        return (
            b'{"outputs": [{"name": "SCORE", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}]}'
        )

    return {"pair": pair, "reply": reply, "json": json}[function]


@pytest.mark.parametrize("function", ["pair", "reply", "json"])
def test_bodies_are_captured_with_their_content_types(
    captures: Captures, store: DirectoryStore, function: str
) -> None:
    ask = captures.of(releases.ONE)(bodies(function))
    ask(*kserve.encode({"X": np.ones((1, 4), np.float32)}))
    [record] = captured(captures, store)
    np.testing.assert_array_equal(record.inputs["X"], np.ones((1, 4), np.float32))
    np.testing.assert_array_equal(record.outputs["SCORE"], OUTPUTS["SCORE"])


def test_a_function_that_calls_boto3_is_captured(
    captures: Captures, store: DirectoryStore, fake: FakeRuntime
) -> None:
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=fake.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )

    @captures.of(releases.ONE)
    def ask(body: bytes, content_type: str) -> tuple[bytes, str]:
        answer = client.invoke_endpoint(
            EndpointName="local", TargetModel=releases.ONE, Body=body, ContentType=content_type
        )
        return answer["Body"].read(), answer["ContentType"]

    sent, content_type = kserve.encode({"X": np.ones((1, 4), np.float32)})
    assert ask(sent, content_type) == (SCORE.body, SCORE.content_type)
    [record] = captured(captures, store)
    assert fake.requests[0].body == sent
    np.testing.assert_array_equal(record.inputs["X"], np.ones((1, 4), np.float32))


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        (7, OUTPUTS),
        ({"X": np.array([object()])}, OUTPUTS),
        ({"X": np.array([1j])}, OUTPUTS),
        ({"X": np.ones(1)}, None),
        ({"X": np.ones(1)}, {"Y": np.array([1j])}),
    ],
)
def test_what_cannot_be_captured_is_logged_and_returned(
    captures: Captures,
    store: DirectoryStore,
    caplog: pytest.LogCaptureFixture,
    given: Any,
    returned: Any,
) -> None:
    @captures.of(releases.ONE)
    def ask(inputs: Any) -> Any:
        return returned

    assert ask(given) is returned
    records = captured(captures, store)
    if isinstance(given, dict) and given["X"].dtype == object:
        assert len(records) == 1  # an object is sent as its text
    else:
        assert records == [] and "is not captured" in caplog.text


def test_what_a_function_raises_is_raised_and_not_captured(
    captures: Captures, store: DirectoryStore
) -> None:
    @captures.of(releases.ONE)
    def ask(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        raise ConnectionError("no")

    with pytest.raises(ConnectionError):
        ask({"X": np.ones(1)})
    with pytest.raises(TypeError):
        ask()  # type: ignore[call-arg]
    assert captured(captures, store) == []


def test_a_release_without_a_record_is_not_captured(
    captures: Captures, store: DirectoryStore
) -> None:
    @captures.of("other_1.0.0.tar.gz")
    def ask(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return OUTPUTS

    ask({"X": np.ones(1)})
    assert captured(captures, store) == []
    assert captures.counts()["other_1.0.0.tar.gz"]["dropped.unknown_rules"] == 1


# processes that are forked while the writer of their parent runs, as prefork servers do
PREFORK = """
import os, sys, numpy
from pathlib import Path
from slipway.client import Captures
from slipway.settings import Settings

captures = Captures(settings=Settings(Path(sys.argv[1]), store="store"))

@captures.of("m_1.0.0.tar.gz")
def ask(inputs):
    return {"SCORE": inputs["X"]}

def row(value):
    return {"X": numpy.full((1, 1), value, numpy.float32)}

ask(row(0))
children = []
for value in (1, 2, 3):
    child = os.fork()
    if not child:
        for _ in range(50):
            ask(row(value))
        sys.exit()  # as a worker of gunicorn ends
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
ask(row(0))
sys.exit(max(codes))
"""


def test_each_forked_process_captures_what_it_asked(store: DirectoryStore) -> None:
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREFORK, str(store.root.parent)],
        env={**os.environ, "PYTHONPATH": str(Path(slipway.__file__).parent.parent)},
        check=True,
        timeout=120,
    )
    since = datetime.now(UTC) - timedelta(days=1)
    records = list(read_captured(CaptureLocation(folder=store.root / "captured"), since=since))
    values = sorted(float(record.inputs["X"][0, 0]) for record in records)
    assert values == [0.0] * 2 + [1.0] * 50 + [2.0] * 50 + [3.0] * 50
    assert len({record.event_id for record in records}) == len(records)
