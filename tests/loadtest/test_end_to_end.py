"""``slipway loadtest`` against a local endpoint with a real Triton and room for one model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.catalog import keys
from slipway.cli import main
from slipway.endpoint import registry, serving
from slipway.model.config_interface import interface_of_folder
from slipway.model.interface import Interface, Tensor
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory import DirectoryStore
from tests import fixture_models
from tests.client import releases
from tests.client.releases import STAGE

ONE, TWO = "adder_1.0.0.tar.gz", "adder_2.0.0.tar.gz"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with two releases of ``adder`` and the endpoint ``local`` that serves them."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    store = DirectoryStore(folder / "store")
    model = fixture_models.copy("adder", folder / "copies")
    for target in (ONE, TWO):
        fixture_models.pack(model, store.root / keys.artifact(STAGE, target))
        releases.release(store, target, interface_of_folder(model), "adder")
    releases.alias(store, TWO, name="adder")
    entries = [EndpointSettings("local", models=1)]
    settings = Settings(root=folder, store="store")
    with (
        serving.serve_in_thread(settings, entries) as server,
        registry.register(folder, ["local"], server.url),
    ):
        yield folder


def measured(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    """Return the JSON output of the command."""
    monkeypatch.chdir(root)
    assert main(["loadtest", *words, "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_evictions_appear_as_cold_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--kind", "mixed", "--zipf", "0", "--rates", "10", "--seconds", "3"]
    results = measured(root, monkeypatch, capsys, *words)["results"]
    assert [load["cold"] for load in results["first_loads"]] == [True, True]
    (stage,) = results["stages"]
    assert stage["errors"] == {} and set(stage["targets"]) == {ONE, TWO}
    # only one of the two is loaded when the stage begins, so that the other one must be loaded;
    # how often they evict each other afterwards depends on the machine
    cold = sum(counts["cold"] for counts in stage["targets"].values())
    requests = sum(counts["requests"] for counts in stage["targets"].values())
    assert 0 < cold < requests


def test_a_loaded_release_has_no_cold_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = measured(root, monkeypatch, capsys, "adder", "--rates", "200", "--seconds", "2")
    (stage,) = report["results"]["stages"]
    assert stage["errors"] == {} and stage["targets"][TWO]["cold"] == 0
    assert stage["warm"]["p99"] > stage["warm"]["p50"] > 0


def test_waiting_clients_are_answered(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = measured(root, monkeypatch, capsys, "adder", "--concurrency", "2", "--seconds", "1")
    (stage,) = report["results"]["stages"]
    assert stage["concurrency"] == 2 and stage["errors"] == {} and stage["achieved"] > 0


def test_the_message_of_a_model_that_refuses_its_input_is_shown(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = DirectoryStore(root / "store")
    declared = Interface(64, {"A": Tensor("FP32", (3,))}, {})
    (store.root / keys.artifact(STAGE, "other_1.0.0.tar.gz")).write_bytes(
        (store.root / keys.artifact(STAGE, ONE)).read_bytes()
    )
    releases.release(store, "other_1.0.0.tar.gz", declared, "other")
    monkeypatch.chdir(root)
    assert main(["loadtest", "other", "--target", "1.0.0"]) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert "1 × 424 ModelError, the first: " in output and "expected 2 inputs but got 1" in output
