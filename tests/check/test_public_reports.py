"""Public reports about Triton: the check finds the mistake at its line, or the model is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import Finding, check
from slipway.settings import load
from tests.check import public_reports
from tests.check.public_reports import CHANCE, NOT_HERE, RIGHT, Report, reports
from tests.check.real_server import RealServer

SERVER = "triton-inference-server/server"
SOURCES = {
    SERVER: (
        "443 1105 1889 2268 2885 3332 3419 3505 3633 3885 3894 3915 4445 4506 4671 4815 4903 5053"
        " 5150 5452 5726 5742 5822 5943 5977 6123 6505 6571 6630 6776 6832 7029 7125 7275 7355"
        " 8290 8592"
    ),
    "triton-inference-server/fastertransformer_backend": "155",
    "triton-inference-server/python_backend": "28",
    "triton-inference-server/tensorrtllm_backend": "210 250 393 501 621",
    "triton-inference-server/tutorials": "137",
    "aws/deep-learning-containers": "3299",
    "instill-ai/community": "244",
    "NVIDIA-Merlin/systems": "393",
}


def _formatted(findings: list[Finding], severity: str, folder: Path) -> tuple[str, ...]:
    return tuple(
        f"{finding.rule} {str(finding.location).removeprefix(f'{folder}/')}".replace(
            str(folder), "."
        )
        for finding in findings
        if finding.severity == severity
    )


@pytest.mark.parametrize("report", reports().values(), ids=lambda report: report.name)
def test_a_mistake_that_people_reported_is_found_at_its_line_and_is_the_only_one(
    report: Report, tmp_path: Path
) -> None:
    folder, _ = report.make(tmp_path)
    findings = check([folder], load(tmp_path))
    assert _formatted(findings, "error", folder) == report.found
    assert set(report.warned) <= set(_formatted(findings, "warning", folder))
    # only a valid model has neither
    assert (report.server == RIGHT) == (not report.found and not report.warned)


def test_the_real_server_judges_them_as_the_check_does(tmp_path: Path) -> None:
    """A folder that the check passes is answered rightly; all others are refused, or fail."""
    wrong: list[str] = []
    with RealServer(tmp_path / "server") as server:
        for report in reports().values():
            if report.server in (CHANCE, NOT_HERE):
                continue
            folder, others = report.make(tmp_path / report.name)
            outcome = server.outcome(folder, report.requests, others)
            verdict, message = public_reports.judge(outcome)
            if verdict != report.server or report.message not in message:
                wrong.append(f"{report.name}: {verdict}: {message}")
            elif verdict == RIGHT:
                answers = [
                    {name: array.tolist() for name, array in answer.items()}
                    for answer in outcome.answers
                    if isinstance(answer, dict)
                ]
                wrong += [f"{report.name}: {answers}"] * (answers != report.answers)
    assert wrong == []


def test_steps_of_equal_names_are_answered_by_their_own_model_in_both_orders(
    tmp_path: Path,
) -> None:
    report = reports()["equal_names_in_two_folders"]
    folder, others = report.make(tmp_path / "repository")
    with RealServer(tmp_path / "server") as server:
        for last, first, answer in ((folder, others[0], 2.0), (others[0], folder, 3.0)):
            outcome = server.outcome(last, report.requests, [first])
            (found,) = outcome.answers
            assert isinstance(found, dict) and found["Y"].tolist() == [[answer]]


def test_no_report_is_left_out() -> None:
    named = {source for report in reports().values() for source in report.sources}
    listed = {
        f"{repository}#{number}"
        for repository, numbers in SOURCES.items()
        for number in numbers.split()
    }
    assert listed - named == set()


def test_each_folder_says_what_it_is_about() -> None:
    for report in reports().values():
        assert report.situation.endswith(".") and report.sources, report.name
