"""Every request to Airflow is one of its own API, and goes through MWAA and the Lambda.

Airflow's OpenAPI document is that of the installed Airflow; MWAA's call is checked by botocore's
description of the service.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import jsonschema
import pytest
import yaml
from botocore.response import StreamingBody
from botocore.stub import Stubber

from slipway.errors import SlipwayError
from slipway.settings import TrainingPlaceSettings
from slipway.training.airflow import start
from slipway.training.airflow import started as started_module
from slipway.training.airflow.api import Answer, Unreachable
from slipway.training.airflow.code import Code
from slipway.training.airflow.function import Function
from slipway.training.airflow.mwaa import Mwaa
from slipway.training.airflow.place import configuration, joinable
from slipway.training.airflow.runs import Dag, DagRun, Patient
from slipway.training.airflow.short_paths import PathTooLong
from slipway.training.airflow.started import StartedDagRun
from slipway.training.place import TrainingRequest
from slipway.training.run import TrainingRun, dump_run
from tests.airflow.process import ROOT, airflow_python

RUN = "churn-20261130T234000Z-0123ab"
PLACES = TrainingPlaceSettings(region="us-east-1")


@cache
def openapi() -> Any:
    """Airflow's own description of its API."""
    library = Path(airflow_python()).parents[1] / "lib" / "python3.12" / "site-packages"
    path = library / "airflow/api_fastapi/core_api/openapi/v2-rest-api-generated.yaml"
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)


@cache
def _function() -> dict[str, Any]:
    """The names of the Lambda function in front of a private Airflow."""
    names: dict[str, Any] = {"__name__": "index"}
    path = ROOT / "ci" / "infra" / "lambda" / "airflow_api.py"
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


def check(method: str, path: str, body: Any, query: Mapping[str, Any]) -> None:
    """Fail unless Airflow's description has such a request."""
    document = openapi()
    found = [
        (re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), f"/api/v2{path}"), operations)
        for known, operations in document["paths"].items()
    ]
    operations = [value for match, value in found if match and method.lower() in value]
    assert operations, f"{method} {path} is not of Airflow's API"
    operation = operations[0][method.lower()]
    known = {one["name"]: one["schema"] for one in operation["parameters"] if one["in"] == "query"}
    assert query.keys() <= known.keys()
    for name, value in query.items():
        _validate(value, known[name])
    if body is None:
        assert not operation.get("requestBody", {}).get("required")
        return
    _validate(body, operation["requestBody"]["content"]["application/json"]["schema"])


def _validate(value: Any, schema: Any) -> None:
    jsonschema.validate(value, {**schema, "components": openapi()["components"]})


