"""A model as a function: its requests, its outputs and its metrics."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from slipway.capture.inference_id import shadow_of
from slipway.client import Endpoint, ModelError
from slipway.errors import SlipwayError
from slipway.model.interface import Interface, Tensor
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory import DirectoryStore
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests.client import fake_runtime, releases
from tests.client.fake_runtime import SCORE, THROTTLED, FakeRuntime, ReceivedRequest, Reply
from tests.client.releases import ONE, THREE, TWO
from tests.client.scraped import metric_value

FEATURES = {"X": [1, 2, 3, 4]}
FAILED = fake_runtime.error(424, "ModelError", OriginalStatusCode=400, OriginalMessage="no")


def invocations(endpoint: Endpoint, **labels: str) -> float:
    return metric_value(endpoint, "slipway_client_invocations_total", model="m", **labels)


def compared(endpoint: Endpoint, outcome: str) -> float:
    name = "slipway_client_shadow_comparisons_total"
    return metric_value(endpoint, name, model="m", variant=THREE, outcome=outcome)


def score(value: float) -> Reply:
    return fake_runtime.outputs({"SCORE": np.array([[value]], np.float32)})


def by_target(**replies: Reply) -> Any:
    """Return replies by the target model's major release version: ``one``, ``two``, ``three``."""
    targets = {"one": ONE, "two": TWO, "three": THREE}
    chosen = {targets[key]: reply for key, reply in replies.items()}
    return lambda request: chosen[request.target]


