"""``slipway keys``: a pair made and listed, and no private key in what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.cli import main


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "slipway.toml").write_text(
        '[signing]\ntrusted = ["keys/releases.pub.pem"]\n', encoding="utf-8"
    )
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SLIPWAY_SIGNING_KEY", raising=False)
    return folder


def test_a_new_pair_signs_and_is_listed_as_trusted(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = repository.parent / "releases.pem"
    assert main(["keys", "new", str(private)]) == 0
    made = capsys.readouterr().out
    assert 'trusted = ["keys/releases.pub.pem"]' in made
    monkeypatch.setenv("SLIPWAY_SIGNING_KEY", str(private))
    assert main(["keys", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["trusted"] == {"keys/releases.pub.pem": listed["signs"]}
    assert f"key {listed['signs']}" in made
    secret = private.read_text(encoding="utf-8").splitlines()[1]
    assert secret not in made


def test_making_it_again_is_refused(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    private = repository.parent / "releases.pem"
    assert main(["keys", "new", str(private)]) == 0
    before = private.read_bytes()
    assert main(["keys", "new", str(private), "--public", "other.pub.pem"]) == 1
    assert "the file exists already" in capsys.readouterr().err
    assert private.read_bytes() == before and not (repository / "other.pub.pem").exists()


def test_a_signing_key_that_nobody_trusts_is_reported(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["keys", "new", str(repository.parent / "releases.pem")]) == 0
    other = repository.parent / "other.pem"
    assert main(["keys", "new", str(other)]) == 0
    monkeypatch.setenv("SLIPWAY_SIGNING_KEY", other.read_text(encoding="utf-8"))
    capsys.readouterr()
    assert main(["keys", "list"]) == 1
    output = capsys.readouterr()
    assert "trusted: " in output.out and "is not trusted" in output.err
    assert other.read_text(encoding="utf-8").splitlines()[1] not in output.out + output.err


def test_without_any_key_the_list_says_so(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "slipway.toml").write_text("", encoding="utf-8")
    assert main(["keys", "list"]) == 0
    output = capsys.readouterr().out
    assert "signs: nothing" in output and "trusted: no key" in output
