"""SageMaker's jobs on this machine: moto's server, with jobs that really run.

Every request but those for jobs is moto's. A job is created in moto and run as processes by
:mod:`tests.training.sagemaker_job`. A description is moto's answer with the true status. What AWS's
own description of its API refuses is refused.

``python -m tests.training.sagemaker_stand_in -- COMMAND…`` prints its address, and serves until it
is ended; COMMAND is what stands for the image's entry point.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.training.sagemaker_job import Container, Interruption, Job
from tests.training.service_model import violations

TARGET = re.compile(r"SageMaker\.(Create|Describe|Stop)(Training|Processing)Job")


class Refused(Exception):
    """An answer with an error, as the service gives it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class StandIn:
    """The server's state: what tests set, and what they read."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.jobs: dict[str, Job] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """Return the address of every service."""
        return self.container.endpoint

    def interrupt(self, line: str, times: int = 1) -> None:
        """Take spot instances away when a line of a job's log matches."""
        self.container.interruptions.append(Interruption(re.compile(line), times))

    def wait(self, name: str, timeout: float = 300) -> Job:
        """Return the job once it has ended."""
        self.jobs[name].join(timeout)
        assert not self.jobs[name].is_alive(), f"{name} still runs"
        return self.jobs[name]

    def answer(
        self, action: str, kind: str, body: dict[str, Any], moto: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the answer to a request that moto answered with ``moto``."""
        name = body[f"{kind}JobName"]
        if action == "Create":
            job = self.jobs[name] = Job(kind, body, self.container)
            job.start()
            return moto
        job = self.jobs[name]
        if action == "Stop":
            if job.status != "InProgress":
                raise Refused("ValidationException", f"the job is in status {job.status}")
            job.stop()
            return {}
        return _described(job, moto)

    def check(self, action: str, kind: str, body: dict[str, Any]) -> None:
        """Refuse what AWS refuses."""
        wrong = violations("sagemaker", f"{action}{kind}Job", body)
        if wrong:
            raise Refused("ValidationException", "; ".join(wrong))
        name = body[f"{kind}JobName"]
        if action == "Create" and name in self.jobs:
            raise Refused("ResourceInUse", f"{kind} job names must be unique: {name}")
        if action != "Create" and name not in self.jobs:
            raise Refused("ValidationException", "Requested resource not found.")


def _described(job: Job, moto: dict[str, Any]) -> dict[str, Any]:
    kind = job.kind
    answer = {**job.request, **moto, f"{kind}JobStatus": job.status}
    for key in ("FailureReason", "ModelArtifacts", "FinalMetricDataList", "ExitMessage"):
        answer.pop(key, None)
    answer |= {"CreationTime": job.started, "LastModifiedTime": job.transitions[-1]["StartTime"]}
    if job.reason:
        answer["FailureReason"] = job.reason
    if job.message:
        answer["ExitMessage"] = job.message
    ended = job.status in ("Completed", "Failed", "Stopped")
    for key in ("TrainingEndTime", "ProcessingEndTime"):
        answer.pop(key, None)
    if ended:
        answer[f"{kind}EndTime"] = job.ended
    if kind == "Training":
        answer |= {
            "AlgorithmSpecification": job.request["AlgorithmSpecification"],
            "SecondaryStatus": job.secondary,
            "SecondaryStatusTransitions": list(job.transitions),
        }
        if ended:
            answer |= {
                "TrainingTimeInSeconds": int(job.ended - job.started),
                "BillableTimeInSeconds": int(job.billed),
                "FinalMetricDataList": job.metrics(),
            }
        if ended and job.status != "Failed":
            answer["ModelArtifacts"] = moto["ModelArtifacts"]
    return answer


class Application:
    """moto's WSGI application, with the jobs in front of it."""

    def __init__(self, moto: Any) -> None:
        self._moto = moto
        self.stand_in: StandIn | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """See PEP 3333."""
        match = TARGET.fullmatch(environ.get("HTTP_X_AMZ_TARGET", ""))
        if match is None or self.stand_in is None:
            answer: Iterable[bytes] = self._moto(environ, start_response)
            return answer
        data = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = json.loads(data or b"{}")
        self.stand_in.requests.append((match[0].partition(".")[2], body))
        try:
            self.stand_in.check(match[1], match[2], body)
            moto = {} if match[1] == "Stop" else self._ask_moto(environ, data)
            answer_body, status = self.stand_in.answer(match[1], match[2], body, moto), "200 OK"
        except Refused as error:
            answer_body = {"__type": error.code, "message": str(error)}
            status = "400 Bad Request"
        payload = json.dumps(answer_body).encode()
        headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Content-Length", str(len(payload))),
        ]
        start_response(status, headers)
        return [payload]

    def _ask_moto(self, environ: dict[str, Any], data: bytes) -> dict[str, Any]:
        statuses: list[str] = []
        environ["wsgi.input"] = io.BytesIO(data)
        chunks = self._moto(environ, lambda status, *_: statuses.append(status))
        answer: dict[str, Any] = json.loads(b"".join(chunks))
        if not statuses[0].startswith("200"):
            raise Refused(answer.get("__type", "ValidationException"), str(answer.get("message")))
        return answer


@contextlib.contextmanager
def running(
    entry: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    grace: float = 20,
    port: int = 0,
    host: str = "algo-1",
) -> Iterator[StandIn]:
    """Serve on loopback while the block runs; ``entry`` stands for the image's entry point.

    Jobs work below ``folder``. Those that still run at the end are killed.
    """
    application = Application(DomainDispatcherApplication(create_backend_app))
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler
    )
    url = f"http://127.0.0.1:{server.server_port}"
    stand_in = StandIn(Container(entry, environment or {}, url, folder, grace, host))
    application.stand_in = stand_in
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        for job in stand_in.jobs.values():
            job.kill()
        requests.post(f"{url}/moto-api/reset", timeout=60)  # moto's state is the process's
        server.shutdown()
        thread.join()


def main(arguments: Sequence[str]) -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--interrupt", metavar="REGEX", action="append", default=[])
    parser.add_argument("entry", nargs="+")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(options.entry, Path(folder), port=options.port) as stand_in,
    ):
        for line in options.interrupt:
            stand_in.interrupt(line)
        print(stand_in.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1:])