def test_values_are_sent_as_binary_tensors_and_returned_as_arrays(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    outputs = endpoint.model("m").predict(FEATURES | {"NOTE": None})
    assert outputs["SCORE"].dtype == np.float32 and outputs["SCORE"].tolist() == [[0.5]]
    body, content_type = kserve.encode({"X": np.array([[1, 2, 3, 4]], np.float32)})
    assert fake.requests == [ReceivedRequest("local", ONE, content_type, body)]
    assert invocations(endpoint, variant=ONE, role="answer", outcome="ok") == 1
    assert metric_value(endpoint, "slipway_client_latency_seconds_count", variant=ONE) == 1


def test_a_request_of_a_sequence_carries_its_parameters(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    begin = {"sequence_id": 7, "sequence_start": True}
    endpoint.model("m").predict(FEATURES, parameters=begin)
    arrays = {"X": np.array([[1, 2, 3, 4]], np.float32)}
    assert fake.requests[0].body == kserve.encode(arrays, parameters=begin)[0]


def test_inputs_that_do_not_fit_are_not_sent_and_counted_as_refused(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    for wrong in ({}, {"X": [1, 2, 3]}, {"Z": 1}, {"X": ["a", "b", "c", "d"]}):
        with pytest.raises(SlipwayError):
            endpoint.model("m").predict(wrong)
    with pytest.raises(SlipwayError, match="SageMaker accepts 6,291,456"):
        endpoint.model("m").predict(FEATURES | {"NOTE": bytes(6_291_456)})
    assert fake.requests == []
    assert invocations(endpoint, outcome="refused") == 5
    assert metric_value(endpoint, "slipway_client_latency_seconds_count") == 0


def test_retries_and_errors_are_counted_by_their_codes(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    fake.replies = [THROTTLED, THROTTLED, SCORE, FAILED]
    endpoint.model("m").predict(FEATURES)
    with pytest.raises(ModelError, match="no"):
        endpoint.model("m").predict(FEATURES)
    retries = "slipway_client_retries_total"
    assert metric_value(endpoint, retries, variant=ONE, reason="ThrottlingException") == 2
    assert invocations(endpoint, outcome="ok") == 1
    assert invocations(endpoint, outcome="ModelError") == 1


def test_a_response_that_is_not_one_of_triton_is_refused(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    for body in (b"<html>", b"[]", b'{"outputs": [{}]}'):
        fake.replies = [Reply(200, body)]
        with pytest.raises(SlipwayError, match="not one of Triton"):
            endpoint.model("m").predict(FEATURES)


def test_an_exact_target_is_invoked_regardless_of_the_alias(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    assert endpoint.model("m", target=TWO).ask(FEATURES).target == TWO
    assert [request.target for request in fake.requests] == [TWO]
    with pytest.raises(SlipwayError, match="m_9.0.0.tar.gz is not a release of m"):
        endpoint.model("m", target="m_9.0.0.tar.gz").predict(FEATURES)


def test_variants_are_counted_apart_and_a_key_always_gets_the_same(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore
) -> None:
    releases.alias(store, ONE, TWO)
    fake.otherwise = by_target(one=score(1), two=score(2))
    model = endpoint.model("m")
    for number in range(40):
        first = model.ask(FEATURES, key=f"user-{number}")
        assert model.ask(FEATURES, key=f"user-{number}").target == first.target
        assert first.outputs["SCORE"].item() == (1 if first.target == ONE else 2)
    shares = [invocations(endpoint, variant=target, outcome="ok") for target in (ONE, TWO)]
    assert sum(shares) == 80 and min(shares) > 0


def test_variants_may_have_different_inputs(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore
) -> None:
    other = Interface(0, {"Y": Tensor("INT64", (1,))}, releases.FEATURES.outputs)
    releases.release(store, "m_4.0.0.tar.gz", other)
    releases.alias(store, "m_4.0.0.tar.gz")
    endpoint.model("m").predict({"Y": 3})
    with pytest.raises(SlipwayError, match="no input 'X'"):
        endpoint.model("m").predict(FEATURES)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (score(0.5), "agreed"),
        (score(0.500001), "agreed"),
        (score(0.6), "differed"),
        (fake_runtime.outputs({"OTHER": np.zeros(1, np.float32)}), "differed"),
        (FAILED, "failed"),
        (THROTTLED, "failed"),
        (Reply(None), "failed"),
        (Reply(200, b"<html>"), "failed"),
    ],
)
def test_a_shadow_is_compared_and_counted_and_never_returned(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore, answer: Reply, outcome: str
) -> None:
    releases.alias(store, ONE, shadow=THREE)
    fake.otherwise = by_target(one=score(0.5), three=answer)
    assert endpoint.model("m").predict(FEATURES)["SCORE"].tolist() == [[0.5]]
    endpoint.close()
    assert compared(endpoint, outcome) == 1
    assert sum(compared(endpoint, outcome) for outcome in ("agreed", "differed", "failed")) == 1
    assert sorted(request.target for request in fake.requests) == [ONE, THREE]
    assert len({(request.content_type, request.body) for request in fake.requests}) == 1
    # whoever captures the shadow's request finds the answer that it belongs to
    ids = {request.target: request.inference_id for request in fake.requests}
    assert ids == {ONE: "", THREE: shadow_of("request-1")}
    assert invocations(endpoint, role="shadow", variant=THREE) == 1
    assert invocations(endpoint, role="answer") == 1


def test_a_shadow_that_hangs_delays_no_caller_and_jobs_beyond_the_queue_are_dropped(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore
) -> None:
    releases.alias(store, ONE, shadow=THREE)
    goes_on = threading.Event()

    def answer(request: ReceivedRequest) -> Reply:
        if request.target == THREE:
            goes_on.wait()
        return SCORE

    fake.otherwise = answer
    model = endpoint.model("m")
    for _ in range(60):
        assert model.predict(FEATURES)["SCORE"].tolist() == [[0.5]]  # while the shadow hangs
    dropped = compared(endpoint, "dropped")
    assert dropped >= 60 - 32 - 2
    goes_on.set()
    endpoint.close()
    assert compared(endpoint, "agreed") == 60 - dropped


def test_a_shadow_gets_the_original_request_even_if_the_caller_changes_its_arrays(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore
) -> None:
    releases.alias(store, ONE, shadow=THREE)
    goes_on = threading.Event()

    def answer(request: ReceivedRequest) -> Reply:
        if request.target == THREE:
            goes_on.wait()
        return SCORE

    fake.otherwise = answer
    values: Array = np.ones((1, 4), np.float32)
    outputs = endpoint.model("m").predict({"X": values})
    values[:] = 7
    outputs.clear()
    goes_on.set()
    endpoint.close()
    assert len({request.body for request in fake.requests}) == 1
    assert compared(endpoint, "agreed") == 1


def test_when_the_invocation_fails_no_shadow_is_invoked(
    fake: FakeRuntime, endpoint: Endpoint, store: DirectoryStore
) -> None:
    releases.alias(store, ONE, shadow=THREE)
    fake.otherwise = by_target(one=FAILED, three=SCORE)
    with pytest.raises(ModelError):
        endpoint.model("m").predict(FEATURES)
    endpoint.close()
    assert [request.target for request in fake.requests] == [ONE]


def test_a_client_generated_for_another_interface_refuses_the_release(
    fake: FakeRuntime, endpoint: Endpoint
) -> None:
    expected = Interface(
        16,
        {"X": Tensor("FP32", (5,)), "NOTE": Tensor("BYTES", (1,), optional=True)},
        {"SCORE": Tensor("FP32", (1,)), "LABEL": Tensor("BYTES", (1,))},
    )
    with pytest.raises(SlipwayError) as caught:
        endpoint.model("m", expected=expected).predict({"X": [1, 2, 3, 4, 5]})
    assert "input 'X', output 'LABEL'" in caught.value.what
    assert caught.value.where == ONE
    assert caught.value.fix == "generate it again: slipway client m --output FILE"
    assert fake.requests == []


def test_a_larger_batch_size_is_not_another_interface(endpoint: Endpoint) -> None:
    expected = Interface(4, releases.FEATURES.inputs, releases.FEATURES.outputs)
    endpoint.model("m", expected=expected).predict(FEATURES)


def test_metrics_can_go_into_the_applications_own_registry(
    fake: FakeRuntime, store: DirectoryStore
) -> None:
    registry = CollectorRegistry()
    settings = Settings(root=store.root.parent, store=store.root.name)
    with Endpoint(settings=settings, url=fake.url, registry=registry) as endpoint:
        endpoint.model("m").predict(FEATURES)
    labels = {"model": "m", "variant": ONE, "role": "answer", "outcome": "ok"}
    assert registry.get_sample_value("slipway_client_invocations_total", labels) == 1


def test_an_application_without_a_repository_configures_the_endpoint_itself(
    fake: FakeRuntime, store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    entry = EndpointSettings("mine", stage="staging", store=str(store.root))
    with Endpoint(settings=entry, url=fake.url) as endpoint:
        assert endpoint.model("m").predict(FEATURES)
    with pytest.raises(SlipwayError, match="no slipway.toml"):
        Endpoint(url=fake.url)
