"""The Lambda function before a private Airflow: its code as it is deployed, called in process."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto.awslambda.models import lambda_backends

from slipway.errors import SlipwayError
from slipway.infra import template
from tests.infra.airflow_web_server import COOKIE, WEB_TOKEN, AirflowWebServer, serve_airflow
from tests.infra.aws_stand_in import ACCOUNT, REGION
from tests.infra.conftest import INFRA, Repository

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")
RUN = "fares-20261130T233000Z-abc123"
NAME = "slipway-production-training"
CODE = INFRA / "lambda" / "airflow_api.py"

type Call = Callable[..., dict[str, Any]]


def load_code(text: str) -> dict[str, Any]:
    """Return the names that the function's code defines."""
    names: dict[str, Any] = {"__name__": "index"}
    exec(compile(text, "index.py", "exec"), names)
    return names


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowWebServer]:
    """An environment's web server, which the function trusts."""
    with serve_airflow(tmp_path) as (served, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        monkeypatch.setenv("AIRFLOW", NAME)
        yield served


@pytest.fixture
def call(airflow: AirflowWebServer, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the function with an event; MWAA answers what botocore's model of it allows."""
    code = load_code(CODE.read_text(encoding="utf-8"))
    client = boto3.client(
        "mwaa", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )
    monkeypatch.setattr(code["boto3"], "client", lambda service: {"mwaa": client}[service])

    def invoke(**event: Any) -> dict[str, Any]:
        with Stubber(client) as stub:
            stub.add_response(
                "create_web_login_token",
                {"WebToken": WEB_TOKEN, "WebServerHostname": airflow.host},
                {"Name": NAME},
            )
            answer = code["handler"](json.loads(json.dumps(event)), None)
        return dict(json.loads(json.dumps(answer)))  # as Lambda has it

    return invoke


def test_a_run_is_started(airflow: AirflowWebServer, call: Call) -> None:
    airflow.content = json.dumps({"dag_run_id": RUN, "state": "queued"}).encode()
    body = {"dag_run_id": RUN, "logical_date": None, "conf": {"model": "fares"}}
    answer = call(path="/dags/train_fares/dagRuns", method="POST", body=body)
    assert answer == {"status": 200, "body": {"dag_run_id": RUN, "state": "queued"}}
    ((method, path, headers, sent),) = airflow.asked
    assert (method, path, sent) == ("POST", "/api/v2/dags/train_fares/dagRuns", body)
    assert headers["Authorization"] == f"Bearer {COOKIE}"


def test_runs_are_listed_with_a_query(airflow: AirflowWebServer, call: Call) -> None:
    call(path="/dags/train_fares/dagRuns", method="GET", query={"limit": 1, "state": ["failed"]})
    method, path, _, sent = airflow.asked[0]
    assert (method, path, sent) == (
        "GET",
        "/api/v2/dags/train_fares/dagRuns?limit=1&state=failed",
        None,
    )


def test_what_airflow_refuses_is_passed_back(airflow: AirflowWebServer, call: Call) -> None:
    airflow.status, airflow.content = 409, b'{"detail": "it exists"}'
    answer = call(path="/dags/train_fares/dagRuns", method="POST", body={})
    assert answer == {"status": 409, "body": {"detail": "it exists"}}
    airflow.status, airflow.content = 502, b"<html>"
    assert call(path="/dags", method="GET") == {"status": 502, "body": "<html>"}
    airflow.status, airflow.content = 204, b""
    assert call(path="/dags", method="GET") == {"status": 204, "body": None}


ALLOWED = [
    ("GET", "/version"), ("GET", "/monitor/health"), ("GET", "/importErrors"), ("GET", "/dags"),
    ("GET", "/dags/train_fares"), ("GET", "/dags/train_fares/details"),
    ("GET", "/dags/train_fares/dagRuns"), ("GET", f"/dags/train_fares/dagRuns/{RUN}"),
    ("GET", f"/dags/train_fares/dagRuns/{RUN}/taskInstances"),
    ("GET", f"/dags/train_fares/dagRuns/{RUN}/taskInstances/notify.failure/logs/1"),
    ("GET", f"/dags/train_fares/dagRuns/{RUN}/taskInstances/result.verdict/xcomEntries/why"),
    ("PATCH", f"/dags/train_fares/dagRuns/{RUN}/taskInstances/result.train"),
    ("GET", "/dags/train_fares/dagRuns/scheduled__2026-11-30T00:00:00+00:00"),
    ("POST", "/dags/train_fares/dagRuns"), ("POST", "/dags/deploy/dagRuns"),
    ("POST", "/dags/~/dagRuns/list"), ("POST", f"/dags/train_fares/dagRuns/{RUN}/clear"),
    ("PATCH", f"/dags/train_fares/dagRuns/{RUN}"), ("PATCH", "/dags/train_fares"),
]  # fmt: skip
REFUSED = [
    ("GET", "/variables"), ("GET", "/connections/slack"), ("GET", "/config"), ("POST", "/pools"),
    ("GET", "/dags/payroll"), ("POST", "/dags/payroll/dagRuns"), ("DELETE", "/dags/train_fares"),
    ("DELETE", f"/dags/train_fares/dagRuns/{RUN}"), ("GET", "/dags/train_fares/../../variables"),
    ("GET", "/dags/train_fares/dagRuns/../../../variables"), ("GET", "/dags/train_fares?x=/../y"),
    ("GET", "/dags/train_fares/dagRuns\n"), ("GET", ""), ("TRACE", ""), ("POST", "/dags"),
    ("GET", "https://elsewhere.example/dags"), ("POST", "/backfills"), ("GET", "/dagSources/x"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ALLOWED)
def test_what_starts_and_reads_runs_is_passed_on(
    airflow: AirflowWebServer, call: Call, method: str, path: str
) -> None:
    assert call(path=path, method=method.lower())["status"] == 200
    assert airflow.asked[0][:2] == (method, f"/api/v2{path}")


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_nothing_else_of_airflow_is(
    airflow: AirflowWebServer, call: Call, method: str, path: str
) -> None:
    assert call(path=path, method=method)["status"] == 403
    assert not airflow.asked


@given(st.text(st.sampled_from("/.~%?#\\dagstrinfe_:0"), max_size=40))
def test_no_path_leaves_the_dags(text: str) -> None:
    is_allowed = load_code(CODE.read_text(encoding="utf-8"))["is_allowed"]
    for method in ("GET", "POST", "PATCH"):
        path = f"/dags/train_a/{text}"
        if is_allowed(method, path):
            assert ".." not in path and not set(path) & set("?#%\\")


@pytest.mark.parametrize(
    "event", [{}, {"path": "/dags"}, {"method": "GET"}, {"path": None, "method": "GET"},
              {"path": "/dags", "method": 1}, {"path": "/dags", "method": "GET", "query": "a=b"}],
)  # fmt: skip
def test_a_wrong_event_is_an_answer(call: Call, event: dict[str, Any]) -> None:
    answer = call(**event)
    assert answer["status"] == 400 and "path and method" in answer["body"]["detail"]


def test_an_airflow_that_is_not_reached_is_an_answer(airflow: AirflowWebServer, call: Call) -> None:
    airflow.logs_in = False
    answer = call(path="/dags", method="GET")
    assert answer["status"] == 502 and "login answers 403" in answer["body"]["detail"]
    airflow.host = "127.0.0.1:1"
    assert call(path="/dags", method="GET")["status"] == 502


def test_an_answer_too_large_for_lambda_is_said(airflow: AirflowWebServer, call: Call) -> None:
    airflow.content = b'"' + b"x" * (5 << 20) + b'"'
    answer = call(path="/dags", method="GET")
    assert answer["status"] == 507 and "5,242,882 bytes" in answer["body"]["detail"]


def test_a_web_server_with_another_certificate_is_not_trusted(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    answer = call(path="/dags", method="GET")
    assert answer["status"] == 502 and "CERTIFICATE_VERIFY_FAILED" in answer["body"]["detail"]


def test_the_code_that_is_deployed_is_the_file(moto: str, repository: Repository) -> None:
    repository.deploy("production")
    repository.deploy("training")
    name = f"{repository.project}-production-training-airflow"
    told = boto3.client("lambda").get_function_configuration(FunctionName=name)
    assert told["Handler"] == "index.handler" and told["Runtime"] == "python3.13"
    assert told["Environment"]["Variables"] == {
        "AIRFLOW": f"{repository.project}-production-training"
    }
    function = lambda_backends[ACCOUNT][REGION].get_function(name)
    with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
        code = archive.read("index.py").decode()
    assert code == CODE.read_text(encoding="utf-8")
    assert callable(load_code(code)["handler"])


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("lambda/none.py", None, "cannot read the function's code"),
        ("lambda/own.py", "def (:", "cannot read the function's code"),
        ("lambda/own.py", "x = 1\n" * 700, "4,200 characters"),
        ("../own.py", "", "outside the template's folder"),
    ],
)
def test_code_that_cannot_be_sent_is_refused(
    tmp_path: Path, file: str, text: str | None, said: str
) -> None:
    folder = tmp_path / "infra"
    (folder / "lambda").mkdir(parents=True)
    if text is not None:
        (folder / file).write_text(text)
    own = folder / "own.yaml"
    own.write_text(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        f"      Code: {{ ZipFile: {file} }}\n"
    )
    with pytest.raises(SlipwayError) as refused:
        template.load_template(own)
    assert said in refused.value.what and refused.value.fix
