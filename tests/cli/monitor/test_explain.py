"""``slipway explain``: from words of a command line to an explanation, printed and written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from slipway.capture.storage.names import file_key, hour_folder
from slipway.cli import main
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from slipway.triton import kserve
from slipway.triton.datatypes import Array
from tests.client import fake_runtime, releases
from tests.client.fake_runtime import FakeRuntime, ReceivedRequest, Reply
from tests.client.releases import ONE

FARES = Interface(
    16,
    {"sex": Tensor("BYTES", (1,)), "age": Tensor("FP32", (1,))},
    {"probability": Tensor("FP32", (2,)), "label": Tensor("BYTES", (1,))},
)
ASKED = '{"sex": "female", "age": 30}'


def answer(request: ReceivedRequest) -> Reply:
    """Answer as a model does in which women and the young survive."""
    length = int(request.content_type.removeprefix(kserve.BINARY))
    # a request has the form of an answer, but for one word
    header = request.body[:length].replace(b'"inputs"', b'"outputs"')
    inputs = kserve.decode(header + request.body[length:], f"{kserve.BINARY}{len(header)}")
    chance = 0.1 + 0.6 * (inputs["sex"] == b"female") - 0.001 * inputs["age"]
    both: Array = np.concatenate([1 - chance, chance], axis=1).astype(np.float32)
    labels = np.where(chance > 0.5, b"survived", b"died").astype(object)
    return fake_runtime.outputs({"probability": both, "label": labels})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder is a repository with a release of ``m``, and two golden cases."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    store = DirectoryStore(tmp_path / "store")
    releases.release(store, ONE, FARES)
    releases.alias(store, ONE)
    for name, sexes, ages in (("men", ["male", "male"], [10, 50]), ("all", ["female"], [20])):
        case = tmp_path / "models" / "m" / "tests" / "cases" / name
        case.mkdir(parents=True)
        (case / "input.json").write_text(
            json.dumps({"inputs": {"sex": sexes, "age": ages}}), encoding="utf-8"
        )
    return tmp_path


@pytest.fixture
def fake(root: Path) -> Iterator[FakeRuntime]:
    with fake_runtime.running() as running:
        running.otherwise = answer
        yield running


def test_a_row_is_explained_against_the_golden_cases(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "m", "--data", ASKED, "--url", fake.url]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == "m: probability[1] is 0.67 (survived)"
    assert printed.out.splitlines()[2].split()[:3] == ["sex", "female", "+0.4000"]
    assert "note: background rows: the golden cases" in printed.out
    assert "explained in " in printed.err and "explained in " not in printed.out
    assert {request.target for request in fake.requests} == {ONE}


def test_equal_seeds_print_equal_json_and_files_are_written(
    fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["explain", "m", "--data", ASKED, "--url", fake.url, "--json"]
    files = [root / f"answer{ending}" for ending in (".png", ".svg", ".html", ".json")]
    assert main([*words, *(word for file in files for word in ("--output", str(file)))]) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    document = json.loads(first)
    assert document["model"] == "m" and document["target"] == ONE
    total = document["base"] + sum(part["contribution"] for part in document["parts"])
    assert total == pytest.approx(document["answer"], abs=1e-12)
    assert json.loads((root / "answer.json").read_text(encoding="utf-8")) == document
    assert all(file.stat().st_size > 500 for file in files)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_background_rows_may_be_a_file(
    ending: str, fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / f"usual.{ending}"
    rows = {
        "csv": "AGE,sex,town\n40,male,Ulm\n60,female,Ulm\n",
        "json": '[{"sex": "male", "age": 40}, {"sex": "female", "age": 60}]',
    }
    file.write_text(rows[ending], encoding="utf-8")
    words = ["explain", "m", "--data", ASKED, "--url", fake.url, "--background", str(file)]
    assert main([*words, "--json"]) == 0
    parts = {p["name"]: p["contribution"] for p in json.loads(capsys.readouterr().out)["parts"]}
    assert parts == {"sex": pytest.approx(0.3), "age": pytest.approx(0.02)}


def test_a_row_of_a_golden_case_may_be_chosen(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["explain", "m", "--case", "men", "--url", fake.url]
    assert main(words) == 1
    assert "--row 1 to 2" in capsys.readouterr().err
    assert main([*words, "--row", "2"]) == 0
    assert "(died)" in capsys.readouterr().out
    assert main([*words, "--row", "3"]) == 1
    assert main(["explain", "m", "--case", "women", "--url", fake.url]) == 1
    assert "all, men" in capsys.readouterr().err


def test_cases_are_summarized_for_one_label(
    fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = root / "summary.png"
    words = ["explain", "m", "--cases", "--url", fake.url]
    assert main([*words, "--output", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert "what probability[1] rests on, in 3 rows" in printed
    assert printed.index("  sex ") < printed.index("  age ")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--rows", "2", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["explained"] == 2 and summary["left_out"] == ["1 rows beyond --rows 2"]


def test_a_file_of_rows_is_summarized(
    fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "rows.csv"
    lines = [f"{sex},{age}" for sex in ("male", "female") for age in range(20, 60, 4)]
    file.write_text("\n".join(["sex,age", *lines]), encoding="utf-8")
    assert main(["explain", "m", "--cases", str(file), "--url", fake.url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["explained"] == 20


def test_captured_rows_are_summarized(
    fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["explain", "m", "--captured", "--url", fake.url]
    assert main(words) == 1
    assert "endpoint up --capture" in capsys.readouterr().err
    now = datetime.now(UTC)
    key = file_key(f"local/AllTraffic/{hour_folder(now)}", ONE, now, now, 1, 30, "ab-1")
    file = root / "store" / "captured" / key
    file.parent.mkdir(parents=True)
    shutil.copy(_captured(root), file)
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["explained"] == 2
    # a name that SageMaker gives
    file.rename(file.with_name("54-15-123-abc.jsonl"))
    words = ["explain", "m", "--captures", "store/captured", "--url", fake.url, "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["explained"] == 2


def _captured(root: Path) -> Path:
    """Return a file with one captured request of two rows, in SageMaker's form."""
    inputs = {"sex": [["male"], ["female"]], "age": [[5.0], [50.0]]}
    entries = [
        {"name": name, "shape": [2, 1], "datatype": FARES.inputs[name].datatype, "data": data}
        for name, data in inputs.items()
    ]

    def side(content: object, mode: str) -> dict[str, str]:
        return {
            "observedContentType": "application/json",
            "mode": mode,
            "data": json.dumps(content),
            "encoding": "JSON",
        }

    outputs = [{"name": "probability", "shape": [2, 2], "datatype": "FP32", "data": [0] * 4}]
    line = {
        "captureData": {
            "endpointInput": side({"inputs": entries}, "INPUT"),
            "endpointOutput": side({"outputs": outputs}, "OUTPUT"),
        },
        "eventMetadata": {
            "eventId": "1",
            "inferenceTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "targetModel": ONE,
        },
        "eventVersion": "0",
    }
    file = root / "line.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to explain"),
        (["--data", ASKED, "--cases"], "more than one thing"),
        (["--data", ASKED, "--output", "a.gif"], "nothing is written as .gif"),
        (["--cases", "--output", "a.html"], "no summary is written as .html"),
        (["--data", ASKED, "--output", "no/a.png"], "no such folder"),
        (["--data", ASKED, "--windows", "4,x"], "not whole numbers"),
        (["--data", ASKED, "--background", "none.csv"], "cannot be read"),
        (["--cases", "nowhere"], "no golden case is here"),
        (["--data", ASKED, "--label", "dead"], "no text 'dead'"),
    ],
)
def test_what_cannot_be_done_is_an_error_with_a_fix(
    words: list[str], message: str, fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "m", "--url", fake.url, *words]) == 1
    printed = capsys.readouterr()
    assert message in printed.err and "fix: " in printed.err
    assert printed.out == ""


def test_a_csv_file_with_a_word_for_a_number_is_refused(
    fake: FakeRuntime, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "bad.csv").write_text("sex,age\nmale,old\n", encoding="utf-8")
    words = ["explain", "m", "--data", ASKED, "--url", fake.url, "--background", "bad.csv"]
    assert main(words) == 1
    assert "'old', not a number" in capsys.readouterr().err
    (root / "bad.csv").write_text("town\nUlm\n", encoding="utf-8")
    assert main(words) == 1
    assert "no column has the name of an input" in capsys.readouterr().err
