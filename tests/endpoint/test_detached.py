"""An endpoint in the background: started by the command, called, stopped by the command."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from slipway.endpoint import detached, registry
from slipway.errors import SlipwayError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "slipway.toml").write_text("")
    return tmp_path


def test_an_endpoint_serves_in_the_background_until_it_is_stopped(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    url = detached.start(root, ["local"], ["--port=0"], 300)
    try:
        with urllib.request.urlopen(f"{url}/ping") as answer:
            assert answer.status == 200
        pid = registry.find_pid(root, "local")
        assert pid is not None
        with pytest.raises(SlipwayError, match="already running"):
            detached.start(root, ["local"], ["--port=0"], 300)
    finally:
        detached.stop(root, ["local"])
    with pytest.raises(URLError):
        urllib.request.urlopen(f"{url}/ping")
    with pytest.raises(SlipwayError, match="not running"):
        detached.stop(root, ["local"])


def test_an_endpoint_that_ends_at_once_shows_its_last_lines(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(SlipwayError, match="ended with exit code") as caught:
        detached.start(root, ["nothing"], ["--endpoint=nothing"], 300)
    assert "no endpoint 'nothing'" in caught.value.what
    assert str(root / ".slipway/logs/endpoint_up_nothing.log") in str(caught.value.where)


def test_an_endpoint_that_does_not_serve_in_time_is_stopped(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(SlipwayError, match=r"did not serve within 0\.01 s and was stopped"):
        detached.start(root, ["local"], ["--port=0"], 0.01)
    assert registry.find_pid(root, "local") is None
