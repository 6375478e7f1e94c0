"""A report as Markdown, JSON and OpenMetrics."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from slipway.catalog.origin import Origin
from slipway.pipeline.report import openmetrics, render
from slipway.pipeline.report.build import ModelReport, Report
from slipway.pipeline.report.facts import ProposedVersion
from slipway.pipeline.report.view.view import build_view
from slipway.release.evaluation.evaluation import MetricComparison
from tests.pipeline.report import sample_report
from tests.pipeline.report.sample_report import EVIL

# as GitLab reads it: CommonMark with tables, and HTML that it sanitizes
PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


def tokens(markdown: str) -> list[Token]:
    """Every token of a text, those within lines as well."""
    return [inner for token in PARSER.parse(markdown) for inner in (token, *(token.children or ()))]


def table(markdown: str, number: int = 0) -> list[list[str]]:
    """The cells of one of its tables, as they are read."""
    rows: list[list[str]] = []
    tables = -1
    for token in PARSER.parse(markdown):
        tables += token.type == "table_open"
        if tables == number and token.type == "tr_open":
            rows.append([])
        elif tables == number and token.type == "inline":
            rows[-1].append("".join(child.content for child in token.children or ()))
        elif tables == number and token.type == "table_close":
            break
    return rows


def test_the_summary_stands_first_and_each_model_has_a_row() -> None:
    markdown = render.render_markdown(sample_report.report())
    assert markdown.startswith("### Slipway: 6 models: 1 changed, 1 new, 1 deleted, 1 failed, 2 ")
    rows = table(markdown)
    assert [row[:2] for row in rows] == [
        ["Model", "Release"],
        [EVIL, "❌ 1.0.0 → 1.0.1"],
        ["broken", "❌ failed"],
        ["fresh", "0.1.0, new in production"],
    ]
    assert rows[1][2:] == [
        "⚠️ 45.0 MB (+50 %)",
        "⚠️ 2.10 s (+91 %)",
        "⚠️ 12 ms (+20 %) slower",
        "21 ms (+5.0 %)",
        "❌ 4 labels changed, 1 error in only one release, SCORE ±0.25, NEW is new",
        "❌ auc refused",
        "❌ 2 of 19 failed",
        "❌ 1 error, 2 warnings",
    ]
    assert rows[3][2:] == ["1 kB", "2.10 s", "12 ms", "21 ms", "–", "–", "3 passed", "no mistakes"]


def test_nothing_that_people_wrote_becomes_markup() -> None:
    html = [
        token
        for token in tokens(render.render_markdown(sample_report.report()))
        if "html" in token.type
    ]
    allowed = r"</?(details|summary|strong)>|<!-- slipway report -->"
    for token in html:
        left = re.sub(allowed, "", token.content)
        assert "<" not in left, token.content
    assert not [
        t for t in tokens(render.render_markdown(sample_report.report())) if t.type == "image"
    ]


def test_commits_that_look_like_lists_or_headings_are_lines() -> None:
    markdown = render.render_markdown(sample_report.report())
    said = tokens(markdown[markdown.index("Commits since") :].split("</details>")[0])
    assert not [t for t in said if t.type in ("ordered_list_open", "heading_open")]
    texts = [t.content for t in said if t.type == "inline"][: len(sample_report.full().commits) + 1]
    assert [re.sub(r"\\", "", text) for text in texts[-3:]] == [
        "1. not a list",
        "- nor this",
        "# nor a heading",
    ]


def test_a_diff_with_a_fence_in_it_stays_one_block() -> None:
    fences = [
        t for t in tokens(render.render_markdown(sample_report.report())) if t.type == "fence"
    ]
    (diff,) = [fence for fence in fences if fence.info == "diff"]
    assert diff.content == sample_report.DIFF + "\n"


@given(st.text())
def test_any_text_is_read_as_it_was(text: str) -> None:
    line = " ".join(text.split())
    markdown = render.escape_markdown(text)
    if line:
        (inline,) = [
            token for token in PARSER.parse(f"| {markdown} |\n|---|") if token.type == "inline"
        ]
        said = "".join(child.content for child in inline.children or ())
        assert said == line.replace("\0", "\ufffd")
        assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


@given(st.text(alphabet="`|\\ ab"))
def test_any_name_in_fixed_width_is_read_as_it_was(text: str) -> None:
    line = " ".join(text.split())
    if line:
        (row,) = table(f"| {render.code_span(text)} |\n|---|")
        assert row == [line]


def test_one_changed_model_is_the_headline() -> None:
    assert build_view(sample_report.report(sample_report.full("m"))).headline.startswith("4 models")
    alone = Report((sample_report.full("m"),), (), (), Origin())
    assert build_view(alone).headline == "m 1.0.0 → 1.0.1"
    assert build_view(Report((), (), (), Origin())).headline == "No model is affected"


@pytest.mark.parametrize(
    ("part", "version", "said"),
    [
        ("major", "2.0.0", "the changes are major: 2.0.0 or higher (slipway bump m)"),
        ("minor", "1.1.0", "the changes are minor: 1.1.0 or higher (slipway bump m)"),
        ("patch", "1.0.1", "the changes are patch, 1.0.1 fits"),
        (None, "1.0.0", "only the version changed"),
    ],
)
def test_the_version_is_judged_by_what_changed(part: str | None, version: str, said: str) -> None:
    model = replace(sample_report.full("m"), proposed=ProposedVersion(part, version, ()))
    sections = {s.title: s for s in build_view(sample_report.report(model)).models[0].sections}
    assert sections["Version"].lines[0].text == said


def test_a_load_is_slower_only_if_each_was() -> None:
    model = sample_report.full("m")
    assert model.measured is not None
    noisy = replace(model.measured, loads=replace(model.measured.loads, served=(1.0, 1.1, 3.0)))
    cells = build_view(sample_report.report(replace(model, measured=noisy))).models[0].cells
    assert (cells[3].text.split(), cells[3].tone) == (["2.10", "s", "(+91", "%)"], "")


def test_many_metrics_without_a_rule_are_counted_and_not_listed() -> None:
    metrics = tuple(MetricComparison(f"m{n}", 1.0, None, None, "new") for n in range(30))
    model = replace(sample_report.full("m"), metrics=metrics)
    sections = {s.title: s for s in build_view(sample_report.report(model)).models[0].sections}
    assert len(sections["Metrics"].rows) == 8
    assert "22 more without a rule are in the report's JSON." in [
        line.text for line in sections["Metrics"].lines
    ]


def test_json_has_no_number_that_json_lacks() -> None:
    nothing = MetricComparison("auc", math.nan, math.inf, None, "changed")
    said = sample_report.report(replace(sample_report.full("m"), metrics=(nothing,))).as_json()
    text = json.dumps(said, allow_nan=False)
    assert json.loads(text)["models"][0]["metrics"][0]["candidate"] is None
    assert json.loads(text)["failed"] is False


def test_open_metrics_are_read_by_a_parser_of_open_metrics() -> None:
    text = openmetrics.render_openmetrics(sample_report.report())
    parsed = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parsed}
    samples = families["slipway_latency_seconds"].samples
    assert {(s.labels["model"], s.labels["level"]): s.value for s in samples} == {
        (EVIL, "p50"): 0.012,
        (EVIL, "p99"): 0.021,
        ("fresh", "p50"): 0.012,
        ("fresh", "p99"): 0.021,
    }
    assert {family.type for family in families.values()} == {"gauge"}
    sizes = {s.labels["model"]: s.value for s in families["slipway_artifact_size_bytes"].samples}
    assert sizes == {EVIL: 45e6, "fresh": 1e3}


def test_a_model_that_failed_says_why() -> None:
    failed = ModelReport("m", problems={"artifact": "no such file"}, failed=True)
    markdown = render.render_markdown(Report((failed,), (), (), Origin()))
    assert "artifact: no such file" in markdown
