"""Nothing is built of a model in which check finds an error."""

from __future__ import annotations

import hashlib
import pkgutil
from pathlib import Path

import pytest

from slipway import build
from slipway.errors import SlipwayError
from slipway.model.weights import Weights
from tests.artifact.samples import write_environment
from tests.check import fixture_repositories as repositories


def test_a_mistake_is_told_with_its_rule_place_and_fix_before_anything_is_built(
    tmp_path: Path,
) -> None:
    folder = repositories.make("SW404_misspelled_input", tmp_path)
    with pytest.raises(SlipwayError, match="SW404 unknown-input") as refused:
        build.build(folder, repositories.load_settings(tmp_path), tmp_path / "dist")
    assert refused.value.where == f"{folder}/sound_pipeline/config.pbtxt:30:22"
    assert refused.value.fix
    assert not (tmp_path / "dist").exists()


def test_a_build_reads_each_pointer_and_parses_each_config_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repositories.make("good", tmp_path)
    weights = folder / "sound_inferencer" / "1" / "model.onnx"
    data = weights.read_bytes()
    weights.with_name("model.onnx.dvc").write_text(
        f"outs:\n- md5: {hashlib.md5(data).hexdigest()}\n  size: {len(data)}\n"
        "  hash: md5\n  path: model.onnx\n"
    )
    environment = write_environment(tmp_path / "environment")
    monkeypatch.setattr(build, "build_environment", lambda *_: environment)
    monkeypatch.setattr(Weights, "cached", lambda *_: {"": weights})
    parsed = counted(monkeypatch, "google.protobuf.text_format.Parse")
    loaded = counted(monkeypatch, "slipway.model.pointer.yaml.load")
    build.build(folder, repositories.load_settings(tmp_path), tmp_path / "dist")
    configs = [path.read_text() for path in folder.glob("*/config.pbtxt")]
    assert sorted(map(str, parsed)) == sorted(configs)
    assert len(loaded) == 1


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[object]:
    """The first argument of each call of the function ``name``, from now on."""
    module, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(module)
    original = getattr(owner, attribute)
    arguments: list[object] = []

    def call(first: object, *others: object, **named: object) -> object:
        arguments.append(first)
        return original(first, *others, **named)

    monkeypatch.setattr(owner, attribute, call)
    return arguments
