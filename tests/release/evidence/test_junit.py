"""Reports of test runs: which of them tested these bytes, and whether that counts as passed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.release.evidence import junit as reports
from slipway.release.evidence import test_result
from tests.release.evidence.sample_model import COMPLETE, CONTRACT, FAILED, OWN, junit_report

THESE, OTHERS = "a" * 64, "b" * 64
DESELECTED = '<property name="slipway.incomplete" value="test_b was deselected"/>'


def read(folder: Path, *texts: str) -> test_result.TestResult | None:
    for number, text in enumerate(texts):
        (folder / f"{number}.xml").write_text(text, encoding="utf-8")
    return reports.read_reports([folder], "tiny", THESE)


def test_a_complete_run_that_passed_is_returned_with_its_counts(tmp_path: Path) -> None:
    result = read(tmp_path, junit_report(THESE))
    assert result is not None and result.passed and result.reason is None
    assert (result.tests, result.failures, result.skipped, result.seconds) == (2, 0, 0, 2.0)
    assert result.when == "2026-01-02T03:04:07Z"
    assert result.server == "Triton 2.51.0 (release 24.10), from PATH"
    assert result.names == ("models.tiny.tests.test_tiny.test_a", "models.tiny.contract")


def test_a_report_about_other_bytes_is_none_about_these(tmp_path: Path) -> None:
    assert read(tmp_path, junit_report(OTHERS), "<testsuites/>") is None


def test_reports_that_are_not_there_are_none(tmp_path: Path) -> None:
    assert reports.read_reports([tmp_path / "reports", tmp_path / "x.xml"], "tiny", THESE) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (junit_report(THESE, OWN), "the contract test did not run"),
        (junit_report(THESE, FAILED, CONTRACT), "models.tiny.tests.test_tiny.test_a failed"),
        (junit_report(THESE, FAILED.replace("failure", "error"), CONTRACT), "test_a failed"),
        (junit_report(THESE, OWN, CONTRACT, properties=DESELECTED), "test_b was deselected"),
        (junit_report(THESE, OWN, CONTRACT, properties=""), "the run was not finished"),
        (
            junit_report(THESE, OWN, CONTRACT, properties=COMPLETE + DESELECTED),
            "test_b was deselected",
        ),
        (
            junit_report(THESE, OWN, CONTRACT.replace("/>", "><skipped/></testcase>")),
            "contract test did",
        ),
        (
            junit_report(THESE, OWN, CONTRACT.replace("models.tiny", "models.tiny.tests.test_x")),
            "contract",
        ),
        (
            junit_report(THESE, OWN, CONTRACT.replace("models.tiny", "models.tiny2")),
            "contract test did",
        ),
    ],
)
def test_an_incomplete_or_failed_run_does_not_count_as_passed(
    tmp_path: Path, text: str, reason: str
) -> None:
    result = read(tmp_path, text)
    assert result is not None and not result.passed
    assert result.reason is not None and reason in result.reason


def test_an_empty_run_does_not_count(tmp_path: Path) -> None:
    result = read(tmp_path, junit_report(THESE, " "))
    assert result is not None and (result.passed, result.tests) == (False, 0)


def test_several_reports_of_these_bytes_count_together(tmp_path: Path) -> None:
    more = junit_report(THESE, OWN.replace("test_a", "test_b"))
    result = read(tmp_path, junit_report(THESE), more, junit_report(OTHERS, FAILED))
    assert result is not None and (result.passed, result.tests, result.seconds) == (True, 3, 4.0)
    assert [report.file for report in result.reports] == ["0.xml", "1.xml"]


def test_a_test_that_ran_twice_is_one_test(tmp_path: Path) -> None:
    skipped = OWN.replace("/>", "><skipped/></testcase>")
    result = read(tmp_path, junit_report(THESE), junit_report(THESE, skipped, CONTRACT))
    assert result is not None and result.passed
    assert (result.tests, result.skipped, len(result.names)) == (2, 0, 2)
    once = read(tmp_path, junit_report(THESE), junit_report(THESE, FAILED, CONTRACT))
    assert once is not None and (once.tests, once.failures, once.passed) == (2, 1, False)


def test_one_failure_among_several_reports_is_a_failure(tmp_path: Path) -> None:
    result = read(tmp_path, junit_report(THESE), junit_report(THESE, FAILED))
    assert result is not None and (result.passed, result.failures) == (False, 1)


def test_a_selection_does_not_change_the_result_of_a_complete_run(tmp_path: Path) -> None:
    result = read(tmp_path, junit_report(THESE), junit_report(THESE, OWN, properties=DESELECTED))
    assert result is not None and (result.passed, result.tests) == (True, 2)


def test_a_failed_selection_fails_the_result_of_a_complete_run(tmp_path: Path) -> None:
    result = read(tmp_path, junit_report(THESE), junit_report(THESE, FAILED, properties=DESELECTED))
    assert result is not None and not result.passed


def test_of_a_run_of_several_models_each_gets_its_own(tmp_path: Path) -> None:
    other = (
        '<property name="slipway.model" value="other"/>'
        f'<property name="slipway.artifact.sha256" value="{OTHERS}"/>{COMPLETE}'
    )
    broken = FAILED.replace("models.tiny", "models.other")
    text = junit_report(THESE, OWN, CONTRACT, broken, properties=other)
    result = read(tmp_path, text)
    assert result is not None and (result.passed, result.tests) == (True, 2)
    of_other = reports.read_reports([tmp_path], "other", OTHERS)
    assert of_other is not None and not of_other.passed


def test_a_file_is_counted_once_however_often_it_is_named(tmp_path: Path) -> None:
    read(tmp_path, junit_report(THESE))
    result = reports.read_reports([tmp_path, tmp_path / "0.xml"], "tiny", THESE)
    assert result is not None and result.tests == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<testsuites>",
        '<!DOCTYPE x [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><testsuites>&b;</testsuites>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuites>&a;</testsuites>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><testsuites/>',
    ],
)
def test_an_invalid_report_or_one_with_references_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SlipwayError, match="not a JUnit report") as caught:
        read(tmp_path, text)
    assert caught.value.fix and "0.xml" in (caught.value.where or "")


TAGS = st.sampled_from(["testsuites", "testsuite", "properties", "property", "testcase", "failure"])
NAMES = st.sampled_from(["name", "value", "classname", "time", "timestamp", "tests"])
VALUES = st.sampled_from(
    ["slipway.artifact.sha256", THESE, "slipway.complete", "true", "contract", "models.tiny"]
) | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)


def tag(name: str, attributes: dict[str, str], inside: list[str]) -> str:
    from xml.sax.saxutils import quoteattr

    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>"


TREES = st.recursive(
    st.just(""),
    lambda inner: st.builds(tag, TAGS, st.dictionaries(NAMES, VALUES), st.lists(inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None)
@given(inside=TREES)
def test_no_xml_at_all_crashes_or_passes_without_a_contract_test(
    tmp_path_factory: pytest.TempPathFactory, inside: str
) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "0.xml"
    file.write_text(f"<testsuites>{inside}</testsuites>", encoding="utf-8")
    try:
        result = reports.read_reports([file], "tiny", THESE)
    except SlipwayError:
        return  # a character that XML does not have
    assert result is None or not result.passed or "models.tiny.contract" in result.names
