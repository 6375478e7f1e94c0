"""What a client captures: its answers and those of shadows, in each process that asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import slipway
from slipway.capture.location import CaptureLocation
from slipway.capture.read import read_captured
from slipway.capture.record import CapturedRequest
from slipway.capture.sampling import is_sampled
from slipway.client import Endpoint, ModelError
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory import DirectoryStore
from slipway.triton.datatypes import Array
from tests.client import fake_runtime, releases
from tests.client.fake_runtime import FakeRuntime

SCORE = np.array([[0.5]], np.float32)
LIBRARY = str(Path(slipway.__file__).parent.parent)


def captured(folder: Path) -> list[CapturedRequest]:
    """Everything below ``folder``, in the order of time."""
    since = datetime.now(UTC) - timedelta(days=1)
    records = read_captured(CaptureLocation(folder=folder), since=since)
    return sorted(records, key=lambda record: record.when)


@pytest.fixture
def opened(fake: FakeRuntime, store: DirectoryStore) -> Callable[..., Endpoint]:
    """Opens a client that captures in the release store."""
    settings = Settings(root=store.root.parent, store=store.root.name)

    def open_endpoint(**more: object) -> Endpoint:
        return Endpoint("local", settings=settings, url=fake.url, **({"capture": True} | more))  # type: ignore[arg-type]

    return open_endpoint


def row(value: float) -> dict[str, Array]:
    return {"X": np.full((1, 4), value, np.float32)}


def test_answers_are_captured_in_the_release_store_with_the_ids_of_their_requests(
    opened: Callable[..., Endpoint], store: DirectoryStore
) -> None:
    with opened() as endpoint:
        for value in range(3):
            endpoint.model("m").predict(row(value))
    records = captured(store.root / "captured")
    assert [record.event_id for record in records] == ["request-1", "request-2", "request-3"]
    for value, record in enumerate(records):
        assert (record.target, record.endpoint) == (releases.ONE, "local")
        assert (record.variant, record.role) == ("AllTraffic", "answer")
        np.testing.assert_array_equal(record.inputs["X"], row(value)["X"])
        np.testing.assert_array_equal(record.outputs["SCORE"], SCORE)


def test_a_shadow_has_the_id_of_its_answer(
    opened: Callable[..., Endpoint], store: DirectoryStore, fake: FakeRuntime
) -> None:
    releases.alias(store, releases.ONE, shadow=releases.TWO)
    other = fake_runtime.outputs({"SCORE": np.array([[0.75]], np.float32)})
    fake.otherwise = lambda asked: other if asked.target == releases.TWO else fake_runtime.SCORE
    with opened() as endpoint:
        endpoint.model("m").predict(row(1))
    pair = {record.role: record for record in captured(store.root / "captured")}
    assert {role: record.target for role, record in pair.items()} == {
        "answer": releases.ONE,
        "shadow": releases.TWO,
    }
    assert pair["answer"].event_id == pair["shadow"].event_id == "request-1"
    assert float(pair["shadow"].outputs["SCORE"][0, 0]) == 0.75


def test_what_a_model_refused_is_not_captured(
    opened: Callable[..., Endpoint], store: DirectoryStore, fake: FakeRuntime
) -> None:
    fake.replies = [fake_runtime.error(424, "ModelError", OriginalMessage="no")]
    with opened() as endpoint:
        with pytest.raises(ModelError):
            endpoint.model("m").predict(row(1))
        endpoint.model("m").predict(row(2))
    assert [record.event_id for record in captured(store.root / "captured")] == ["request-2"]


def test_the_location_may_be_another_folder(
    opened: Callable[..., Endpoint], store: DirectoryStore, tmp_path: Path
) -> None:
    with opened(capture=str(tmp_path / "elsewhere")) as endpoint:
        endpoint.model("m").predict(row(1))
    assert len(captured(tmp_path / "elsewhere")) == 1
    assert not (store.root / "captured").exists()


def test_the_share_of_an_endpoint_in_aws_is_that_of_its_settings(
    fake: FakeRuntime, store: DirectoryStore, tmp_path: Path
) -> None:
    settings = EndpointSettings(
        "production",
        "staging",
        endpoint_name="models-prod",
        store=str(store.root),
        capture=str(tmp_path / "c"),
        capture_sample=0.3,
    )
    with Endpoint(settings=settings, url=fake.url, capture=True) as endpoint:
        for value in range(60):
            endpoint.model("m").predict(row(value))
    ids = {record.event_id for record in captured(tmp_path / "c")}
    # which ids are sampled depends on them alone
    assert ids == {f"request-{n}" for n in range(1, 61) if is_sampled(f"request-{n}", 0.3)}
    assert 0 < len(ids) < 60


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(opened: Callable[..., Endpoint], share: float) -> None:
    with pytest.raises(SlipwayError, match="capture_sample") as caught:
        opened(capture_sample=share)
    assert "such as 0.1" in (caught.value.fix or "")


def test_captures_are_counted_in_the_clients_metrics(
    opened: Callable[..., Endpoint], store: DirectoryStore
) -> None:
    endpoint = opened()
    endpoint.model("m").predict(row(1))
    endpoint.close()
    line = f'slipway_client_captures_total{{outcome="written",variant="{releases.ONE}"}} 1.0'
    assert line in endpoint.metrics()


def test_a_writer_that_fails_costs_no_answer(
    opened: Callable[..., Endpoint],
    store: DirectoryStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (store.root / "captured").write_text("a file, where a folder has to be")
    with opened() as endpoint:
        outputs = endpoint.model("m").predict(row(1))
        endpoint.model("m").predict(row(2))
    np.testing.assert_array_equal(outputs["SCORE"], SCORE)
    assert "is not captured" in caplog.text


PROGRAM = """
import sys, numpy
from slipway.client import Endpoint
from slipway.settings import Settings
from pathlib import Path

url, root, end = sys.argv[1:]
endpoint = Endpoint("local", settings=Settings(Path(root), store="store"), url=url, capture=True)
for value in range(5):
    endpoint.model("m").predict({"X": numpy.full((1, 4), value, numpy.float32)})
if end == "raises":
    raise RuntimeError("the application failed")
"""


@pytest.mark.parametrize("end", ["returns", "raises"])
def test_a_program_that_forgets_to_close_loses_nothing(
    fake: FakeRuntime, store: DirectoryStore, end: str
) -> None:
    subprocess.run(
        [sys.executable, "-c", PROGRAM, fake.url, str(store.root.parent), end],
        env={**os.environ, "PYTHONPATH": LIBRARY},
        stderr=subprocess.DEVNULL,
        check=end == "returns",
        timeout=60,
    )
    assert len(captured(store.root / "captured")) == 5
