"""Calls through boto3: what is asked again, what is not, and what errors say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slipway.client import ConnectionFailed, InvocationError, ModelError, runtime
from slipway.client.runtime import Runtime
from slipway.errors import SlipwayError
from slipway.settings import EndpointSettings
from tests.client import fake_runtime
from tests.client.fake_runtime import (
    CLOSED,
    NOT_READY,
    SCORE,
    THROTTLED,
    UNAVAILABLE,
    FakeRuntime,
    Reply,
)

DEADLINE_S = 20.0


@pytest.fixture
def asked(fake: FakeRuntime) -> Iterator[Runtime]:
    made = Runtime("local", url=fake.url)
    yield made
    made.close()


def test_a_request_goes_as_sagemaker_wants_it(fake: FakeRuntime, asked: Runtime) -> None:
    answer = asked.invoke("m_1.0.0.tar.gz", b"body", "application/x-test")
    assert fake.asked == [("local", "m_1.0.0.tar.gz", "application/x-test", b"body")]
    assert answer == (SCORE.body, SCORE.content_type)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (THROTTLED, "ThrottlingException"),
        (NOT_READY, "ModelNotReadyException"),
        (UNAVAILABLE, "ServiceUnavailable"),
        (Reply(503, b"<html>", content_type="text/html"), "503"),
        (CLOSED, "connection"),
    ],
)
def test_what_passes_is_asked_again_and_each_attempt_is_told(
    fake: FakeRuntime, asked: Runtime, reply: Reply, reason: str
) -> None:
    fake.replies = [reply, reply]
    told: list[str] = []
    answer = asked.invoke("m", b"", "a/b", deadline_s=DEADLINE_S, on_retry=told.append)
    assert answer.body == SCORE.body
    assert told == [reason, reason]
    assert len(fake.asked) == 3


def test_after_the_deadline_the_last_error_is_told(fake: FakeRuntime, asked: Runtime) -> None:
    fake.otherwise = lambda request: THROTTLED
    with pytest.raises(InvocationError) as caught:
        asked.invoke("m", b"", "a/b", deadline_s=0.1)
    assert (caught.value.status, caught.value.code) == (429, "ThrottlingException")
    assert "Rate exceeded" in caught.value.what
    assert caught.value.fix and "scale out" in caught.value.fix
    assert len(fake.asked) > 1


def test_without_a_deadline_nothing_is_asked_twice(fake: FakeRuntime, asked: Runtime) -> None:
    fake.replies = [NOT_READY]
    with pytest.raises(InvocationError, match="being loaded"):
        asked.invoke("m", b"", "a/b")
    assert len(fake.asked) == 1


def test_a_models_error_has_its_own_status_and_message_and_is_not_asked_again(
    fake: FakeRuntime, asked: Runtime
) -> None:
    said = '{"error":"in ensemble \'m\', no picture"}'
    fake.replies = [
        fake_runtime.error(
            424,
            "ModelError",
            "Received client error (400) from primary",
            OriginalStatusCode=400,
            OriginalMessage=said,
        )
    ]
    with pytest.raises(ModelError) as caught:
        asked.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert caught.value.status == 400
    assert caught.value.message == "in ensemble 'm', no picture"
    assert caught.value.fix
    assert len(fake.asked) == 1


def test_a_model_that_is_busy_is_not_sagemaker_that_is_busy(
    fake: FakeRuntime, asked: Runtime
) -> None:
    fake.replies = [
        fake_runtime.error(
            424, "ModelError", OriginalStatusCode=503, OriginalMessage="queue is full"
        )
    ]
    with pytest.raises(ModelError, match="the model answers 503: queue is full"):
        asked.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert len(fake.asked) == 1


def test_a_container_that_gave_no_answer_is_said_to_have_given_none(
    fake: FakeRuntime, asked: Runtime
) -> None:
    fake.replies = [
        fake_runtime.error(
            424, "ModelError", OriginalStatusCode=0, OriginalMessage="the server is gone"
        )
    ]
    with pytest.raises(ModelError, match="no answer: the server is gone"):
        asked.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)


@pytest.mark.parametrize(
    ("reply", "said", "mended"),
    [
        (
            fake_runtime.error(400, "ValidationError", "Failed to download model data"),
            "Failed to download model data",
            "store and stage",
        ),
        (
            fake_runtime.error(403, "AccessDeniedException", "not authorized"),
            "not authorized",
            "sagemaker:TargetModel",
        ),
        (fake_runtime.error(500, "InternalFailure"), "InternalFailure", "log"),
        (Reply(413, b"{}"), "413", "fewer rows"),
    ],
)
def test_a_refusal_says_what_to_mend_and_is_not_asked_again(
    fake: FakeRuntime, asked: Runtime, reply: Reply, said: str, mended: str
) -> None:
    fake.replies = [reply]
    with pytest.raises(InvocationError) as caught:
        asked.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert said in caught.value.what
    assert caught.value.fix and mended in caught.value.fix
    assert len(fake.asked) == 1


def test_an_endpoint_that_is_not_there_is_told_with_its_address(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "CONNECTING_S", 0.05)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    told: list[str] = []
    with pytest.raises(ConnectionFailed) as caught:
        Runtime("local", url=url).invoke(
            "m", b"", "a/b", deadline_s=DEADLINE_S, on_retry=told.append
        )
    assert url in str(caught.value)
    assert told and set(told) == {"connection"}


def test_a_model_that_is_silent_for_too_long_is_not_asked_again(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "READ_TIMEOUT_S", 0.2)
    gone = threading.Event()

    def silent(request: fake_runtime.Asked) -> Reply:
        gone.wait()
        return SCORE

    fake.otherwise = silent
    with pytest.raises(SlipwayError, match="no answer in 0.2 s"):
        Runtime("local", url=fake.url).invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    gone.set()
    assert len(fake.asked) == 1


def test_connections_are_kept_and_threads_have_their_own(fake: FakeRuntime, asked: Runtime) -> None:
    for _ in range(5):
        asked.invoke("m", b"", "a/b")
    assert len(fake.connections) == 1
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: asked.invoke("m", b"", "a/b").body, range(40)))
    assert answers == [SCORE.body] * 40
    assert len(fake.connections) <= 4


def test_an_endpoint_with_a_name_in_aws_is_looked_for_in_its_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    entry = EndpointSettings("production", endpoint_name="models", region="eu-central-1")
    made = runtime.open_runtime(entry, tmp_path)
    assert made.name == "models"
    assert made._client.meta.endpoint_url == "https://runtime.sagemaker.eu-central-1.amazonaws.com"


def test_a_profile_that_is_not_there_is_told(tmp_path: Path) -> None:
    entry = EndpointSettings("production", endpoint_name="models", profile="no-such-profile")
    with pytest.raises(SlipwayError, match="no-such-profile"):
        runtime.open_runtime(entry, tmp_path)


def test_no_credentials_and_no_region_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SlipwayError, match="region"):
        runtime.open_runtime(EndpointSettings("production", endpoint_name="models"), tmp_path)
    made = runtime.open_runtime(
        EndpointSettings("production", endpoint_name="models", region="us-east-1"), tmp_path
    )
    with pytest.raises(SlipwayError, match="no AWS credentials"):
        made.invoke("m", b"", "a/b")


def test_an_endpoint_that_is_not_up_here_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="slipway endpoint up --endpoint local"):
        runtime.open_runtime(EndpointSettings("local"), tmp_path)


def test_the_same_code_asks_aws_with_the_configuration_of_aws(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    entry = EndpointSettings("production", endpoint_name="models", region="eu-central-1")
    runtime.open_runtime(entry, tmp_path).invoke("m", b"", "a/b")
    assert [asked.endpoint for asked in fake.asked] == ["models"]


def test_no_proxy_stands_before_this_machine(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    Runtime("local", url=fake.url).invoke("m", b"", "a/b")
    assert len(fake.asked) == 1


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(SlipwayError, match="fix: a URL looks like http://127.0.0.1:8090"):
        Runtime("local", url="nowhere")
