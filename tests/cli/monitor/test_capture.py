"""``slipway capture``: what it lists, shows, exports, makes cases of and forgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from slipway.capture.location import CaptureLocation
from slipway.capture.writer import CaptureWriter
from slipway.cli import main
from slipway.model import cases
from slipway.model.capture_rules import CaptureRules
from tests.capture.exchanges import CSV_LINE, KEEP_ALL, exchange, picture, rules

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n')
    yield tmp_path


def capture(root: Path, rule: CaptureRules, *sent: object) -> None:
    location = CaptureLocation(folder=root / "store" / "captured")
    with closing(CaptureWriter(location, lambda target: rule)) as writer:
        for one in sent:
            writer.offer(one)  # type: ignore[arg-type]


def run(capsys: Capsys, *words: str) -> tuple[int, str, str]:
    code = main(["capture", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_nothing_captured_says_how_to_begin(root: Path, capsys: Capsys) -> None:
    code, text, _ = run(capsys, "list")
    assert code == 0 and "slipway endpoint up --capture" in text


def test_the_list_has_a_row_for_each_release(root: Path, capsys: Capsys) -> None:
    redacting = rules({"X": {"keep": "hash"}}, retention_days=7)
    capture(root, redacting, *(exchange() for _ in range(3)))
    capture(root, redacting, exchange(request=b"x", request_type="text/csv"))
    code, text, _ = run(capsys, "list")
    assert code == 0
    [head, row] = text.splitlines()
    assert head.split()[0] == "release"
    assert row.split()[:3] == ["local:", "m_1.0.0", "3"]
    assert "7 d" in row and "1 undecodable" in row and "X (hash)" in row
    [release] = json.loads(run(capsys, "list", "--json")[1])["releases"]
    assert (release["requests"], release["offered"]) == (3, 4)
    assert release["dropped"] == {"undecodable": 1}
    assert "nothing" in run(capsys, "list", "--endpoint", "staging")[1]


def test_the_list_says_what_is_not_in_complete_files_yet(root: Path, capsys: Capsys) -> None:
    location = CaptureLocation(folder=root / "store" / "captured")
    with closing(CaptureWriter(location, lambda target: KEEP_ALL)) as writer:
        writer.offer(exchange())
        assert writer.flush()
        text = run(capsys, "list")[1]
        assert "nothing is captured" not in text
        assert "more are not in complete files yet" in text
    assert "yet" not in run(capsys, "list")[1]


def test_show_prints_the_last_requests(root: Path, capsys: Capsys) -> None:
    now = datetime.now(UTC).timestamp()
    sent = [exchange(when=now - 10 + number) for number in range(7)]
    capture(root, KEEP_ALL, *sent)
    code, text, _ = run(capsys, "show", "m", "--last", "2")
    assert code == 0
    heads = [line for line in text.splitlines() if "UTC" in line]
    assert [line.split()[-1] for line in heads] == [one.event_id for one in sent[-2:]]
    assert "→ X FP32[1, 2]: 1 1" in text and "← Y INT64[1, 1]: 0" in text
    [line] = run(capsys, "show", "m", "--last", "1", "--json")[1].splitlines()
    assert json.loads(line)["inputs"] == {"X": [[1.0, 1.0]]}


def test_what_a_caller_sent_cannot_steer_the_terminal(root: Path, capsys: Capsys) -> None:
    hostile = np.array([[b"\x1b]0;title\x07\x1b[2J"]], dtype=np.object_)
    capture(root, KEEP_ALL, exchange({"S": hostile}, {"T": hostile}))
    text = run(capsys, "show", "m")[1]
    assert "\x1b" not in text and "\x07" not in text


def test_show_says_what_is_redacted_and_why(root: Path, capsys: Capsys) -> None:
    images = {"IMAGE": np.array([[picture()]], dtype=np.object_)}
    redacting = rules({"IMAGE": {"keep": "thumbnail"}, "Y": {"keep": "nothing"}})
    capture(root, redacting, exchange(images), exchange({"IMAGE": np.array([[b"none"]])}))
    text = run(capsys, "show", "m")[1]
    assert "→ IMAGE BYTES[1, 1], thumbnail: PNG of" in text
    assert "· Y: redacted, nothing" in text
    assert "· IMAGE BYTES[1, 1]: redacted, shape (not a picture" in text


def test_nothing_to_show_is_an_error(root: Path, capsys: Capsys) -> None:
    code, _, error = run(capsys, "show", "m")
    assert code == 1 and "slipway capture list" in error


@pytest.mark.parametrize("kind", ["jsonl", "npz"])
def test_rows_are_exported_without_what_is_redacted(root: Path, capsys: Capsys, kind: str) -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    words = np.array([[b"a"], [b"b"], ["ä".encode()]], dtype=np.object_)
    answers = np.array([[1], [2], [3]], np.int64)
    capture(
        root,
        rules({"AGE": {"keep": "hash"}}),
        exchange({"X": rows, "W": words, "AGE": answers}, {"Y": answers}),
        exchange({"X": rows, "W": words, "AGE": answers}, {"Y": answers}, role="shadow"),
    )
    code, text, _ = run(capsys, "export", "m", "--output", f"rows.{kind}")
    assert code == 0
    assert "3 rows" in text and "left out, since they are redacted: AGE" in text
    if kind == "jsonl":
        lines = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
        assert lines[2] == {"Y": [3], "X": [4.0, 5.0], "W": ["ä"]}
    else:
        with np.load("rows.npz", allow_pickle=False) as arrays:
            assert sorted(arrays) == ["W", "X", "Y"]
            np.testing.assert_array_equal(arrays["X"], rows)
            assert arrays["W"].tolist() == [["a"], ["b"], ["ä"]]


def test_an_export_that_cannot_be_leaves_no_file(root: Path, capsys: Capsys) -> None:
    capture(root, KEEP_ALL, exchange({"IMAGE": np.array([[picture()]], dtype=np.object_)}))
    code, _, error = run(capsys, "export", "m", "--output", "rows.npz")
    assert code == 1 and "write rows.jsonl instead" in error
    assert not Path("rows.npz").exists()
    assert run(capsys, "export", "m", "--output", "rows.jsonl")[0] == 0
    assert run(capsys, "export", "m", "--output", "rows.parquet")[0] == 1


def test_a_captured_request_becomes_a_golden_case(root: Path, capsys: Capsys) -> None:
    inputs = {
        "X": np.array([[0.1, 7]], np.float32),
        "IMAGE": np.array([[picture()]], dtype=np.object_),
    }
    sent = exchange(inputs)
    capture(root, KEEP_ALL, sent, exchange())
    code, text, _ = run(capsys, "case", "m", sent.event_id[:10])
    assert code == 0 and "slipway test m --update-golden" in text
    [case] = cases.cases(root / "models" / "m")
    read = cases.inputs(case)
    assert list(read) == list(inputs)
    for name, array in inputs.items():
        np.testing.assert_array_equal(read[name], array)
    assert run(capsys, "case", "m", sent.event_id[:10])[0] == 1
    assert "0 captured requests" in run(capsys, "case", "m", "none")[2]


def test_a_redacted_request_becomes_no_case(root: Path, capsys: Capsys) -> None:
    sent = exchange()
    capture(root, rules({"X": {"keep": "nothing"}}), sent)
    code, _, error = run(capsys, "case", "m", sent.event_id)
    assert code == 1 and "redacted are X" in error
    assert not (root / "models").exists()


def test_prune_removes_what_is_older_and_keeps_the_rest(root: Path, capsys: Capsys) -> None:
    old = datetime.now(UTC) - timedelta(days=3)
    for target in ("m_1.0.0.tar.gz", "n_1.0.0.tar.gz"):
        capture(root, KEEP_ALL, exchange(target=target, when=old.timestamp()))
        capture(root, KEEP_ALL, exchange(target=target))
    assert "would remove 1 files" in run(capsys, "prune", "m", "--days", "2", "--dry-run")[1]
    assert "removed 0 files" in run(capsys, "prune")[1]
    assert "removed 1 files" in run(capsys, "prune", "m", "--days", "2")[1]
    releases = json.loads(run(capsys, "list", "--json")[1])["releases"]
    assert [release["requests"] for release in releases] == [1, 2]


def test_sagemakers_captures_are_shown_by_the_name_that_is_asked_for(
    root: Path, capsys: Capsys
) -> None:
    now = datetime.now(UTC)
    folder = root / "synced" / "e" / "AllTraffic" / f"{now:%Y/%m/%d/%H}"
    folder.mkdir(parents=True)
    line = CSV_LINE.replace(b"2020-07-30T13:36:30Z", f"{now:%Y-%m-%dT%H:%M:%SZ}".encode())
    (folder / f"{now:%M-%S}-000-uuid.jsonl").write_bytes(line + line[:60])
    code, text, error = run(capsys, "show", "boston", "--captures", "synced")
    assert code == 0
    assert "← body FP64[1, 1]: 30.4134" in text
    assert "1 torn" in error
