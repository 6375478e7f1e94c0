"""The schedule that keeps models loaded: its template, its roles, and its function in process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from slipway.infra import may
from slipway.infra.environment import load_environment
from slipway.model.interface import Interface, Tensor, blank_request
from slipway.triton import kserve
from tests.infra.conftest import INFRA, Repository
from tests.infra.training_requests import Request, digest
from tests.infra.warm_requests import BUCKET, NAMES, REQUESTS, cases

CODE = INFRA / "lambda" / "warm.py"
SIMULATED = Path(__file__).parent / "simulated_warm.txt"
INTERFACE = Interface(
    8,
    {
        "X": Tensor("FP32", (-1, 3)),
        "TEXT": Tensor("BYTES", (1,)),
        "FLAG": Tensor("BOOL", (1,)),
        "MORE": Tensor("INT64", (1,), optional=True),
    },
    {"Y": Tensor("FP32", (1,))},
)


@pytest.fixture
def warm(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An environment as warm.example.toml shows it, with two models."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    folder = repository.root / "ci" / "infra"
    text = (folder / "warm.example.toml").read_text()
    assert '["screen_detection"]' in text
    text = text.replace('["screen_detection"]', '["fares", "screen_detection"]')
    (folder / "warm-production.toml").write_text(text)
    return repository


def test_nothing_is_asked_unless_models_are_named(warm: Repository) -> None:
    read = load_environment(warm.settings, "warm-production")
    assert read.template.parameters["Models"].default is None
    environments = [
        path.name for path in INFRA.glob("*.toml") if 'template = "warm.yaml"' in path.read_text()
    ]
    assert environments == ["warm.example.toml"]
    assert read.parameters["Models"] == "fares,screen_detection"
    assert "def handler(event, context)" in read.template.body  # the function's code is sent


def asked(warm: Repository, request: Request) -> may.Answer:
    role, action, resource, context, _ = request
    keys = {key: (value,) for key, value in context.items()}
    return may.ask(warm.settings, "warm-production", NAMES[role], action, resource, keys)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: f"{each[0]} {each[1]} {each[2]}")
def test_its_roles_may_do_what_they_are_for_and_nothing_else(
    warm: Repository, request_: Request
) -> None:
    assert asked(warm, request_).decision.allowed == request_[-1]


def test_another_evaluator_says_the_same_of_its_roles() -> None:
    """@cloud-copilot/iam-simulate 0.1.173, which nobody here wrote; it refuses unknown actions."""
    made_of, *verdicts = SIMULATED.read_text(encoding="utf-8").splitlines()
    assert made_of == digest(cases()), "ask again: see the head of simulate.mjs"
    for request, verdict in zip(REQUESTS, verdicts, strict=True):
        assert verdict[0] == ("A" if request[-1] else "I"), verdict


class Context:
    """What Lambda says of the time that is left."""

    def __init__(self, *remaining: int) -> None:
        self._remaining = list(remaining)

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining.pop(0) if self._remaining else 0


class Clients:
    """S3 with a catalog, and a runtime whose answers are checked by botocore's model of it."""

    def __init__(self, catalog: dict[str, Any]) -> None:
        place: dict[str, Any] = {
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.catalog = catalog
        self.runtime = boto3.client("sagemaker-runtime", **place)
        self.stub = Stubber(self.runtime)
        self.sent: list[dict[str, Any]] = []
        self.runtime.meta.events.register(
            "before-parameter-build.sagemaker-runtime.InvokeEndpoint",
            lambda params, **_: self.sent.append(dict(params)),
        )

    def client(self, service: str, **_: Any) -> Any:
        return {"sagemaker-runtime": self.runtime, "s3": self}[service]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        if Key not in self.catalog:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "none"}}, "GetObject")
        return {"Body": io.BytesIO(json.dumps(self.catalog[Key]).encode())}

    def answers(self) -> None:
        body = StreamingBody(io.BytesIO(b"{}"), 2)
        self.stub.add_response("invoke_endpoint", {"Body": body})

    def refuses(self, code: str, **more: Any) -> None:
        self.stub.add_client_error("invoke_endpoint", code, modeled_fields=more or None)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    for key, value in {
        "BUCKET": BUCKET,
        "CATALOG": "production/catalog/",
        "ENDPOINT": "slipway-production",
    }.items():
        monkeypatch.setenv(key, value)
    record = {"interface": INTERFACE.dump()}
    base = "production/catalog/fares"
    return Clients(
        {
            f"{base}/alias.json": {
                "target": "fares_1.tar.gz",
                "variants": [
                    {"target": "fares_1.tar.gz", "weight": 9},
                    {"target": "fares_2.tar.gz"},
                ],
                "shadow": "fares_3.tar.gz",
            },
            **{f"{base}/releases/fares_{n}.tar.gz.json": record for n in (1, 2, 3)},
            "production/catalog/one/alias.json": {"target": "one_1.tar.gz"},
            "production/catalog/one/releases/one_1.tar.gz.json": record,
        }
    )


