"""Read the JUnit reports that pytest writes with Slipway's plugin.

Tests write these files, so they are untrusted: defusedxml reads them, without entities or
references.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from slipway.errors import SlipwayError
from slipway.release.evidence.junit_properties import (
    COMPLETE,
    CONTRACT,
    INCOMPLETE,
    MODEL,
    RESTART,
    SERVER,
    SHA256,
)
from slipway.release.evidence.test_result import JUnitReport, TestResult

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST = 64 << 20
# a test case that holds one of these did not pass
BROKEN = ("failure", "error")


@dataclass
class _Run:
    """The test cases of one model in one suite of a file."""

    file: Path
    ended: datetime | None = None
    complete: bool = False
    reason: str | None = None
    server: str | None = None
    contract: bool = False
    restarts: tuple[str, ...] = ()
    seconds: float = 0.0
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_reports(reports: Iterable[Path], name: str, sha256: str) -> TestResult | None:
    """Return the test result of the artifact ``sha256`` of the model ``name``; ``None`` if none of
    ``reports`` (files, or folders of ``*.xml``) tested it.

    Several reports count together, because Pants writes one for each file or batch of files. All
    have to have passed, and a test that ran in two of them counts once. Where a complete run
    exists, a run of selected tests counts only if it failed.

    Raises:
        SlipwayError: a file is too large, or not XML that can be read safely.
    """
    runs = [run for file in _files(reports) for run in _runs(file, name, sha256)]
    if not runs:
        return None
    complete = [run for run in runs if run.complete]
    counted = [run for run in runs if run.complete or run.failed] if complete else runs
    failed = dict.fromkeys(case for run in counted for case in run.failed)
    names = dict.fromkeys(case for run in counted for case in run.passed if case not in failed)
    skipped = {case for run in counted for case in run.skipped} - {*failed, *names}
    reason = _reason(counted, complete)
    ended = [run.ended for run in counted if run.ended]
    return TestResult(
        passed=reason is None,
        tests=len(failed) + len(names) + len(skipped),
        failures=len(failed),
        when=(max(ended) if ended else datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        skipped=len(skipped),
        seconds=round(sum(run.seconds for run in counted), 3),
        reason=reason,
        server=next((run.server for run in counted if run.server), None),
        restarts=tuple(how for run in counted for how in run.restarts),
        names=tuple(names),
        failed=tuple(failed),
        reports=tuple(_report(run) for run in counted),
    )


def _reason(counted: Sequence[_Run], complete: Sequence[_Run]) -> str | None:
    failed = [f"{case} failed ({run.file.name})" for run in counted for case in run.failed]
    if failed:
        return failed[0] if len(failed) == 1 else f"{failed[0]}, {len(failed) - 1} more failed"
    if not complete:
        reasons = (run.reason for run in counted if run.reason)
        return next(reasons, "the run was not finished")
    if not any(run.contract for run in complete):
        return "the contract test did not run"
    return None


def _files(reports: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in reports:
        for file in sorted(path.rglob("*.xml")) if path.is_dir() else [path]:
            if file.is_file() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _runs(file: Path, name: str, sha256: str) -> Iterator[_Run]:
    for suite in _root(file).iter("testsuite"):
        properties = [
            (element.get("name", ""), element.get("value") or element.text or "")
            for element in suite.findall("./properties/property")
        ]
        if (SHA256, sha256) in properties:
            yield _run(file, suite, properties, name)


def _run(file: Path, suite: Element, properties: Sequence[tuple[str, str]], name: str) -> _Run:
    values = dict(properties)
    run = _Run(file, server=values.get(SERVER), reason=values.get(INCOMPLETE))
    run.complete = values.get(COMPLETE) == "true" and run.reason is None
    restarts = [value.partition(" ") for key, value in properties if key == RESTART]
    run.restarts = tuple(how for model, _, how in restarts if model == name)
    run.seconds = _seconds(suite)
    run.ended = _ended(suite, run.seconds)
    others = {value for key, value in properties if key == MODEL} - {name}
    for case in suite.iter("testcase"):
        classname, title = case.get("classname", ""), case.get("name", "")
        if any(_match_model(classname, other) for other in others):
            continue
        full = f"{classname}.{title}".strip(".")
        if any(case.find(tag) is not None for tag in BROKEN):
            run.failed.append(full)
        elif case.find("skipped") is not None:
            run.skipped.append(full)
        else:
            run.passed.append(full)
            run.contract |= title == CONTRACT and _match_model(classname, name) == "model"
    return run


def _match_model(classname: str, model: str) -> str | None:
    """Return ``model`` if a case's class is the folder ``models/<model>``, ``part`` if it is inside
    of it, else ``None``."""
    match = re.search(rf"(?:^|\.)models\.{re.escape(model)}(\.|$)", classname)
    return None if match is None else "part" if match[1] else "model"


def _root(file: Path) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    fix = "remove it, or run the tests again: slipway test"
    size = file.stat().st_size
    if size > LARGEST:
        what = f"a test report of {size} bytes exceeds the limit of {LARGEST}"
        raise SlipwayError(what, where=str(file), fix=fix)
    try:
        root: Element = fromstring(file.read_bytes(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SlipwayError(
            f"not a JUnit report: {error!s:.200}", where=str(file), fix=fix
        ) from error
    return root


def _seconds(suite: Element) -> float:
    try:
        seconds = float(suite.get("time", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and 0 <= seconds < 1e9 else 0.0


def _ended(suite: Element, seconds: float) -> datetime | None:
    try:
        start = datetime.fromisoformat(suite.get("timestamp", ""))
        return start.astimezone(UTC) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _report(run: _Run) -> JUnitReport:
    data = run.file.read_bytes()
    return JUnitReport(
        run.file.name,
        hashlib.sha256(data).hexdigest(),
        len(run.passed) + len(run.failed) + len(run.skipped),
        len(run.failed),
        len(run.skipped),
        run.seconds,
    )
