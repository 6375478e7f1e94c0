"""``slipway image``: what it writes, prints and refuses. tests/image holds what is in an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.image.layout import Layout
from tests.image.bases import tiny_base
from tests.release.sample_releases import create_repository, promote_samples, publish_sample


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slipway_cache: Path) -> Path:
    """A repository with a release in production and a newer one in staging."""
    settings = create_repository(tmp_path / "checkout")
    promote_samples(settings, "1.0.0")
    publish_sample(settings, "1.1.0")
    tiny_base(settings.root / "base")
    monkeypatch.chdir(settings.root)
    return settings.root


def make(*words: str) -> int:
    return main(["image", *words, "--base", "oci:base"])


def test_what_an_alias_serves_becomes_an_image(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make("m@production", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["image"] == f"oci:{root / 'dist/images'}:m-1.0.0"
    assert Layout(root / "dist/images").find("m-1.0.0")["digest"] == printed["digest"]
    assert printed["attached"] == 2  # of the image, and the release's tests


def test_releases_share_a_layout_and_its_layers(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make("m@production") == make("m@1.1.0") == 0
    assert Layout(root / "dist/images").names() == ["m-1.0.0", "m-1.1.0"]
    lines = capsys.readouterr().out.splitlines()
    shared = [line for line in lines if "execution environment" in line]
    assert len(shared) == 2
    assert len(set(shared)) == 1


def test_an_unknown_release_is_an_error_that_names_the_others(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make("m@7.0.0") == 1
    assert "7.0.0 is not a release of m" in capsys.readouterr().err


def test_damaged_bytes_do_not_become_an_image(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (root / "store/production/models/m_1.0.0.tar.gz").open("ab") as file:
        file.write(b"more")
    assert make("m@production") == 1
    assert "was published" in capsys.readouterr().err
    assert not (root / "dist").joinpath("images").exists()


@pytest.mark.parametrize("output", ["docker:image.tar", "registry:127.0.0.1:9/m:1"])
def test_without_skopeo_the_error_says_how_to_get_it(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert make("m@production", "--output", output) == 1
    assert "skopeo is not installed\nfix: apt-get install skopeo" in capsys.readouterr().err
    assert not (root / "image.tar").exists()


def test_a_skopeo_that_fails_is_quoted_with_a_fix(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = root / "skopeo"
    program.write_text("#!/bin/sh\necho connection refused >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(root), prepend=":")
    assert make("m@production", "--output", "registry:127.0.0.1:9/m:1") == 1
    printed = capsys.readouterr().err
    assert "connection refused" in printed
    assert "fix: check that 127.0.0.1:9 can be reached" in printed


def test_credentials_go_by_a_file_and_never_by_the_command_line(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, seen = root / "skopeo", root / "seen.txt"
    program.write_text(f'#!/bin/sh\necho "$@" >> {seen}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(root), prepend=":")
    secrets = root / "auth.json"
    secrets.write_text('{"auths": {"h.example.com": {"auth": "c2VjcmV0"}}}')
    assert make("m@production", "--output", "registry:h.example.com/m:1",
                "--authfile", "auth.json") == 0  # fmt: skip
    calls = seen.read_text().splitlines()
    assert len(calls) == 2  # the image, and what is attached to it
    for call in calls:
        assert f"--dest-authfile={secrets}" in call
        assert "tls-verify=false" not in call
        assert "c2VjcmV0" not in call
