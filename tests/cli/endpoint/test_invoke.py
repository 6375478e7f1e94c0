"""``slipway invoke``: from words of a command line to an answer, and back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slipway.cli import main
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from slipway.triton import kserve
from tests.client import fake_runtime, releases
from tests.client.fake_runtime import FakeRuntime
from tests.client.releases import ONE, THREE, TWO

PHOTO = Interface(
    8,
    {"IMAGE": Tensor("BYTES", (1,)), "SCALE": Tensor("FP32", (1,), optional=True)},
    {"SCORE": Tensor("FP32", (1,)), "LABEL": Tensor("BYTES", (1,))},
)
ANSWER = fake_runtime.outputs(
    {
        "SCORE": np.array([[0.25], [0.75]], np.float32),
        "LABEL": np.array([[b"[photo]"], ["\u00e9cran".encode()]], dtype=object),
    }
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with three releases of ``m``, of which one is served."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    made = DirectoryStore(tmp_path / "store")
    for target in (ONE, TWO, THREE):
        releases.release(made, target, PHOTO)
    releases.alias(made, ONE)
    return made


@pytest.fixture
def fake(store: DirectoryStore) -> Iterator[FakeRuntime]:
    with fake_runtime.running() as running:
        running.otherwise = lambda asked: ANSWER
        yield running


def test_several_files_are_one_batch_and_the_answer_a_table(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", "m", "a.jpg", "b.jpg", "--url", fake.url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"m  {ONE}"
    assert [line.split() for line in lines[1:]] == [
        ["SCORE", "LABEL"],
        ["0.25", "[photo]"],
        ["0.75", "\u00e9cran"],
    ]
    rows = np.array([[b"a.jpg"], [b"b.jpg"]], dtype=object)
    assert fake.requests[0].body == kserve.encode({"IMAGE": rows})[0]


def test_json_out_has_model_target_and_outputs(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["invoke", "m", "--data", '{"image": "x", "scale": 2}', "--target", TWO]
    assert main([*words, "--url", fake.url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "model": "m",
        "target": TWO,
        "outputs": {"SCORE": [[0.25], [0.75]], "LABEL": [["[photo]"], ["\u00e9cran"]]},
    }
    assert fake.requests[0].target == TWO


def test_data_comes_from_a_file_or_from_standard_input(
    fake: FakeRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.json").write_text('[{"image": "x"}, {"image": "y"}]', encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"IMAGE": ["x", "y"]}'))
    for argument in ("@rows.json", "-"):
        assert main(["invoke", "m", "--data", argument, "--url", fake.url]) == 0
    assert len({asked.body for asked in fake.requests}) == 1


def test_arrays_go_in_and_come_out_as_files_of_numpys(
    fake: FakeRuntime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "scale.npy", np.array([[2]], np.float32))
    words = ["invoke", "m", "a.jpg", "--npy", "SCALE=scale.npy", "--url", fake.url]
    assert main([*words, "--output", "out"]) == 0
    assert capsys.readouterr().out.split() == ["out/SCORE.npy", "out/LABEL.npy"]
    assert np.load("out/SCORE.npy").tolist() == [[0.25], [0.75]]
    assert np.load("out/LABEL.npy")[1, 0].decode() == "\u00e9cran"
    assert sorted(path.name for path in Path("out").iterdir()) == ["LABEL.npy", "SCORE.npy"]


def test_a_shadow_is_asked_before_the_command_ends(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.alias(store, ONE, TWO, shadow=THREE)
    assert main(["invoke", "m", "a.jpg", "--key", "user-17", "--url", fake.url]) == 0
    assert main(["invoke", "m", "a.jpg", "--key", "user-17", "--url", fake.url]) == 0
    first, shadow, second, again = (asked.target for asked in fake.requests)
    assert (shadow, again) == (THREE, THREE) and first == second


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["mm", "a.jpg"], "did you mean m?"),
        (["m"], "m needs 'IMAGE'"),
        (["m", "c.jpg"], "c.jpg: cannot be read"),
        (["m", "--data", "{"], "--data is not JSON"),
        (["m", "--data", '{"picture": "x"}'], "no input 'picture'"),
        (["m", "--data", "@absent.json"], "@absent.json: cannot be read"),
        (["m", "a.jpg", "--target", "m_9.0.0.tar.gz"], "is not a release of m in staging"),
        (["m", "a.jpg", "--endpoint", "nowhere"], "no endpoint 'nowhere'"),
    ],
)
def test_mistakes_are_reported_before_anything_is_sent(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str], words: list[str], output: str
) -> None:
    assert main(["invoke", *words, "--url", fake.url]) == 1
    errors = capsys.readouterr().err
    assert output in errors and "\nfix: " in errors
    assert fake.requests == []


def test_what_the_model_says_is_reported(
    fake: FakeRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.replies = [
        fake_runtime.error(
            424, "ModelError", OriginalStatusCode=400, OriginalMessage='{"error": "truncated"}'
        )
    ]
    assert main(["invoke", "m", "a.jpg", "--url", fake.url]) == 1
    assert "the model answers 400: truncated" in capsys.readouterr().err


def test_without_an_endpoint_the_command_that_starts_one_is_named(
    store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invoke", "m", "a.jpg"]) == 1
    assert "fix: slipway endpoint up --endpoint local" in capsys.readouterr().err
