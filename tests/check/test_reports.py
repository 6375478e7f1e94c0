"""The formats: text for people, JSON, GitLab's report and SARIF for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import validate

from slipway.check import RULES, Finding, Location
from slipway.check.report import CheckReport, render_report

# as GitLab documents it: https://docs.gitlab.com/ci/testing/code_quality/
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "not": {"pattern": r"^(/|\./|\.\.)"}},
                    "lines": {"properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}

# the requirements of SARIF 2.1.0 for the written parts
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"properties": {"driver": {"required": ["name", "rules"]}}},
                    "results": {
                        "items": {
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                            },
                        }
                    },
                },
            },
        },
    },
}


def finding(
    file: Path, line: int = 0, column: int = 0, what: str = "wrong", **other: Any
) -> Finding:
    severity = other.pop("severity", "error")
    return Finding(
        "SW901", "unused-ignore", severity, Location(file, line, column), what, "why", "do it"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "ä b" / "config.pbtxt"
    path.parent.mkdir(parents=True)
    path.write_text('name: "x"\n\tinput { name: "IN" }\n')
    return path


def report(root: Path, *findings: Finding) -> CheckReport:
    return CheckReport(root, {root / "models/x": findings, root / "models/y": ()})


def as_text(root: Path, *findings: Finding) -> list[str]:
    return click.unstyle(render_report(report(root, *findings), "text")).splitlines()


def test_text_shows_the_line_with_a_mark_at_the_column(tmp_path: Path, file: Path) -> None:
    assert as_text(tmp_path, finding(file, 2, 10)) == [
        f"{file}:2:10: error SW901 unused-ignore: wrong",
        '  2 | \tinput { name: "IN" }',
        "    | \t        ^",
        f"  why: why ({RULES['SW901'].source})",
        "  fix: do it",
        "",
        "1 error in 1 of 2 models",
    ]


@pytest.mark.parametrize("line", [0, 3, 99])
def test_text_shows_no_line_if_the_file_lacks_it(tmp_path: Path, file: Path, line: int) -> None:
    assert as_text(tmp_path, finding(file, line))[1].startswith("  why:")


def test_text_shows_no_line_of_a_binary_or_of_a_folder(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"\xff\0" * 1000)
    for place in (file, file.parent):
        assert as_text(tmp_path, finding(place, 1, 1))[1].startswith("  why:")


def test_text_counts_at_its_end(tmp_path: Path, file: Path) -> None:
    two = (finding(file, 1), finding(file, 2, severity="warning"))
    assert as_text(tmp_path, *two)[-1] == "1 error, 1 warning in 1 of 2 models"
    assert as_text(tmp_path) == ["2 models, no mistakes"]


def test_json_holds_everything(tmp_path: Path, file: Path) -> None:
    content = json.loads(render_report(report(tmp_path, finding(file, 2, 10)), "json"))
    assert content == {
        "models": 2,
        "errors": 1,
        "warnings": 0,
        "adopt": 0,
        "findings": [
            {
                "rule": "SW901",
                "name": "unused-ignore",
                "severity": "error",
                "path": str(file),
                "line": 2,
                "column": 10,
                "what": "wrong",
                "why": "why",
                "source": RULES["SW901"].source,
                "fix": "do it",
                "mendable": False,
            }
        ],
    }


def as_gitlab(root: Path, *findings: Finding) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(render_report(report(root, *findings), "gitlab"))
    validate(content, GITLAB)
    return content


@pytest.mark.parametrize("format", ["text", "json"])
def test_people_get_paths_relative_to_the_current_directory(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text = click.unstyle(render_report(report(tmp_path, finding(file, 2)), format))
    assert "models/ä b/config.pbtxt" in text and str(tmp_path) not in text
    monkeypatch.chdir("/")
    text = click.unstyle(render_report(report(tmp_path, finding(file, 2)), format))
    assert str(file).lstrip("/") in text


def test_gitlab_gets_paths_in_the_repository_from_any_directory(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    for place in (file, Path("config.pbtxt"), Path("../ä b/config.pbtxt")):
        (entry,) = as_gitlab(tmp_path, finding(place, 2))
        assert entry["location"] == {"path": "models/ä b/config.pbtxt", "lines": {"begin": 2}}


def test_gitlab_s_fingerprints_stay_when_lines_move(tmp_path: Path, file: Path) -> None:
    before, after = (as_gitlab(tmp_path, finding(file, line))[0] for line in (1, 2))
    assert before["fingerprint"] == after["fingerprint"]


def test_gitlab_s_fingerprints_differ_for_equal_findings(tmp_path: Path, file: Path) -> None:
    entries = as_gitlab(
        tmp_path, finding(file, 1), finding(file, 2), finding(file, 2, 3, "else"), finding(tmp_path)
    )
    assert len({entry["fingerprint"] for entry in entries}) == 4


def test_gitlab_gets_a_line_for_a_finding_without_one(tmp_path: Path, file: Path) -> None:
    assert as_gitlab(tmp_path, finding(file))[0]["location"]["lines"]["begin"] == 1


def as_sarif(root: Path, *findings: Finding) -> Any:
    content = json.loads(render_report(report(root, *findings), "sarif"))
    validate(content, SARIF)
    return content["runs"][0]


def test_sarif_lists_every_rule_and_refers_to_it(tmp_path: Path, file: Path) -> None:
    run = as_sarif(tmp_path, finding(file, 2, 10))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)
    (result,) = run["results"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "SW901"


def test_sarif_places_are_addresses_in_the_repository(tmp_path: Path, file: Path) -> None:
    results = as_sarif(tmp_path, finding(file, 2, 10), finding(file, 2), finding(file))["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert {place["artifactLocation"]["uri"] for place in places} == {
        "models/%C3%A4%20b/config.pbtxt"
    }
    regions = [place.get("region") for place in places]
    assert regions == [{"startLine": 2, "startColumn": 10}, {"startLine": 2}, None]


@pytest.mark.parametrize("format", ["json", "gitlab", "sarif"])
def test_machines_get_valid_json_when_nothing_is_found(tmp_path: Path, format: str) -> None:
    assert json.loads(render_report(report(tmp_path), format)) is not None
