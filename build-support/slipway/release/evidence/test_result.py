"""What a run of a model's tests found, and the in-toto statement that says so of its artifact.

The predicate is https://in-toto.io/attestation/test-result/v0.1. The annotations of
``configuration``, the JUnit reports, hold the number of tests, their time, and the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from slipway.errors import SlipwayError
from slipway.release.evidence import statement

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
class TestResult:
    """``tests`` ran in ``seconds``, ``failures`` of them failed or broke, ``skipped`` did not run.

    ``passed`` only if all the model's tests ran, its contract test among them; else ``reason`` says
    why not. ``when`` the last of them ended, in ISO 8601, UTC. ``server`` is the Triton.
    ``names`` and ``failed`` are the tests that passed and that did not; ``skipped`` are in neither.
    """

    # not a class of tests, whatever pytest takes its name for
    __test__: ClassVar[bool] = False

    passed: bool
    tests: int
    failures: int
    when: str
    skipped: int = 0
    seconds: float = 0.0
    reason: str | None = None
    server: str | None = None
    names: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    reports: tuple[JUnitReport, ...] = ()

    def __str__(self) -> str:
        """In a few words, for people."""
        ran = f"{self.tests - self.failures - self.skipped} of {self.tests} tests passed"
        if self.passed:
            return f"{ran} in {self.seconds:.1f} s, {self.when[:16].replace('T', ' ')} UTC"
        return f"{ran}: {self.reason}" if self.reason else f"{ran}, {self.failures} failed"


def dump_test_result(tested: TestResult, artifact: str, sha256: str) -> bytes:
    """The statement, as the payload of an envelope."""
    # protobuf takes long to import
    from google.protobuf.json_format import MessageToDict
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2

    said = test_result_pb2.TestResult(
        result=PASSED if tested.passed else FAILED,
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
            for report in tested.reports
        ],
        passed_tests=tested.names,
        failed_tests=tested.failed,
    )
    predicate = MessageToDict(said)
    # the predicate has no place for these, and allows more fields than it names (in-toto's rules)
    predicate["slipway"] = {
        "tests": tested.tests,
        "failures": tested.failures,
        "skipped": tested.skipped,
        "seconds": tested.seconds,
        "finishedOn": tested.when,
        "reason": tested.reason,
        "server": tested.server,
    }
    return statement.dump_statement(TYPE, predicate, artifact, sha256)


def parse_test_result(said: statement.Statement, where: str) -> TestResult:
    """What :func:`dump_test_result` wrote.

    Raises:
        SlipwayError: it is none; ``where`` is named.
    """
    if said.kind != TYPE:
        raise damaged_evidence(where, f"a statement of the type {said.kind[:200]!r}")
    try:
        counted = said.predicate["slipway"]
        result = said.predicate["result"]
        if result not in (PASSED, FAILED):
            raise ValueError(f"result is {result!r:.40}")
        found = TestResult(
            passed=result == PASSED,
            tests=_number(counted["tests"]),
            failures=_number(counted["failures"]),
            when=_text(counted["finishedOn"]),
            skipped=_number(counted["skipped"]),
            seconds=float(counted["seconds"]),
            reason=None if counted.get("reason") is None else _text(counted["reason"]),
            server=None if counted.get("server") is None else _text(counted["server"]),
            names=tuple(map(_text, said.predicate.get("passedTests", ()))),
            failed=tuple(map(_text, said.predicate.get("failedTests", ()))),
            reports=tuple(map(_report, said.predicate.get("configuration", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged_evidence(where, f"not a Slipway test result: {error!r:.200}") from error
    if found.passed and (found.failures or not found.tests):
        raise damaged_evidence(
            where, f"passed, with {found.failures} failures in {found.tests} tests"
        )
    return found


def damaged_evidence(where: str, what: str) -> SlipwayError:
    """What to say of evidence that is not what it should be."""
    return SlipwayError(what, where=where, fix="test the artifact again, then slipway publish")


def _report(value: Any) -> JUnitReport:
    told = value.get("annotations", {})
    return JUnitReport(
        _text(value["name"]),
        _text(value["digest"]["sha256"]),
        _number(told["tests"]),
        _number(told["failures"]),
        _number(told["skipped"]),
        float(told["seconds"]),
    )


def _number(value: Any) -> int:
    # JSON of protobuf's structures knows floats only
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"{value!r:.40} is not a whole number")
    if value < 0:
        raise ValueError(f"{value!r:.40} is below 0")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value
