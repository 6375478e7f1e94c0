"""``slipway client``: a file, whole or not at all, and never over somebody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.cli import main
from slipway.client import stub
from slipway.model.interface import Interface, Tensor
from slipway.store.directory import DirectoryStore
from tests.client import releases
from tests.client.releases import FEATURES, ONE, TWO

OTHER = Interface(0, {"Y": Tensor("INT64", (1,))}, {})


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """The working folder is a repository with two releases of ``m``, of which one is served."""
    (tmp_path / "slipway.toml").write_text('[release]\nstore = "store"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = DirectoryStore(tmp_path / "store")
    releases.release(made, ONE)
    releases.release(made, TWO, OTHER)
    releases.alias(made, ONE)
    return made


def test_a_client_is_written_of_the_release_that_is_served(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["client", "m", "-o", "app/m_client.py"]) == 0
    written = Path("app/m_client.py").read_text(encoding="utf-8")
    assert written == stub.generate_client("m", ONE, FEATURES)
    assert ONE in capsys.readouterr().out


def test_it_is_written_anew_over_one_of_before() -> None:
    assert main(["client", "m", "-o", "m.py"]) == 0
    assert main(["client", "m", "-o", "m.py", "--target", TWO]) == 0
    assert Path("m.py").read_text(encoding="utf-8") == stub.generate_client("m", TWO, OTHER)


def test_a_file_of_somebodys_own_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("app.py").write_text("print('mine')\n", encoding="utf-8")
    assert main(["client", "m", "-o", "app.py"]) == 1
    assert "did not write it" in capsys.readouterr().err
    assert Path("app.py").read_text(encoding="utf-8") == "print('mine')\n"


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["mm", "--output", "m.py"], "did you mean m?"),
        (["m", "-o", "m.py", "--target", "m_9.0.0.tar.gz"], "is not a release of m"),
        (["m", "-o", "m.py", "--endpoint", "nowhere"], "no endpoint 'nowhere'"),
        (["m", "-o", "slipway.toml/m.py"], "cannot be written"),
    ],
)
def test_mistakes_are_reported_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], words: list[str], output: str
) -> None:
    assert main(["client", *words]) == 1
    errors = capsys.readouterr().err
    assert output in errors and "\nfix: " in errors
    assert not Path("m.py").exists()
