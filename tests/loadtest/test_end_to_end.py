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
    wanted = [EndpointSettings("local", models=1)]
    with serving.serve_in_thread(Settings(root=folder, store="store"), wanted) as served:
        with registry.register(folder, ["local"], served.url):
            yield folder


def measured(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    """What the command says to machines."""
    monkeypatch.chdir(root)
    assert main(["loadtest", *words, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_evictions_are_seen_as_cold_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--kind", "mixed", "--zipf", "0", "--rates", "10", "--seconds", "3"]
    results = measured(root, monkeypatch, capsys, *words)["results"]
    assert [found["cold"] for found in results["first_loads"]] == [True, True]
    (stage,) = results["stages"]
    assert stage["errors"] == {} and set(stage["targets"]) == {ONE, TWO}
    # with room for one of two that are asked in turn by chance, both are loaded again and again
    assert all(counted["cold"] > 0 for counted in stage["targets"].values())
    asked = sum(counted["requests"] for counted in stage["targets"].values())
    assert sum(counted["cold"] for counted in stage["targets"].values()) < asked


def test_a_loaded_release_has_no_cold_starts(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = measured(root, monkeypatch, capsys, "adder", "--rates", "200", "--seconds", "2")
    (stage,) = said["results"]["stages"]
    assert stage["errors"] == {} and stage["targets"][TWO]["cold"] == 0
    assert stage["warm"]["p99"] > stage["warm"]["p50"] > 0


def test_waiting_clients_are_answered(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = measured(root, monkeypatch, capsys, "adder", "--concurrency", "2", "--seconds", "1")
    (stage,) = said["results"]["stages"]
    assert stage["concurrency"] == 2 and stage["errors"] == {} and stage["achieved"] > 0


def test_a_model_that_refuses_its_input_is_told_in_its_words(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = DirectoryStore(root / "store")
    declared = Interface(64, {"A": Tensor("FP32", (3,))}, {})
    releases.release(store, "other_1.0.0.tar.gz", declared, "other")
    (store.root / keys.artifact(STAGE, "other_1.0.0.tar.gz")).write_bytes(
        (store.root / keys.artifact(STAGE, ONE)).read_bytes()
    )
    monkeypatch.chdir(root)
    assert main(["loadtest", "other", "--target", "1.0.0"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "1 × 424 ModelError, the first: " in said and "expected 2 inputs but got 1" in said
