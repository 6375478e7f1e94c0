"""Spellings of the release before: they work, and a warning on standard error names the new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from slipway.cli.commands import BY_NAME
from tests.cli.test_help import command_of

CASES: dict[str, tuple[str, str, str]] = {
    # the command line, the same in new words, what the warning says
    "publish": ("--to production", "--stage production", "--to is deprecated", ),
    "alias": ("m 1.0.0 --to production", "m 1.0.0 --stage production", "use --stage"),
    "promote": ("m 1.0.0 --to production", "m 1.0.0", "--to production is deprecated"),
    "rollback": ("m --to 1.0.0", "m 1.0.0", "use the argument RELEASE"),
    "affected": ("--format json", "--json", "use --json"),
    "check": ("--format json", "--json", "use --json"),
    "receive": ("m 1.0.0 --most 1GB", "m 1.0.0 --max-size 1GB", "use --max-size"),
}  # fmt: skip
MORE: list[tuple[str, str, str, str]] = [
    ("invoke", "m --output json", "m --json", "use --json"),
    ("invoke", "m --output table", "m", "--output table is deprecated"),
    ("invoke", "m --output npy", "m --output .", "use --output FOLDER"),
    ("invoke", "m --output npy --directory out", "m --output out", "use --output FOLDER"),
    ("invoke", "m --directory out --output npy", "m --output out", "use --output FOLDER"),
    ("invoke", "m --json {}", "m --data {}", "use --data VALUE"),
    ("invoke", 'm --json={"A":1}', 'm --data {"A":1}', "use --data VALUE"),
    ("invoke", "m --json @file.json", "m --data @file.json", "use --data VALUE"),
    ("loadtest", "m --json [] --output json", "m --data [] --json", "use --json"),
    ("loadtest", "m --output table", "m", "--output table is deprecated"),
    ("loadtest", "m --picture load.svg", "m --output load.svg", "use --output"),
]


def parse(name: str, words: str) -> dict[str, Any]:
    """Return the parameters that the command is called with."""
    context: click.Context = command_of(BY_NAME[name]).make_context(name, words.split())
    return {key: value for key, value in context.params.items() if not key.startswith("old_")}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.json").write_text('{"A": 1}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "warning"),
    [(name, *case) for name, case in CASES.items()] + MORE,
)
def test_an_old_spelling_does_the_same_and_warns(
    name: str, old: str, new: str, warning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = parse(name, new)
    assert capsys.readouterr().err == ""
    old_parameters = parse(name, old)
    if name in ("check", "affected"):  # --json goes before a format
        old_parameters["format"] = expected["format"]
    assert old_parameters == expected
    printed = capsys.readouterr().err
    assert printed.startswith("warning: ") and warning in printed


def test_the_json_file_of_a_report_is_an_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse("report", "--json out.json") == parse("report", "--output out.json")
    assert "warning: --json VALUE is deprecated and will be removed; use --output VALUE" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(("option", "parameter"), [("--html", "page"), ("--metrics", "metrics")])
def test_the_other_files_of_a_report_are_written_with_a_warning(
    option: str, parameter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parse("report", f"{option} file")[parameter] == Path("file")
    assert f"warning: {option} is deprecated" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["m --json photo.jpg", "m photo.jpg --json", "--json m photo.jpg"]
)
def test_json_before_a_file_is_not_taken_for_what_is_sent(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = parse("invoke", words)
    assert parameters["as_json"] and parameters["files"] == ("photo.jpg",)
    assert parameters["data"] is None and capsys.readouterr().err == ""
