"""``slipway smoke``: golden cases through an endpoint, a made-up one and a real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.catalog import alias
from slipway.catalog.alias import Alias, Variant
from slipway.cli import main
from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageStore
from slipway.triton import kserve
from tests import fixture_models
from tests.client import fake_runtime
from tests.client.fake_runtime import NOT_READY, FakeRuntime, ReceivedRequest, Reply
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf
from tests.pipeline.releases import FEATURES, released

REQUIRED = Interface(0, {"X": Tensor("FP32", (2,)), "Z": Tensor("FP32", (1,))}, FEATURES.outputs)


def double(request: ReceivedRequest) -> Reply:
    """The model Y = 2 X, which refuses what is negative."""
    x = _x(request)
    if (x < 0).any():
        message = json.dumps({"error": f"in ensemble '{request.target}', X is negative"})
        return fake_runtime.error(
            424, "ModelError", "see the log", OriginalStatusCode=400, OriginalMessage=message
        )
    return fake_runtime.outputs({"Y": 2 * x})


def _x(request: ReceivedRequest) -> np.ndarray[Any, Any]:
    header = int(request.content_type.removeprefix(kserve.BINARY))
    return np.frombuffer(request.body[header : header + 8], np.float32)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with an empty store."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def fake(store: DirectoryStore) -> Iterator[FakeRuntime]:
    with fake_runtime.running() as running:
        running.otherwise = double
        yield running


def case(name: str, x: list[float], expected: dict[str, Any], model: str = "m") -> None:
    """A golden case below the working folder."""
    folder = Path("models") / model / "tests" / "cases" / name
    folder.mkdir(parents=True)
    (folder / "input.json").write_text(json.dumps({"inputs": {"X": x}}), encoding="utf-8")
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


def outputs(*y: float) -> dict[str, Any]:
    """What a case expects."""
    return {"outputs": {"Y": {"shape": [len(y)], "datatype": "FP32", "data": list(y)}}}


def smoke(fake: FakeRuntime, *words: str) -> int:
    """Run the command against the made-up endpoint."""
    return main(["smoke", "m", "--url", fake.url, *words])


def test_right_answers_pass_and_the_target_that_gave_them_is_said(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    target = released(store, "1.0.0-rc.hc0ffee", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    case("two", [0, 3], outputs(0, 6))
    assert smoke(fake) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"m on staging: {target}, first answer after ")
    assert [line.split()[:2] for line in lines[1:]] == [["✓", "one"], ["✓", "two"]]
    assert {request.target for request in fake.requests} == {target}


def test_a_wrong_answer_names_the_tensor_and_both_values(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    case("right", [1, 2], outputs(2, 4))
    case("wrong", [1, 2], outputs(2, 5))
    assert smoke(fake) == 1
    said = capsys.readouterr().out
    assert "✓ right" in said and "✗ wrong" in said
    assert "Y[1]: expected 5.0, got 4.0 (atol 1e-05, rtol 0.0001)" in said


def test_a_model_that_answers_now_so_and_now_so_is_found_out(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    right, wrong = np.array([2, 4], np.float32), np.array([2, 9], np.float32)
    fake.replies = [fake_runtime.outputs({"Y": y}) for y in (right, right, wrong)]
    assert smoke(fake) == 1
    assert "Y[1]: expected 4.0, got 9.0" in capsys.readouterr().out


def test_an_error_is_right_where_the_case_expects_it(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    case("refused", [-1, 2], {"error": "X is negative"})
    assert smoke(fake) == 0
    case("not so", [-1, 2], {"error": "X is too large"})
    case("nor so", [-1, 2], outputs(-2, 4))
    assert smoke(fake) == 1
    said = capsys.readouterr().out
    assert "✗ not so" in said and "✗ nor so" in said and "✓ refused" in said


def test_what_the_client_refuses_before_it_is_sent_is_said_and_no_mistake(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    case("three numbers", [1, 2, 3], {"error": "unexpected shape"})
    assert smoke(fake) == 0
    assert "not sent, because the client refuses it" in capsys.readouterr().out


def test_cases_that_do_not_fit_the_release_are_a_failure(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging", interface=REQUIRED)
    case("one", [1, 2], outputs(2, 4))
    assert smoke(fake) == 1
    assert "m needs 'Z'" in capsys.readouterr().out
    assert fake.requests == []


def test_without_golden_cases_a_blank_request_has_to_be_answered(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    assert smoke(fake) == 0
    said = capsys.readouterr().out
    assert "✓ blank request" in said and "without golden cases, any answer passes" in said
    assert _x(fake.requests[0]).tolist() == [0, 0]
    fake.otherwise = lambda request: fake_runtime.error(
        424, "ModelError", "x", OriginalStatusCode=400, OriginalMessage='{"error": "no zeros"}'
    )
    assert smoke(fake) == 1
    said = capsys.readouterr().out
    assert "no zeros" in said and "models/m/tests/cases/<case>/input.json" in said


def test_it_waits_while_the_model_is_being_loaded(fake: FakeRuntime, store: DirectoryStore) -> None:
    released(store, "1.0.0", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    fake.replies = [NOT_READY, NOT_READY]
    assert smoke(fake) == 0


def test_a_target_that_does_not_answer_is_asked_once_not_once_for_every_case(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    for number in range(5):
        case(f"case {number}", [1, 2], outputs(2, 4))
    refusal = fake_runtime.error(400, "ValidationError", "Could not find endpoint")
    fake.otherwise = lambda request: refusal
    assert smoke(fake) == 1
    assert len(fake.requests) == 1
    assert "Could not find endpoint" in capsys.readouterr().out


def test_every_variant_of_an_alias_is_asked(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tuple(Variant(released(store, v, stage="staging"), 1) for v in ("1.0.0", "1.1.0"))
    alias.write_alias(StageStore(store, "staging"), "m", Alias(both))
    case("one", [1, 2], outputs(2, 4))
    assert smoke(fake, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["target"] for each in said["answered"]] == ["m_1.0.0.tar.gz", "m_1.1.0.tar.gz"]
    assert said["passed"] and said["answered"][0]["cases"][0]["seconds"] > 0


def test_productions_alias_has_to_stand_for_the_release_that_is_asked_for(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0")
    released(store, "1.1.0")
    case("one", [1, 2], outputs(2, 4))
    assert smoke(fake, "--endpoint", "production", "--target", "1.1.0") == 0
    assert smoke(fake, "--endpoint", "production", "--target", "1.0.0") == 1
    said = capsys.readouterr().out
    assert 'production alias "m" → m_1.1.0.tar.gz, expected m_1.0.0.tar.gz' in said


def test_in_staging_a_branch_published_since_is_told_and_no_failure(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = released(store, "1.0.0-rc.hc0ffee", stage="staging")
    released(store, "1.1.0-rc.hbeef00", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    assert smoke(fake, "--target", "c0ffee") == 0
    assert 'note: staging alias "m" → m_1.1.0-rc.hbeef00.tar.gz' in capsys.readouterr().out
    assert {request.target for request in fake.requests} == {mine}


def test_one_unknown_model_does_not_hide_the_others(
    fake: FakeRuntime, store: DirectoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    released(store, "1.0.0", stage="staging")
    case("one", [1, 2], outputs(2, 4))
    assert main(["smoke", "none", "models/m", "--url", fake.url]) == 1
    said = capsys.readouterr()
    assert "no release of 'none' in staging" in said.err
    assert "✓ one" in said.out


def test_a_cold_model_on_a_real_server_is_waited_for_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf(tmp_path)
    monkeypatch.chdir(tmp_path)
    toml = f'[release]\nstore = "{shelf.folder.name}"\n'
    (tmp_path / "slipway.toml").write_text(toml, encoding="utf-8")
    scripted = interface_of_folder(fixture_models.MODELS / "scripted")
    gate = shelf.gate("held")
    shelf.put(3, "scripted_1.0.0.tar.gz", load_when=gate)
    store = DirectoryStore(shelf.folder)
    released(store, "1.0.0", name="scripted", stage="staging", interface=scripted)
    y = {"shape": [3], "datatype": "FP32", "data": [3, 5, 7]}
    case("right", [0, 1, 2], {"outputs": {"Y": y, "RELEASE": RELEASE}}, "scripted")
    with shelves.up(tmp_path, shelf, not_ready_s=0.2) as running:
        opened = threading.Timer(1, gate.touch)
        opened.start()
        assert main(["smoke", "scripted", "--url", running.url, "--endpoint", "local"]) == 0
        opened.join()
        assert running.events("load") == [("load", "scripted_1.0.0.tar.gz")]
        assert "✓ right" in capsys.readouterr().out
        case("wrong", [0, 1, 9], {"outputs": {"Y": y, "RELEASE": RELEASE}}, "scripted")
        assert main(["smoke", "scripted", "--url", running.url, "--endpoint", "local"]) == 1
        assert "Y[2]: expected 7.0, got 21.0" in capsys.readouterr().out


RELEASE = {"shape": [1], "datatype": "BYTES", "data": ["3"]}
