"""The report on a merge request: one note, whoever else writes there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from slipway.catalog.origin import Origin
from slipway.cli import main
from slipway.pipeline import gitlab_api
from slipway.pipeline.report import gitlab_note
from slipway.pipeline.report.build import ModelReport, Report
from slipway.pipeline.report.render import MARKER
from tests.pipeline.gitlab_counterpart import ME, TOKEN, GitLab
from tests.pipeline.notify import receivers
from tests.pipeline.notify.receivers import Receiver, Reply

ONE = Report((ModelReport("m", failed=True),), (), (), Origin("c0ffee"))
TWO = Report((ModelReport("other", failed=True),), (), (), Origin("c0ffee"))


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with receivers.running(GitLab()) as running:
        assert isinstance(running, GitLab)
        yield running


def test_the_first_report_is_a_new_note_and_the_next_renews_it(gitlab: GitLab) -> None:
    gitlab.note("LGTM")
    assert (
        gitlab_note.update_note(ONE, gitlab.variables())
        == "merge request !3: created the report's note"
    )
    assert (
        gitlab_note.update_note(TWO, gitlab.variables())
        == "merge request !3: updated the report's note"
    )
    other, own = gitlab.notes.values()
    assert other["body"] == "LGTM"
    assert "`other`" in own["body"] and MARKER in own["body"] and own["author"]["id"] == ME


def test_an_equal_report_is_left_as_it_is(gitlab: GitLab) -> None:
    gitlab_note.update_note(ONE, gitlab.variables())
    asked = len(gitlab.requests)
    assert gitlab_note.update_note(ONE, gitlab.variables()).endswith("note is up to date")
    assert {request.method for request in gitlab.requests[asked:]} == {"GET"}


def test_its_own_note_is_found_behind_many_pages_of_others(gitlab: GitLab) -> None:
    for number in range(5):
        gitlab.note(f"comment {number}")
    own = gitlab.note(f"old\n{MARKER}", ME)
    for number in range(5):
        gitlab.note(f"later comment {number}")
    gitlab_note.update_note(ONE, gitlab.variables())
    assert len(gitlab.notes) == 11
    assert "`m`" in gitlab.notes[own]["body"]


def test_somebody_who_quotes_a_report_keeps_the_quotation(gitlab: GitLab) -> None:
    quoted = gitlab.note(f"> Slipway\n{MARKER}\nis this right?")
    gitlab_note.update_note(ONE, gitlab.variables())
    assert gitlab.notes[quoted]["body"].endswith("is this right?")
    assert len(gitlab.notes) == 2


def test_of_two_that_two_jobs_left_the_older_stays(gitlab: GitLab) -> None:
    first, second = gitlab.note(MARKER, ME), gitlab.note(MARKER, ME)
    gitlab_note.update_note(ONE, gitlab.variables())
    assert first in gitlab.notes and second not in gitlab.notes


@pytest.mark.parametrize("name", ["SLIPWAY_GITLAB_TOKEN", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID"])
def test_without_token_or_merge_request_it_says_so(gitlab: GitLab, name: str) -> None:
    variables = {key: value for key, value in gitlab.variables().items() if key != name}
    said = gitlab_note.update_note(ONE, variables)
    assert said == f"no comment on a merge request: {name} not set"
    assert gitlab.requests == []


def test_a_server_is_found_without_the_variable_of_its_api(gitlab: GitLab) -> None:
    variables = gitlab.variables()
    del variables["CI_API_V4_URL"]
    assert gitlab_note.update_note(ONE, variables).endswith("created the report's note")


@pytest.mark.parametrize("reply", [Reply(401, "{}"), Reply(500, TOKEN), Reply(200, "<html>")])
def test_a_refusal_is_a_warning_without_the_token(gitlab: GitLab, reply: Reply) -> None:
    gitlab.replies = [reply] * 20
    said = gitlab_note.update_note(ONE, gitlab.variables())
    assert said.startswith("warning: no comment on the merge request: ")
    assert TOKEN not in said


def test_a_redirect_does_not_carry_the_token_elsewhere(gitlab: GitLab) -> None:
    with receivers.running(Receiver()) as elsewhere:
        moved = Reply(302, "", (("Location", f"{elsewhere.url}/api/v4/user"),))
        gitlab.replies = [moved]
        assert gitlab_note.update_note(ONE, gitlab.variables()).startswith("warning: ")
        assert elsewhere.requests == []


def test_a_report_too_long_for_a_note_leaves_the_details_out(
    gitlab: GitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitlab_note, "MAX_CHARACTERS", 400)
    long = ModelReport("m", problems={"artifact": "x" * 1000}, failed=True)
    gitlab_note.update_note(Report((long,), (), (), Origin()), gitlab.variables())
    (note,) = gitlab.notes.values()
    assert len(note["body"]) <= 400
    assert "The details are in the job's artifacts" in note["body"]
    assert MARKER in note["body"]


def test_failed_jobs_are_those_of_the_pipeline_that_may_not_fail(
    gitlab: GitLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, status, allowed in (
        ("build", "success", False),
        ("smoke", "failed", False),
        ("report", "failed", True),
        ("promote", "failed", False),
    ):
        url = f"{gitlab.url}/jobs/{name}"
        job = {"id": 1, "name": name, "status": status, "allow_failure": allowed, "web_url": url}
        gitlab.jobs.append(job)
    assert gitlab_api.failed_jobs(gitlab.variables()) == [
        ("smoke", f"{gitlab.url}/jobs/smoke"),
        ("promote", f"{gitlab.url}/jobs/promote"),
    ]
    for key, value in gitlab.variables().items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("CI_JOB_STATUS", raising=False)
    assert main(["notify", "failed", "--dry-run"]) == 0
    assert f"job: smoke ({gitlab.url}/jobs/smoke)" in capsys.readouterr().out
