"""Write and parse the result of a model's tests, an in-toto statement about its artifact.

The predicate is https://in-toto.io/attestation/test-result/v0.1. The annotations of
``configuration``, the JUnit reports, hold the number of tests, their time, and the reason.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from slipway.errors import SlipwayError
from slipway.release.evidence import statement
from slipway.units import format_minute

TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PASSED, FAILED = "PASSED", "FAILED"


@dataclass(frozen=True)
class JUnitReport:
    """One JUnit file that names the artifact's digest: ``sha256`` is the file's own."""

    file: str
    sha256: str
    tests: int
    failures: int
    skipped: int
    seconds: float


@dataclass(frozen=True)
class Recorder:
    """Who tested an artifact on which machine, and in which CI pipeline, if in one."""

    by: str | None
    machine: str
    pipeline: str | None = None

    def __str__(self) -> str:
        """Return a short description."""
        return f"{self.by or 'an unknown user'} on {self.machine}"


@dataclass(frozen=True)
class TestResult:
    """The result of a model's tests.

    Of ``tests``, which took ``seconds``, ``failures`` failed or raised an error, and ``skipped``
    did not run. ``passed`` requires that all the model's tests ran, including its contract test;
    otherwise ``reason`` explains it. ``when`` is the end of the last test, in ISO 8601, UTC.
    ``server`` describes the Triton; ``restarts`` say how it ended by itself each time before it was
    started again. ``names`` are the tests that passed, ``failed`` those that
    failed; skipped tests are in neither. ``recorder`` is set where another machine than the one
    that publishes ran them.
    """

    # pytest would collect the class as tests because of its name
    __test__: ClassVar[bool] = False

    passed: bool
    tests: int
    failures: int
    when: str
    skipped: int = 0
    seconds: float = 0.0
    reason: str | None = None
    server: str | None = None
    restarts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reports: tuple[JUnitReport, ...] = ()
    recorder: Recorder | None = None

    def __str__(self) -> str:
        """Return a short description."""
        ran = f"{self.tests - self.failures - self.skipped} of {self.tests} tests passed"
        if self.passed:
            times = f"Triton was started again {len(self.restarts)} ×, "
            after = f"{times}it ended {self.restarts[-1]}; " if self.restarts else ""
            by = f", by {self.recorder}" if self.recorder else ""
            return f"{ran} in {self.seconds:.1f} s, {after}{format_minute(self.when)} UTC{by}"
        return f"{ran}: {self.reason}" if self.reason else f"{ran}, {self.failures} failed"


def dump_test_result(result: TestResult, artifact: str, sha256: str) -> bytes:
    """Return the statement, the payload of an envelope."""
    # protobuf takes long to import
    from google.protobuf.json_format import MessageToDict
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

    message = test_result_pb2.TestResult(
        result=PASSED if result.passed else FAILED,
        configuration=[
            statement.resource_descriptor(
                report.file,
                sha256=report.sha256,
                annotations={
                    "tests": report.tests,
                    "failures": report.failures,
                    "skipped": report.skipped,
                    "seconds": report.seconds,
                },
            )
            for report in result.reports
        ],
        passed_tests=result.names,
        failed_tests=result.failed,
    )
    predicate = MessageToDict(message)
    # the predicate has no fields for these; in-toto's rules allow further ones
    predicate["slipway"] = {
        "tests": result.tests,
        "failures": result.failures,
        "skipped": result.skipped,
        "seconds": result.seconds,
        "finishedOn": result.when,
        "reason": result.reason,
        "server": result.server,
        "restarts": list(result.restarts),
    }
    if result.recorder is not None:
        predicate["slipway"]["recorder"] = asdict(result.recorder)
    return statement.dump_statement(TYPE, predicate, artifact, sha256)


def parse_test_result(attested: statement.Statement, where: str) -> TestResult:
    """Return the test result that :func:`dump_test_result` wrote.

    Raises:
        SlipwayError: the statement is not a test result; names ``where``.
    """
    if attested.kind != TYPE:
        raise damaged_evidence(where, f"a statement of the type {attested.kind[:200]!r}")
    try:
        counts = attested.predicate["slipway"]
        result = attested.predicate["result"]
        if result not in (PASSED, FAILED):
            raise ValueError(f"result is {result!r:.40}")
        tested = TestResult(
            passed=result == PASSED,
            tests=_number(counts["tests"]),
            failures=_number(counts["failures"]),
            when=_text(counts["finishedOn"]),
            skipped=_number(counts["skipped"]),
            seconds=float(counts["seconds"]),
            reason=None if counts.get("reason") is None else _text(counts["reason"]),
            server=None if counts.get("server") is None else _text(counts["server"]),
            restarts=tuple(map(_text, counts.get("restarts", ()))),
            names=tuple(map(_text, attested.predicate.get("passedTests", ()))),
            failed=tuple(map(_text, attested.predicate.get("failedTests", ()))),
            reports=tuple(map(_report, attested.predicate.get("configuration", ()))),
            recorder=_recorder(counts["recorder"]) if "recorder" in counts else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged_evidence(where, f"not a Slipway test result: {error!r:.200}") from error
    if tested.passed and (tested.failures or not tested.tests):
        raise damaged_evidence(
            where, f"passed, with {tested.failures} failures in {tested.tests} tests"
        )
    return tested


def damaged_evidence(where: str, what: str) -> SlipwayError:
    """Return the error for evidence that is damaged."""
    return SlipwayError(what, where=where, fix="test the artifact again, then slipway publish")


def _report(value: Any) -> JUnitReport:
    counts = value.get("annotations", {})
    return JUnitReport(
        _text(value["name"]),
        _text(value["digest"]["sha256"]),
        _number(counts["tests"]),
        _number(counts["failures"]),
        _number(counts["skipped"]),
        float(counts["seconds"]),
    )


def _recorder(value: Any) -> Recorder:
    by, pipeline = value["by"], value["pipeline"]
    return Recorder(
        None if by is None else _text(by),
        _text(value["machine"]),
        None if pipeline is None else _text(pipeline),
    )


def _number(value: Any) -> int:
    # protobuf's structures hold floats only
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"{value!r:.40} is not an integer")
    if value < 0:
        raise ValueError(f"{value!r:.40} is below 0")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value
