"""``slipway drift``: what it prints and writes, and how it ends."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from slipway.cli import main
from slipway.cli.exit_codes import DRIFTED, NOTHING_COMPARED, USER_ERROR
from tests.drift import traffic
from tests.drift.traffic import Traffic, house_profile, houses

Capsys = pytest.CaptureFixture[str]
SOON = datetime.now(UTC)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    monkeypatch.chdir(tmp_path)
    return traffic.make(tmp_path)


def drift(capsys: Capsys, *words: str) -> tuple[int, str, str]:
    """Run the command on the endpoint ``production``."""
    code = main(["drift", *words, "--endpoint", "production"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_traffic_like_the_reference_ends_with_0(made: Traffic, capsys: Capsys) -> None:
    made.capture(made.release("prices", house_profile()), *houses(700, 2), now=SOON)
    code, text, _ = drift(capsys, "prices")
    assert code == 0
    assert text.startswith("prices on production: no drift (prices_1.0.0.tar.gz)")
    assert "700 rows in 700 requests" in text and "3,000 rows from train.csv" in text


def test_drift_ends_with_4_and_names_tensor_statistic_and_rows(
    made: Traffic, capsys: Capsys
) -> None:
    made.capture(made.release("prices", house_profile()), *houses(700, 2, shift=2), now=SOON)
    code, text, _ = drift(capsys, "prices")
    assert code == DRIFTED
    assert re.search(
        r"✗ ROOMS  input, numbers\n +statistic +value +threshold\n +1 psi .*moved", text
    )
    assert "rows that moved:" in text and "and 15 more: --json" in text
    code, text, _ = drift(capsys, "prices", "--json")
    [release] = json.loads(text)["releases"]
    assert code == DRIFTED and release["verdict"] == "drift"
    assert len(release["comparisons"][0]["tensors"][0]["rows"]) == 20


def test_nothing_captured_ends_with_5_and_says_how_to_capture(
    made: Traffic, capsys: Capsys
) -> None:
    made.release("prices", house_profile())
    code, text, _ = drift(capsys, "prices")
    assert code == NOTHING_COMPARED
    assert "nothing was captured since" in text and "slipway endpoint up --capture" in text


def test_a_few_rows_end_with_5(made: Traffic, capsys: Capsys) -> None:
    made.capture(made.release("prices", house_profile()), *houses(3, 2), now=SOON)
    code, text, _ = drift(capsys, "prices")
    assert code == NOTHING_COMPARED and "too few rows: no distribution of so few" in text


def test_without_a_profile_the_fix_of_the_error_works(made: Traffic, capsys: Capsys) -> None:
    target = made.release("prices", None)
    made.capture(target, *houses(700, 3), now=SOON)
    made.capture(target, *houses(700, 2), now=SOON, ago=timedelta(days=2))
    code, _, error = drift(capsys, "prices")
    assert code == USER_ERROR and "prices has no reference profile" in error
    fix = re.search(r"--against \w+", error)
    assert fix is not None
    code, text, _ = drift(capsys, "prices", *fix[0].split())
    assert code == 0 and "against the 7d before of 700 rows" in text


def test_all_models_without_a_profile_are_named_and_no_error(made: Traffic, capsys: Capsys) -> None:
    made.capture(made.release("prices", house_profile()), *houses(700, 3), now=SOON)
    for number in range(7):
        made.capture(made.release(f"bare_{number}", None), *houses(1, 3), now=SOON)
    code, text, _ = drift(capsys, "--all")
    assert code == 0
    assert "no profile: bare_0, bare_1, bare_2, bare_3, bare_4 and 2 more" in text


@pytest.mark.parametrize(
    ("words", "problem", "fix"),
    [
        ([], "no model is named", "slipway drift --all"),
        (["prices", "--all"], "--all is for no NAME", "slipway drift NAME"),
        (["prices", "--output", "report.pdf"], "no report of the kind .pdf", ".html"),
        (["prices", "--style", "evidently"], "a profile holds none", "--against 7d"),
    ],
)
def test_words_that_contradict_each_other_are_refused(
    made: Traffic, capsys: Capsys, words: list[str], problem: str, fix: str
) -> None:
    code, _, error = drift(capsys, *words)
    assert code == USER_ERROR and problem in error and fix in error.partition("fix:")[2]


@pytest.mark.parametrize("text", ["", "d", "1w", "0d", "-1d", "1.5h", "99999d"])
def test_a_length_of_time_has_a_number_and_a_unit(made: Traffic, capsys: Capsys, text: str) -> None:
    code, _, error = drift(capsys, "prices", "--since", text)
    assert code == USER_ERROR and "is not a length of time, such as 1d, 12h or 90m" in error


def test_reports_are_files_for_people_for_programs_and_for_prometheus(
    made: Traffic, capsys: Capsys, tmp_path: Path
) -> None:
    made.capture(made.release("prices", house_profile()), *houses(700, 2, shift=2), now=SOON)
    files = [tmp_path / f"report.{ending}" for ending in ("html", "json", "prom")]
    words = [word for file in files for word in ("--output", str(file))]
    assert drift(capsys, "prices", *words)[0] == DRIFTED
    page, values, metrics = (file.read_text(encoding="utf-8") for file in files)
    assert "<h1>prices on production: drift</h1>" in page
    assert json.loads(values)["verdict"] == "drift"
    parsed = text_string_to_metric_families(metrics)  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parsed}
    scores = {s.labels["tensor"]: s.value for s in families["slipway_drift"].samples}
    assert scores == json.loads(values)["releases"][0]["scores"]
    assert families["slipway_drift_requests"].samples[0].value == 700


def test_a_page_that_cannot_be_written_leaves_nothing(
    made: Traffic, capsys: Capsys, tmp_path: Path
) -> None:
    made.capture(made.release("prices", house_profile()), *houses(30, 2), now=SOON)
    (tmp_path / "a-file").write_text("mine", encoding="utf-8")
    code, _, error = drift(capsys, "prices", "--output", str(tmp_path / "a-file/page.html"))
    assert code == USER_ERROR and "choose another file" in error
    assert (tmp_path / "a-file").read_text(encoding="utf-8") == "mine"


def test_captures_are_read_where_another_program_left_them(
    made: Traffic, capsys: Capsys, tmp_path: Path
) -> None:
    # SageMaker's own lines do not name a model; here an application put it into its attributes
    target = made.release("prices", house_profile())
    made.capture(target, *houses(600, 2), now=SOON)
    folder = tmp_path / "sagemaker"
    for file in (tmp_path / "store/captured").rglob("*.jsonl"):
        hour = SOON - timedelta(minutes=5)
        copy = folder / f"slipway-production/AllTraffic/{hour:%Y/%m/%d/%H}/{file.stem}.jsonl"
        copy.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            line["eventMetadata"]["customAttributes"] = [f"targetModel={target}"]
            del line["slipway"]
        lines[0]["eventMetadata"].pop("customAttributes")
        text = "".join(json.dumps(line) + "\n" for line in lines)
        copy.write_text(text, encoding="utf-8")
        file.unlink()
    code, text, _ = drift(capsys, "prices", "--captures", str(folder))
    assert code == 0 and "1 of an unknown model" in text and " requests since" in text
