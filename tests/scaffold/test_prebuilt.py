"""Prebuilt models: what a package holds, made into a folder, and the sample models made so."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.environment.lock import check_lock
from slipway.errors import SlipwayError
from slipway.files import sha256_of
from slipway.scaffold import render
from slipway.scaffold.prebuilt import write as writing
from slipway.scaffold.prebuilt.fetch import fetched
from slipway.scaffold.prebuilt.prebuilt import Files, Prebuilt
from slipway.scaffold.prebuilt.registry import find_prebuilt, names
from slipway.settings import Settings
from slipway.testing import run
from tests.environment.wheelhouse import Wheelhouse
from tests.scaffold.serving import artifact

ROOT = Path(__file__).parents[2]


def test_every_kind_has_a_lock_with_hashes_and_templates() -> None:
    assert set(names()) >= {"voice-activity"}
    for name in names():
        kind = find_prebuilt(name)
        assert kind.name == name
        assert "--hash=sha256:" in (writing.LOCKS / f"{kind.key}.txt").read_text()
        assert (render.TEMPLATES / writing.template_of(kind) / "README.md.jinja").is_file()


@pytest.mark.parametrize("name", names())
def test_the_bundled_lock_of_a_kind_matches_its_requirements(name: str, tmp_path: Path) -> None:
    template = writing.template_of(find_prebuilt(name))
    requirements = tmp_path / "requirements.txt"
    shutil.copyfile(render.TEMPLATES / template / "requirements.txt.jinja", requirements)
    check_lock(requirements, render.lock_of(template))


def test_an_unknown_model_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SlipwayError, match="no prebuilt model 'ocrr'") as refused:
        find_prebuilt("ocrr")
    assert "voice-activity" in (refused.value.fix or "")


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheelhouse:
    """Return a folder that uv takes wheels from, and nothing else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, value in {
        "UV_FIND_LINKS": folder,
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": tmp_path / "uv",
    }.items():
        monkeypatch.setenv(name, str(value))
    return Wheelhouse(folder)


def test_no_code_of_a_package_runs_when_it_is_fetched(
    wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    code = f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n"
    wheel = wheelhouse.add(
        "model", files={"model/__init__.py": code, "model.pth": code, "model/a.onnx": b"weights"}
    )
    lock = tmp_path / "model.txt"
    lock.write_text(f"model==1.0 --hash=sha256:{sha256_of(wheel)}\n")
    with fetched(lock) as package:
        assert (package / "model" / "a.onnx").read_bytes() == b"weights"
        assert not list(package.rglob("*.pyc"))
    assert not package.exists()
    assert not ran.exists()


def test_another_file_than_the_locked_one_is_refused(
    wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    wheelhouse.add("model")
    lock = tmp_path / "model.txt"
    lock.write_text(f"model==1.0 --hash=sha256:{'0' * 64}\n")
    message = "model==1.0 on the index is not the locked file"
    with pytest.raises(SlipwayError, match=message), fetched(lock):
        pass


def test_without_an_index_the_fix_says_so(wheelhouse: Wheelhouse, tmp_path: Path) -> None:
    lock = tmp_path / "model.txt"
    lock.write_text(f"model==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(SlipwayError) as refused, fetched(lock):
        pass
    assert refused.value.fix == "reach the package index, and try again"


def test_a_package_without_its_licence_text_is_refused(tmp_path: Path) -> None:
    kind = Prebuilt("voice-activity", "", lambda _: Files({}), licences=("LICENSE",))
    with pytest.raises(SlipwayError, match="has no LICENSE"):
        list(writing.licence_files(tmp_path, kind, Files({"inferencer/1/model.onnx": b""})))


def test_the_source_names_packages_and_the_digests_of_the_weights() -> None:
    kind = find_prebuilt("voice-activity")
    files = Files({"inferencer/1/model.onnx": b"weights"})
    source = json.loads(writing.source_file(kind, files))
    assert source["packages"] == {"silero-vad": "6.2.3"}
    assert source["weights"]["inferencer/1/model.onnx"]["size"] == 7


@pytest.mark.parametrize("name", ["ocr", "voice-activity"])
def test_a_sample_of_this_repository_is_what_the_command_makes(name: str, tmp_path: Path) -> None:
    kind = find_prebuilt(name)
    render.render(writing.template_of(kind), kind.key, "1.0.0", {}, tmp_path)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        sample = ROOT / "models" / kind.key / file.relative_to(tmp_path)
        assert sample.read_bytes() == file.read_bytes()


def test_sentiment_has_the_weights_and_figures_of_the_sample_that_is_trained() -> None:
    sample = ROOT / "models" / "sentiment_en"
    weights = find_prebuilt("sentiment-en").files(Path()).weights["inferencer/1/model.onnx"]
    pointer = (sample / "sentiment_en_inferencer" / "1" / "model.onnx.dvc").read_text()
    assert hashlib.md5(weights, usedforsecurity=False).hexdigest() in pointer
    metrics = json.loads((sample / "training" / "metrics.json").read_text())
    readme = (render.TEMPLATES / "prebuilt" / "sentiment_en" / "README.md.jinja").read_text()
    for of, of_lexicon in zip(
        metrics["accuracy"].values(), metrics["accuracy of the lexicon"].values(), strict=True
    ):
        assert f"| {of:.1%} | {of_lexicon:.1%} |".replace("%", " %") in readme


@pytest.mark.parametrize("name", ["file-type", "voice-activity"])
def test_a_prebuilt_model_has_no_findings_and_passes_its_own_tests_on_a_real_server(
    name: str, settings: Settings, environment: ExecutionEnvironment
) -> None:
    """Fetch the package from the index, as the launchers fetch theirs."""
    folder = writing.write("sample", find_prebuilt(name), settings)
    assert check([folder], settings) == []
    assert run.run(folder, settings.root, artifact=artifact(folder, environment)) == 0
