"""The contract of SageMaker's runtime, read by an unmodified boto3 client and by plain HTTP."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from botocore.exceptions import ClientError

from slipway.endpoint.protocol import LARGEST_BODY
from slipway.server.client import TARGET
from slipway.triton import kserve
from tests.endpoint import shelf as shelves
from tests.endpoint.conftest import Opener
from tests.endpoint.shelf import Caller, Shelf, Up

PATH = "/endpoints/local/invocations"


def asked(
    url: str,
    method: str = "POST",
    path: str = PATH,
    body: Any = b"",
    headers: Mapping[str, str] | None = None,
    *,
    chunked: bool = False,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of one exchange."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def refused(caller: Caller, target: str, **more: Any) -> dict[str, Any]:
    """What boto3 tells of a refusal."""
    with pytest.raises(ClientError) as caught:
        caller.boto3.invoke_endpoint(
            **{"EndpointName": "local", "TargetModel": target, "Body": b"{}"} | more
        )
    return {"class": type(caught.value).__name__, **caught.value.response}


def of_size(size: int) -> tuple[bytes, dict[str, str]]:
    """A request of exactly ``size`` bytes that is valid, and its headers."""
    rest, _ = kserve.encode({"X": np.zeros(1_500_000, np.float32)})
    count = (size - (len(rest) - 6_000_000)) // 4
    body, content_type = kserve.encode({"X": np.ones(count, np.float32)})
    header = int(content_type.rpartition("=")[2])
    padding = b" " * (size - len(body))  # JSON may end in spaces
    body = body[:header] + padding + body[header:]
    content_type = content_type.replace(f"={header}", f"={header + len(padding)}")
    return body, {"Content-Type": content_type}


@pytest.fixture(scope="module")
def target(shared_shelf: Shelf) -> str:
    """A release that is there."""
    return shared_shelf.put(71)


def test_boto3_gets_the_models_answer(shared: Up, target: str) -> None:
    body, content_type = kserve.encode({"X": np.ones(2, np.float32)})
    answer = shared.caller.boto3.invoke_endpoint(
        EndpointName="local", TargetModel=target, Body=body, ContentType=content_type
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"].startswith("application/vnd.sagemaker-triton.binary+json")
    outputs = kserve.decode(answer["Body"].read(), answer["ContentType"])
    assert outputs["Y"].tolist() == [73.0, 73.0]


def test_json_is_answered_in_json(shared: Up, target: str) -> None:
    tensor = {"name": "X", "shape": [1], "datatype": "FP32", "data": [1]}
    status, headers, body = asked(
        shared.url,
        body=json.dumps({"inputs": [tensor]}),
        headers={TARGET: target, "Content-Type": "application/json"},
    )
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["outputs"][0]["data"] == [73.0]


def test_a_models_own_error_is_a_model_error_with_its_status_and_words(
    shared: Up, target: str
) -> None:
    with pytest.raises(shared.errors.ModelError) as caught:
        shared.ask(target, np.full(1, -1, np.float32))
    said = caught.value.response
    assert said["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert said["OriginalStatusCode"] == 400
    assert "refused as asked" in said["OriginalMessage"]
    assert said["Error"]["Code"] == "ModelError"
    assert "Received client error (400) from primary" in said["Error"]["Message"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"TargetModel": "nobody.tar.gz"}, "object does not exist"),
        ({"TargetModel": "../staging/models/scripted_71.tar.gz"}, "not a key below"),
        ({"TargetModel": "a//b"}, "not a key below"),
        ({"TargetModel": "/etc/passwd"}, "not a key below"),
        ({"TargetModel": ".hidden"}, "not a key below"),
        ({"EndpointName": "nobody"}, "Endpoint nobody of account"),
    ],
)
def test_what_names_nothing_is_a_validation_error(
    shared: Up, target: str, wrong: dict[str, str], said: str
) -> None:
    answer = refused(shared.caller, **{"target": target} | _named(wrong))
    assert answer["class"] == "ValidationError"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert said in answer["Error"]["Message"]


def _named(wrong: dict[str, str]) -> dict[str, str]:
    return {"target" if key == "TargetModel" else key: value for key, value in wrong.items()}


def test_an_invocation_without_a_target_is_a_validation_error(shared: Up) -> None:
    with pytest.raises(shared.errors.ValidationError, match="TargetModel is missing"):
        shared.caller.boto3.invoke_endpoint(EndpointName="local", Body=b"{}")


def test_a_target_that_is_no_text_can_be_shown_on_a_terminal(shared: Up) -> None:
    address = urlsplit(shared.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as raw:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{TARGET}: "
        raw.sendall(head.encode() + b"\xff\x80.tar.gz\r\nContent-Length: 0\r\n\r\n")
        assert b" 400 " in raw.recv(65536)
    (event,) = [e for e in shared.inside.observer.events if e.target.endswith("udc80.tar.gz")]
    assert event.target.isascii() and event.what.isascii()


def test_a_target_of_1024_characters_is_looked_for_and_one_more_is_refused(shared: Up) -> None:
    assert "object does not exist" in refused(shared.caller, "x" * 1024)["Error"]["Message"]
    status, headers, _ = asked(shared.url, headers={TARGET: "x" * 1025})
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationError")


def test_a_pattern_that_does_not_match_denies_access(
    up: Opener, shelf: Shelf, tmp_path: Any
) -> None:
    allowed, other = shelf.put(1, "screen_1.tar.gz"), shelf.put(2, "house_1.tar.gz")
    with shelves.up(tmp_path / "root", shelf, allow=("screen_*",)) as running:
        assert running.release(allowed) == 1
        answer = refused(running.caller, other)
        assert answer["Error"]["Code"] == "AccessDeniedException"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        # as IAM does, before it is known whether there is such an object
        assert refused(running.caller, "nobody")["Error"]["Code"] == "AccessDeniedException"
        assert running.loaded() == [allowed]


def test_a_body_of_exactly_6_mib_is_answered(shared: Up, target: str) -> None:
    body, headers = of_size(LARGEST_BODY)
    assert len(body) == LARGEST_BODY
    status, _, _ = asked(shared.url, body=body, headers={TARGET: target, **headers})
    assert status == 200


def test_a_body_of_one_byte_more_is_refused_and_boto3_shows_the_number(
    shared: Up, target: str
) -> None:
    body, headers = of_size(LARGEST_BODY + 1)
    answer = refused(shared.caller, target, Body=body, ContentType=headers["Content-Type"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert answer["Error"]["Code"] == "413"
    assert shared.release(target) == 71


def test_a_chunked_body_is_counted_as_it_comes(shared: Up, target: str) -> None:
    def pieces(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    body, headers = of_size(LARGEST_BODY)
    headers |= {TARGET: target, "Transfer-Encoding": "chunked"}
    assert asked(shared.url, body=pieces(body), headers=headers, chunked=True)[0] == 200
    try:
        status, _, _ = asked(
            shared.url, body=pieces(body + b" " * 200_000), headers=headers, chunked=True
        )
        assert status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # the refusal came while the client was still sending
    assert shared.release(target) == 71


def test_a_compressed_body_reaches_the_container_as_it_came(shared: Up, target: str) -> None:
    body, content_type = kserve.encode({"X": np.ones(2, np.float32)})
    headers = {TARGET: target, "Content-Type": content_type, "Content-Encoding": "gzip"}
    # Triton's SageMaker port ignores the encoding: plain bytes are understood, packed ones are not
    assert asked(shared.url, body=body, headers=headers)[0] == 200
    status, _, said = asked(shared.url, body=gzip.compress(body), headers=headers)
    assert status == 424
    assert json.loads(said)["OriginalStatusCode"] == 400


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example"])
def test_a_host_of_another_name_is_refused_as_dns_may_be_rebound(
    shared: Up, target: str, host: str
) -> None:
    for method, path in (("POST", PATH), ("GET", "/state"), ("GET", "/"), ("GET", "/metrics")):
        status, _, body = asked(shared.url, method, path, headers={"Host": host, TARGET: target})
        assert status == 421 and b"Message" in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]", "[::1]:8090"])
def test_this_machine_by_any_of_its_names_is_answered(shared: Up, host: str) -> None:
    assert asked(shared.url, "GET", "/ping", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", PATH, 405), ("POST", "/nothing", 404), ("PUT", "/state", 405), ("GET", "/../x", 404)],
)
def test_what_is_no_operation_is_said_to_be_none(
    shared: Up, method: str, path: str, status: int
) -> None:
    got, headers, _ = asked(shared.url, method, path)
    assert got == status
    assert headers["x-amzn-ErrorType"] == "UnknownOperationException"


def test_custom_attributes_and_the_content_type_go_to_the_container_and_nothing_else(
    shared: Up, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Mapping[str, str]] = []
    calls = shared.inside.container.calls
    invoke = calls.invoke

    async def spied(name: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Any:
        seen.append(dict(headers))
        return await invoke(name, body, headers, seconds)

    monkeypatch.setattr(calls, "invoke", spied)
    own = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1", "Content-Type": "application/json"}
    foreign = {"Authorization": "AWS4-HMAC-SHA256 secret", "Cookie": "a=b"}
    asked(shared.url, headers={TARGET: target, **own, **foreign})
    assert seen == [own]


def test_metrics_have_cloudwatchs_names(shared: Up, target: str) -> None:
    shared.ask(target)
    status, headers, body = asked(shared.url, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    text = body.decode()
    for name in (
        "ModelLoadingWaitTime",
        "ModelDownloadingTime",
        "ModelLoadingTime",
        "ModelUnloadingTime",
        "ModelCacheHit",
        "LoadedModelCount",
        "Invocations",
        "ModelLatency",
        "OverheadLatency",
    ):
        assert f"# TYPE {name}" in text
    assert f'Invocations_total{{EndpointName="local",TargetModel="{target}"}}' in text


def test_names_that_nobody_published_make_no_time_series(shared: Up) -> None:
    for number in range(20):
        refused(shared.caller, f"made_up_{number}.tar.gz")
    assert b"made_up_" not in asked(shared.url, "GET", "/metrics")[2]


def test_the_state_is_json_for_the_page(shared: Up, target: str) -> None:
    shared.ask(target)
    state = json.loads(asked(shared.url, "GET", "/state")[2])
    (model,) = [m for m in state["endpoints"]["local"]["models"] if m["target"] == target]
    assert model["state"] == "loaded" and model["memory"] > 0 and model["disk"] > 0


def test_a_bug_of_ours_is_a_500_that_tells_nothing(
    shared: Up, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(shared.inside.models, "acquire", broken)
    answer = refused(shared.caller, target)
    assert answer["Error"]["Code"] == "InternalFailure"
    assert "inside" not in str(answer)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_json_that_would_end_the_server_is_refused_before_it_is_sent(
    shared: Up, shared_shelf: Shelf, opening: bytes
) -> None:
    target = shared_shelf.put(1)
    assert shared.release(target) == 1
    generation = shared.inside.container.generation
    with pytest.raises(shared.errors.ModelError, match="nested more than 100 levels") as caught:
        shared.caller.boto3.invoke_endpoint(
            EndpointName="local", TargetModel=target, Body=b'{"inputs":' + opening * 150_000
        )
    assert caught.value.response["OriginalStatusCode"] == 400
    assert shared.loaded().count(target) == 1
    assert shared.inside.container.generation == generation