def call(clients: Clients, models: list[str], *remaining: int) -> Any:
    """Call the function as Lambda does; waits take no time."""
    names: dict[str, Any] = {"__name__": "index"}
    exec(compile(CODE.read_text(encoding="utf-8"), "index.py", "exec"), names)
    names["boto3"] = clients
    names["time"] = type("Time", (), {"monotonic": lambda: 0.0, "sleep": lambda seconds: None})
    with clients.stub:
        answer = names["handler"]({"models": models}, Context(*remaining))
    clients.stub.assert_no_pending_responses()
    return answer


def test_every_release_of_an_alias_is_asked_with_zeros(clients: Clients) -> None:
    for _ in range(3):
        clients.answers()
    answers = call(clients, ["fares"])
    assert list(answers) == ["fares_1.tar.gz", "fares_2.tar.gz", "fares_3.tar.gz"]
    assert {each["EndpointName"] for each in clients.sent} == {"slipway-production"}
    inputs = {each["name"]: each for each in json.loads(clients.sent[0]["Body"])["inputs"]}
    blank = blank_request(INTERFACE)  # as `slipway endpoint warm` sends them
    assert set(inputs) == set(blank) == {"X", "TEXT", "FLAG"}
    for name, array in blank.items():
        assert inputs[name]["shape"] == list(array.shape)
        assert inputs[name]["data"] == [
            b.decode() if isinstance(b, bytes) else b for b in array.ravel()
        ]
    assert kserve.encode(blank)  # what it is compared with can be sent


def test_a_model_that_loads_is_waited_for(clients: Clients) -> None:
    clients.refuses("ModelNotReadyException")
    clients.refuses("ThrottlingException")
    clients.answers()
    assert call(clients, ["one"], 800_000, 700_000)["one_1.tar.gz"][0] == "answered"


def test_a_model_that_refuses_zeros_is_loaded(clients: Clients) -> None:
    clients.refuses("ModelError", OriginalStatusCode=400, OriginalMessage="an empty picture")
    assert call(clients, ["one"])["one_1.tar.gz"][0] == "refused zeros"


def test_one_that_fails_is_reported_after_the_others_were_asked(clients: Clients) -> None:
    clients.refuses("ModelNotReadyException")  # and no time is left
    clients.answers()
    clients.refuses("ModelError", OriginalStatusCode=500)
    clients.answers()
    with pytest.raises(RuntimeError, match="one: .*ModelNotReady.*; none: .*NoSuchKey"):
        call(clients, ["one", "none", "one", "one", "one"], 10_000)


def test_the_code_fits_inline_and_is_the_one_that_terraform_writes_in() -> None:
    assert len(CODE.read_text(encoding="utf-8")) <= 4096
    module = (INFRA / "terraform" / "main.tf").read_text()
    assert 'var.template == "warm" ? "warm" : "airflow_api"' in module
    assert Path(INFRA / "warm.yaml").read_text().count("ZipFile: lambda/warm.py") == 1
