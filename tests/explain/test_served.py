"""A row and a picture, explained by asking the real server behind a local endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slipway.cli import main
from slipway.endpoint import registry
from slipway.model.config_interface import interface_of_folder
from slipway.store.directory import DirectoryStore
from tests import fixture_models
from tests.client import releases
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository whose endpoint serves a sum of rows, and the brightness of pictures."""
    root = tmp_path_factory.mktemp("repository")
    shelf = Shelf(root)
    (root / "slipway.toml").write_text(
        f'[release]\nstore = "{shelf.folder.name}"\n', encoding="utf-8"
    )
    store = DirectoryStore(shelf.folder)
    for name in ("adder", "brightness"):
        target = f"{name}_1.0.0.tar.gz"
        folder = fixture_models.copy(name, root / "copies")
        fixture_models.pack(folder, shelf.path(target))
        releases.release(store, target, interface_of_folder(folder), name=name)
        releases.alias(store, target, name=name)
    with shelves.up(root, shelf) as running, registry.register(root, ["local"], running.url):
        yield root


def test_a_served_row_has_its_exact_contributions(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    usual = [{"A": [0, 0, 0, 0], "B": [0, 0, 0, 0]}, {"A": [2, 2, 2, 2], "B": [4, 4, 4, 4]}]
    (root / "usual.json").write_text(json.dumps(usual), encoding="utf-8")
    row = '{"A": [1, 2, 3, 4], "B": [10, 20, 30, 40]}'
    words = ["explain", "adder", "--data", row, "--background", "usual.json", "--label", "2"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    parts = {part["name"]: part["contribution"] for part in found["parts"]}
    assert parts == {
        **{f"{name}[{number}]": pytest.approx(0) for name in "AB" for number in (0, 1, 3)},
        "A[2]": pytest.approx(3 - 1),
        "B[2]": pytest.approx(30 - 2),
    }
    assert (found["base"], found["answer"]) == (pytest.approx(3), pytest.approx(33))


def test_the_heat_of_a_served_picture_lies_where_the_model_looks(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[4:20, 8:24] = 255
    pixels[40:56, 60:76] = 255  # as bright, where the model does not look
    Image.fromarray(pixels).save(root / "photo.png")
    heat = root / "heat.png"
    assert main(["explain", "brightness", "photo.png", "--json", "--output", str(heat)]) == 0
    found = json.loads(capsys.readouterr().out)
    cells = np.array(found["heat"])
    assert found["kind"] == "image" and found["size"] == [96, 64]
    assert np.abs(cells[:8, :8]).sum() > 0.9 * np.abs(cells).sum()
    assert np.abs(cells[9:, 9:]).max() < 0.05 * cells.max()
    assert Image.open(heat).width > 1000
