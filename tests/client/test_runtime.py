"""Calls through boto3: which are retried, which are not, and the errors."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from slipway.client import ConnectionFailed, InvocationError, ModelError, runtime
from slipway.client.open_runtime import open_runtime
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
def client(fake: FakeRuntime) -> Iterator[Runtime]:
    opened = Runtime("local", url=fake.url)
    yield opened
    opened.close()


def test_a_request_has_the_form_of_sagemaker(fake: FakeRuntime, client: Runtime) -> None:
    answer = client.invoke("m_1.0.0.tar.gz", b"body", "application/x-test")
    assert fake.requests == [("local", "m_1.0.0.tar.gz", "application/x-test", b"body", "")]
    assert answer == runtime.Reply(SCORE.body, SCORE.content_type, "request-1", "AllTraffic")


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
def test_temporary_errors_are_retried_and_each_retry_is_reported(
    fake: FakeRuntime, client: Runtime, reply: Reply, reason: str
) -> None:
    fake.replies = [reply, reply]
    reasons: list[str] = []
    answer = client.invoke("m", b"", "a/b", deadline_s=DEADLINE_S, on_retry=reasons.append)
    assert answer.body == SCORE.body
    assert reasons == [reason, reason]
    assert len(fake.requests) == 3


def test_after_the_deadline_the_last_error_is_raised(
    fake: FakeRuntime, client: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.otherwise = lambda request: THROTTLED
    clock = itertools.count()  # a second passes between two looks at it, however slow a machine is
    time = SimpleNamespace(monotonic=lambda: float(next(clock)), sleep=lambda seconds: None)
    monkeypatch.setattr(runtime, "time", time)
    with pytest.raises(InvocationError) as caught:
        client.invoke("m", b"", "a/b", deadline_s=5)
    assert (caught.value.status, caught.value.code) == (429, "ThrottlingException")
    assert "Rate exceeded" in caught.value.what
    assert caught.value.fix and "scale out" in caught.value.fix
    assert len(fake.requests) > 1


def test_without_a_deadline_nothing_is_retried(fake: FakeRuntime, client: Runtime) -> None:
    fake.replies = [NOT_READY]
    with pytest.raises(InvocationError, match="being loaded"):
        client.invoke("m", b"", "a/b")
    assert len(fake.requests) == 1


def test_a_models_error_has_its_own_status_and_message_and_is_not_retried(
    fake: FakeRuntime, client: Runtime
) -> None:
    message = '{"error":"in ensemble \'m\', no picture"}'
    fake.replies = [
        fake_runtime.error(
            424,
            "ModelError",
            "Received client error (400) from primary",
            OriginalStatusCode=400,
            OriginalMessage=message,
        )
    ]
    with pytest.raises(ModelError) as caught:
        client.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert caught.value.status == 400
    assert caught.value.message == "in ensemble 'm', no picture"
    assert caught.value.fix
    assert len(fake.requests) == 1


def test_a_busy_model_is_not_retried_like_a_busy_sagemaker(
    fake: FakeRuntime, client: Runtime
) -> None:
    fake.replies = [
        fake_runtime.error(
            424, "ModelError", OriginalStatusCode=503, OriginalMessage="queue is full"
        )
    ]
    with pytest.raises(ModelError, match="the model answers 503: queue is full"):
        client.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert len(fake.requests) == 1


def test_a_container_that_did_not_respond_is_reported(fake: FakeRuntime, client: Runtime) -> None:
    fake.replies = [
        fake_runtime.error(
            424, "ModelError", OriginalStatusCode=0, OriginalMessage="the server is gone"
        )
    ]
    with pytest.raises(ModelError, match="no answer: the server is gone"):
        client.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)


@pytest.mark.parametrize(
    ("reply", "message", "fix"),
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
def test_a_refusal_has_a_fix_and_is_not_retried(
    fake: FakeRuntime, client: Runtime, reply: Reply, message: str, fix: str
) -> None:
    fake.replies = [reply]
    with pytest.raises(InvocationError) as caught:
        client.invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    assert message in caught.value.what
    assert caught.value.fix and fix in caught.value.fix
    assert len(fake.requests) == 1


def test_an_unreachable_endpoint_is_reported_with_its_address(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "CONNECTING_S", 0.05)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    reasons: list[str] = []
    with pytest.raises(ConnectionFailed) as caught:
        Runtime("local", url=url).invoke(
            "m", b"", "a/b", deadline_s=DEADLINE_S, on_retry=reasons.append
        )
    assert url in str(caught.value)
    assert reasons and set(reasons) == {"connection"}


def test_a_model_that_does_not_respond_in_time_is_not_retried(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "READ_TIMEOUT_S", 0.2)
    gone = threading.Event()

    def silent(request: fake_runtime.ReceivedRequest) -> Reply:
        gone.wait()
        return SCORE

    fake.otherwise = silent
    with pytest.raises(SlipwayError, match="no answer in 0.2 s"):
        Runtime("local", url=fake.url).invoke("m", b"", "a/b", deadline_s=DEADLINE_S)
    gone.set()
    assert len(fake.requests) == 1


def test_connections_are_reused_and_threads_have_their_own(
    fake: FakeRuntime, client: Runtime
) -> None:
    for _ in range(5):
        client.invoke("m", b"", "a/b")
    assert len(fake.connections) == 1
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: client.invoke("m", b"", "a/b").body, range(40)))
    assert answers == [SCORE.body] * 40
    assert len(fake.connections) <= 4


def test_an_endpoint_in_aws_is_invoked_in_its_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    entry = EndpointSettings("production", endpoint_name="models", region="eu-central-1")
    opened = open_runtime(entry, tmp_path)
    assert opened.name == "models"
    assert (
        opened._client.meta.endpoint_url == "https://runtime.sagemaker.eu-central-1.amazonaws.com"
    )


def test_a_missing_profile_is_reported(tmp_path: Path) -> None:
    entry = EndpointSettings("production", endpoint_name="models", profile="no-such-profile")
    with pytest.raises(SlipwayError, match="no-such-profile"):
        open_runtime(entry, tmp_path)


def test_missing_credentials_and_a_missing_region_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SlipwayError, match="region"):
        open_runtime(EndpointSettings("production", endpoint_name="models"), tmp_path)
    opened = open_runtime(
        EndpointSettings("production", endpoint_name="models", region="us-east-1"), tmp_path
    )
    with pytest.raises(SlipwayError, match="no AWS credentials"):
        opened.invoke("m", b"", "a/b")


def test_a_local_endpoint_that_is_not_running_is_reported_with_the_command_that_starts_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(SlipwayError, match="slipway endpoint up --endpoint local"):
        open_runtime(EndpointSettings("local"), tmp_path)


def test_the_same_code_invokes_aws_with_the_configuration_of_aws(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    entry = EndpointSettings("production", endpoint_name="models", region="eu-central-1")
    open_runtime(entry, tmp_path).invoke("m", b"", "a/b")
    assert [request.endpoint for request in fake.requests] == ["models"]


def test_a_local_endpoint_is_invoked_without_a_proxy(
    fake: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    Runtime("local", url=fake.url).invoke("m", b"", "a/b")
    assert len(fake.requests) == 1


def test_an_invalid_url_is_refused() -> None:
    with pytest.raises(SlipwayError, match="fix: a URL looks like http://127.0.0.1:8090"):
        Runtime("local", url="nowhere")


def test_json_that_could_end_the_server_is_not_sent(fake: FakeRuntime, client: Runtime) -> None:
    with pytest.raises(SlipwayError, match="nested more than 100 levels"):
        client.invoke("m", b'{"inputs":' + b"[" * 150_000, "application/json")
    assert not fake.requests