class Recorded:
    """An Airflow whose answers a test writes, and which takes only requests of Airflow's API."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.where, self.answers = "mwaa:site", dict(answers)
        self.sent: list[tuple[str, str]] = []

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        check(method, path, body, query or {})
        assert _function()["is_allowed"](method, path)
        self.sent.append((method, path))
        answer = self.answers[f"{method} {path.rsplit('/', 1)[1]}"]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer if isinstance(answer, Answer) else Answer(200, answer)


def run(state: str, **conf: Any) -> dict[str, Any]:
    return {"dag_run_id": RUN, "state": state, "conf": conf}


def request(tmp_path: Path, **changes: Any) -> TrainingRequest:
    lines: list[str] = []
    return TrainingRequest(tmp_path, "churn", RUN, report=lines.append, **changes)


CODE = Code("s3://bucket/training/code/x.tar.gz", "1" * 40, False)


def test_a_run_is_started_followed_and_ended_by_requests_of_airflows_api(tmp_path: Path) -> None:
    wanted = request(tmp_path, parameters={"train.rounds": "20"}, reason="drift")
    conf = configuration(wanted, CODE)
    tasks: list[list[tuple[str, str | None]]] = [
        [("due", "success"), ("result.train", "deferred"), ("tell.sns", None)],
        [("due", "success"), ("result.train", "failed"), ("failure.clean", "success")],
    ]
    api = Recorded(
        {
            "GET train_churn": {"is_paused": False},
            "GET dagRuns": {"dag_runs": []},
            "POST dagRuns": run("queued", **conf),
            f"GET {RUN}": [run("running"), run("failed")],
            "GET taskInstances": [
                {"task_instances": [{"task_id": name, "state": state} for name, state in listed]}
                for listed in tasks
            ],
            "GET return_value": {"value": {"text": "failed at train: no rows"}},
            "PATCH result.train": {"task_instances": [], "total_entries": 0},
        }
    )
    dag = Dag(api, "train_churn")
    dag.check()
    assert joinable(dag, wanted, conf) is None
    started = dag.start(RUN, conf, "drift")
    seen = list(dag.follow(started.id, sleep=lambda _: None))
    assert seen == [
        ("due", "success"),
        ("result.train", "deferred"),
        ("result.train", "failed"),
        ("failure.clean", "success"),
        ("", "failed"),
    ]
    failed = StartedDagRun(dag, started, "http://page", wanted, PLACES)
    with pytest.raises(SlipwayError, match="failed at train: no rows") as caught:
        failed.wait()
    assert caught.value.where == "http://page"
    api.answers["GET taskInstances"] = {
        "task_instances": [{"task_id": "result.train", "state": "deferred"}]
    }
    assert dag.stop(RUN) == ["result.train"]
    assert ("PATCH", f"/dags/train_churn/dagRuns/{RUN}/taskInstances/result.train") in api.sent


def test_a_run_that_does_the_same_is_joined_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = TrainingRequest(tmp_path, "churn", "churn-other", report=said.append)
    conf = configuration(wanted, CODE)
    api = Recorded({"GET dagRuns": {"dag_runs": [run("running", **conf)]}})
    joined = joinable(Dag(api, "train_churn"), wanted, conf)
    assert joined is not None and joined.id == RUN
    assert said == [f"{RUN} trains the same already, and is joined (running)"]


def test_an_active_run_with_other_parameters_refuses_this_one(tmp_path: Path) -> None:
    wanted = TrainingRequest(tmp_path, "churn", "churn-other")
    conf = configuration(wanted, CODE)
    other = {**conf, "parameters": {"train.rounds": "3"}}
    api = Recorded({"GET dagRuns": {"dag_runs": [run("queued", **other)]}})
    with pytest.raises(SlipwayError, match="one run a model at a time"):
        joinable(Dag(api, "train_churn"), wanted, conf)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404, {"detail": "not found"}), "Airflow has no DAG train_churn"),
        (Answer(200, {"is_paused": True}), "train_churn is paused"),
        (Answer(403, {"detail": "Forbidden"}), "Airflow answers 403: Forbidden"),
    ],
)
def test_a_dag_that_cannot_run_is_said_before_anything_is_uploaded(
    answer: Answer, said: str
) -> None:
    with pytest.raises(SlipwayError, match=said) as caught:
        Dag(Recorded({"GET train_churn": answer}), "train_churn").check()
    assert caught.value.fix


def test_a_parameter_that_airflow_refuses_is_named() -> None:
    detail = [{"loc": ["body", "conf"], "msg": "'train.round' is not one of ['train.rounds']"}]
    api = Recorded({"POST dagRuns": Answer(400, {"detail": detail})})
    with pytest.raises(SlipwayError, match=r"body\.conf: 'train.round' is not one of"):
        Dag(api, "train_churn").start(RUN, {}, "")


def test_a_fault_that_passes_is_waited_for_and_a_run_is_not_lost() -> None:
    api = Recorded(
        {
            f"GET {RUN}": [Answer(503, "deploying"), Answer(502, "deploying"), run("success")],
            "GET taskInstances": {"task_instances": []},
        }
    )
    pauses: list[float] = []
    assert list(Dag(Patient(api), "train_churn").follow(RUN, sleep=pauses.append)) == [
        ("", "success")
    ]
    assert pauses == [20.0, 20.0]


def test_an_airflow_that_stays_away_is_given_up_after_a_quarter_of_an_hour() -> None:
    api = Recorded({f"GET {RUN}": Answer(503, "gone")})
    pauses: list[float] = []
    with pytest.raises(Unreachable, match="503: gone"):
        list(Dag(Patient(api), "train_churn").follow(RUN, sleep=pauses.append))
    assert 15 * 60 <= sum(pauses) <= 16 * 60


def test_mwaa_gets_what_its_api_takes_and_says_what_airflow_answered() -> None:
    client = boto3.client(
        "mwaa", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    path = "/dags/train_churn/dagRuns"
    body = {"dag_run_id": RUN, "logical_date": None, "conf": {"force": True}}
    with Stubber(client) as stub:
        stub.add_response(
            "invoke_rest_api",
            {"RestApiStatusCode": 200, "RestApiResponse": {"dag_run_id": RUN}},
            {"Name": "site", "Path": path, "Method": "POST", "Body": body},
        )
        stub.add_response(
            "invoke_rest_api",
            {"RestApiStatusCode": 200, "RestApiResponse": {"dag_runs": []}},
            {
                "Name": "site",
                "Path": path,
                "Method": "GET",
                "QueryParameters": {"state": ["queued", "running"]},
            },
        )
        stub.add_client_error(
            "invoke_rest_api",
            "RestApiClientException",
            modeled_fields={"RestApiStatusCode": 404, "RestApiResponse": {"detail": "no DAG"}},
        )
        stub.add_client_error("invoke_rest_api", "AccessDeniedException", "not authorized")
        stub.add_client_error("invoke_rest_api", "ThrottlingException", "slow down")
        api = Mwaa("site", PLACES, client)
        assert api.send("POST", path, body) == Answer(200, {"dag_run_id": RUN})
        assert api.send("GET", path, query={"state": ["queued", "running"]}).status == 200
        assert api.send("GET", path) == Answer(404, {"detail": "no DAG"})
        with pytest.raises(SlipwayError, match="not authorized") as denied:
            api.send("GET", path)
        assert denied.value.fix and "airflow:InvokeRestApi" in denied.value.fix
        with pytest.raises(Unreachable, match="slow down"):
            api.send("GET", path)


def test_the_function_gets_an_event_and_answers_with_status_and_body() -> None:
    client = boto3.client(
        "lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    event: dict[str, Any] = {
        "path": "/dags/train_churn",
        "method": "GET",
        "body": None,
        "query": {},
    }

    def payload(value: Any) -> StreamingBody:
        data = json.dumps(value).encode()
        return StreamingBody(io.BytesIO(data), len(data))

    expected = {"FunctionName": "site", "Payload": json.dumps(event).encode()}
    with Stubber(client) as stub:
        answered = payload({"status": 200, "body": {"is_paused": False}})
        stub.add_response("invoke", {"StatusCode": 200, "Payload": answered}, expected)
        failed = payload({"errorMessage": "Task timed out after 30.00 seconds"})
        stub.add_response(
            "invoke",
            {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": failed},
            expected,
        )
        api = Function("site", PLACES, client)
        assert api.send("GET", "/dags/train_churn") == Answer(200, {"is_paused": False})
        with pytest.raises(SlipwayError, match="timed out") as caught:
            api.send("GET", "/dags/train_churn")
        assert caught.value.fix == "read its log: aws logs tail /aws/lambda/site"


def test_nothing_to_do_is_a_run_without_stages(tmp_path: Path) -> None:
    api = Recorded(
        {
            f"GET {RUN}": run("success"),
            "GET taskInstances": {"task_instances": []},
            "GET return_value": Answer(404, {"detail": "none"}),
            "GET why": {"value": "nothing to do: churn-x made the same 1.0 days ago"},
        }
    )
    wanted = request(tmp_path)
    dag_run = DagRun("train_churn", RUN, "queued", {"commit": "1" * 40})
    outcome = StartedDagRun(Dag(api, "train_churn"), dag_run, "http://page", wanted, PLACES).wait()
    assert (outcome.run.stages, outcome.in_checkout) == ((), False)


def test_a_deployment_is_started_and_its_failure_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = "deploy-20261130T234000Z-0123ab"
    answered = {"dag_run_id": identity, "state": "failed", "conf": {}}
    api = Recorded(
        {
            "GET deploy": {"is_paused": False},
            "POST dagRuns": answered,
            f"GET {identity}": answered,
            "GET taskInstances": {"task_instances": [{"task_id": "smoke", "state": "failed"}]},
            "GET return_value": {"value": {"text": "slipway rollback churn"}},
        }
    )
    monkeypatch.setattr(start, "open_api", lambda _: api)
    monkeypatch.setattr(start, "new_run_id", lambda *_: identity)
    monkeypatch.setattr(start, "run_page", lambda *_: "http://page")
    with pytest.raises(SlipwayError, match="slipway rollback churn"):
        start.main(["deploy", "model=churn", "target=1.2.0", "reason="])
    assert capsys.readouterr().out == "run: http://page\n  smoke: failed\n"


@pytest.mark.parametrize("arguments", [[], ["deploy", "churn"], ["deploy", "=churn"]])
def test_what_is_no_parameter_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SlipwayError, match="not a DAG and NAME=VALUE"):
        start.main(arguments)


class Terse(Recorded):
    """MWAA: what a task left cannot be asked, since its path is too long."""

    def send(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        if "xcomEntries" in path:
            raise PathTooLong("MWAA takes paths of 64 characters")
        return super().send(method, path, body, query)


def _stored(monkeypatch: pytest.MonkeyPatch, files: Mapping[str, Any]) -> None:
    data = {f"churn/{RUN}/{name}": json.dumps(value).encode() for name, value in files.items()}
    bucket = SimpleNamespace(read=data.get)
    monkeypatch.setattr(started_module, "open_bucket", lambda _: bucket)


RECORD = TrainingRun(RUN, "churn", "airflow", "1" * 40, False, "2026-11-30T23:40:00Z", 1.0, "", ())


def test_through_mwaa_what_became_of_a_run_is_read_in_the_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("result.train", "proposal.propose")
    tasks = {"task_instances": [{"task_id": name, "state": "success"} for name in names]}
    api = Terse({f"GET {RUN}": run("success"), "GET taskInstances": tasks})
    files = {
        "comparison/run.json": json.loads(dump_run(RECORD)),
        "proposal/proposal.json": {"merge_request": "http://gitlab/7"},
    }
    _stored(monkeypatch, files)
    dag, dag_run = Dag(api, "train_churn"), DagRun("train_churn", RUN, "queued", {})
    wanted = request(tmp_path)
    outcome = StartedDagRun(dag, dag_run, "http://page", wanted, PLACES).wait()
    assert (outcome.run, outcome.links) == (RECORD, ("http://page", "http://gitlab/7"))


def test_through_mwaa_a_failure_is_said_with_the_place_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = {"task_instances": [{"task_id": "result.train", "state": "failed"}]}
    api = Terse({f"GET {RUN}": run("failed"), "GET taskInstances": tasks})
    mark = {"step": "train", "reason": "no rows", "log": ["Log: http://log"], "run": "x"}
    _stored(monkeypatch, {"failed.json": mark})
    dag, dag_run = Dag(api, "train_churn"), DagRun("train_churn", RUN, "queued", {})
    with pytest.raises(SlipwayError, match="failed at train: no rows; Log: http://log"):
        StartedDagRun(dag, dag_run, "http://page", request(tmp_path), PLACES).wait()
