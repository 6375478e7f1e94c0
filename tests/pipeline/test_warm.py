"""``slipway endpoint warm``: models are loaded before anybody asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.model.config_interface import interface_of_folder
from slipway.pipeline.warm import requests_to_reach
from slipway.store.directory import DirectoryStore
from tests import fixture_models
from tests.client import fake_runtime
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf
from tests.pipeline.releases import released


def test_named_models_are_loaded_in_order_and_those_that_were_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf(tmp_path)
    monkeypatch.chdir(tmp_path)
    toml = f'[release]\nstore = "{shelf.folder.name}"\n'
    (tmp_path / "slipway.toml").write_text(toml, encoding="utf-8")
    scripted = interface_of_folder(fixture_models.MODELS / "scripted")
    store = DirectoryStore(shelf.folder)
    for number, name in enumerate(("first", "second", "broken")):
        (tmp_path / "models" / name).mkdir(parents=True)
        more = {"fail_load": "no weights"} if name == "broken" else {}
        shelf.put(number, f"{name}_1.0.0.tar.gz", **more)
        if name == "broken":
            shelf.write(f"{name}_1.0.0.tar.gz", b"not an archive")
        released(store, "1.0.0", name=name, stage="staging", interface=scripted)
    with shelves.up(tmp_path, shelf) as running:
        words = ["endpoint", "warm", "--url", running.url]
        assert main([*words, "second", "first"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[1] for line in lines] == [
            "second_1.0.0.tar.gz:",
            "first_1.0.0.tar.gz:",
        ]
        assert all("loaded in" in line for line in lines)
        assert running.loaded() == ["second_1.0.0.tar.gz", "first_1.0.0.tar.gz"]
        assert main([*words, "first", "broken", "second", "--json"]) == 1
        results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [each["name"] for each in results] == ["first", "broken", "second"]
        assert results[0]["was_loaded"] and results[2]["was_loaded"]
        assert results[1]["error"] and results[1]["first_s"] is None


def test_a_model_that_refuses_the_request_is_loaded_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "m").mkdir(parents=True)
    target = released(DirectoryStore(tmp_path / "store"), "1.0.0", stage="staging")
    message = json.dumps({"error": "an empty picture"})
    with fake_runtime.running() as fake:
        fake.otherwise = lambda request: fake_runtime.error(
            424, "ModelError", "see the log", OriginalStatusCode=400, OriginalMessage=message
        )
        assert main(["endpoint", "warm", "m", "--url", fake.url]) == 0
        text = capsys.readouterr().out
    assert target in text and "it refused the request, and is loaded: an empty picture" in text


def test_how_many_requests_at_random_reach_every_instance() -> None:
    assert requests_to_reach(1) == 1
    for instances in (2, 3, 10):
        requests = requests_to_reach(instances)
        # the union bound, and one request less is not enough
        assert instances * (1 - 1 / instances) ** requests <= 0.01
        assert instances * (1 - 1 / instances) ** (requests - 1) > 0.01
