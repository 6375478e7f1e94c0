"""JUnit reports of pytest with Slipway's plugin: which of them tested an artifact, and how it went.

Tests wrote these files: defusedxml reads them, without entities or references.
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
    SERVER,
    SHA256,
)
from slipway.release.evidence.test_result import JUnitReport, TestResult

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST = 64 << 20
# a case is not passed if it holds one of these
BROKEN = ("failure", "error")


@dataclass
class _Run:
    """One suite of a file, as far as it is about the model."""

    file: Path
    ended: datetime | None = None
    complete: bool = False
    reason: str | None = None
    server: str | None = None
    contract: bool = False
    seconds: float = 0.0
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_reports(reports: Iterable[Path], name: str, sha256: str) -> TestResult | None:
    """Return what the reports (files, or folders of ``*.xml``) say of the artifact with this
    digest, of the model ``name``; ``None`` if none of them tested it.

    Several count together, as Pants writes one for a file or a batch of files: each has to have
    passed; a test that ran in two of them is one. A run of a selection counts for nothing where
    another one was whole, unless it failed.

    Raises:
        SlipwayError: a file is no XML that can be read safely, or too large.
    """
    runs = [run for file in _files(reports) for run in _runs(file, name, sha256)]
    if not runs:
        return None
    whole = [run for run in runs if run.complete]
    counted = [run for run in runs if run.complete or run.failed] if whole else runs
    failed = dict.fromkeys(case for run in counted for case in run.failed)
    names = dict.fromkeys(case for run in counted for case in run.passed if case not in failed)
    skipped = {case for run in counted for case in run.skipped} - {*failed, *names}
    reason = _reason(counted, whole)
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
        names=tuple(names),
        failed=tuple(failed),
        reports=tuple(_report(run) for run in counted),
    )


def _reason(counted: Sequence[_Run], whole: Sequence[_Run]) -> str | None:
    failed = [f"{case} failed ({run.file.name})" for run in counted for case in run.failed]
    if failed:
        return failed[0] if len(failed) == 1 else f"{failed[0]}, {len(failed) - 1} more failed"
    if not whole:
        reasons = (run.reason for run in counted if run.reason)
        return next(reasons, "the run was not finished")
    if not any(run.contract for run in whole):
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
        told = [
            (found.get("name", ""), found.get("value") or found.text or "")
            for found in suite.findall("./properties/property")
        ]
        if (SHA256, sha256) in told:
            yield _run(file, suite, told, name)


def _run(file: Path, suite: Element, told: Sequence[tuple[str, str]], name: str) -> _Run:
    values = dict(told)
    run = _Run(file, server=values.get(SERVER), reason=values.get(INCOMPLETE))
    run.complete = values.get(COMPLETE) == "true" and run.reason is None
    run.seconds = _seconds(suite)
    run.ended = _ended(suite, run.seconds)
    others = {value for key, value in told if key == MODEL} - {name}
    for case in suite.iter("testcase"):
        place, title = case.get("classname", ""), case.get("name", "")
        if any(_of(place, other) for other in others):
            continue
        full = f"{place}.{title}".strip(".")
        if any(case.find(tag) is not None for tag in BROKEN):
            run.failed.append(full)
        elif case.find("skipped") is not None:
            run.skipped.append(full)
        else:
            run.passed.append(full)
            run.contract |= title == CONTRACT and _of(place, name) == "whole"
    return run


def _of(place: str, model: str) -> str | None:
    """Whether a case's class lies in ``models/<model>``, or is (``whole``) that folder."""
    found = re.search(rf"(?:^|\.)models\.{re.escape(model)}(\.|$)", place)
    return None if found is None else "part" if found[1] else "whole"


def _root(file: Path) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    fix = "remove it, or write it again: slipway test"
    size = file.stat().st_size
    if size > LARGEST:
        raise SlipwayError(f"{size} bytes are too many for a test report", where=str(file), fix=fix)
    try:
        found: Element = fromstring(file.read_bytes(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SlipwayError(
            f"not a JUnit report: {error!s:.200}", where=str(file), fix=fix
        ) from error
    return found


def _seconds(suite: Element) -> float:
    try:
        seconds = float(suite.get("time", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and 0 <= seconds < 1e9 else 0.0


def _ended(suite: Element, seconds: float) -> datetime | None:
    try:
        begun = datetime.fromisoformat(suite.get("timestamp", ""))
        return begun.astimezone(UTC) + timedelta(seconds=seconds)
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
