"""pip's settings of indexes, held against `pip config list` of the pip that ensurepip brings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.environment.locking.pip_settings import REPLACEMENTS, pip_settings, unused_pip_settings
from tests.environment.bundled_pip import bundled_pip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_settings_are_those_that_pip_lists(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / "xdg/pip/pip.conf", "[global]\nindex-url = https://a/simple\nfind-links = /a\n")
    write(home / ".pip/pip.conf", "[global]\nindex_url = https://b/simple\n")
    write(home / ".config/pip/pip.conf", "[global]\nextra-index-url =\n  https://c\n  https://d\n")
    monkeypatch.setenv("PIP_FIND_LINKS", "/e /f")
    pip = bundled_pip()
    listed = subprocess.run(
        [sys.executable, f"{pip}/pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    expected = {}
    for section in ("global", "install", ":env:"):
        for key, value in re.findall(rf"^{section}\.(\S+)='(.*)'$", listed, re.MULTILINE):
            if key in REPLACEMENTS:
                expected[key] = value.replace("\\n", " ").split()
    assert {key: setting.value.split() for key, setting in pip_settings().items()} == expected
    assert expected["index-url"] == ["https://b/simple"] and len(expected) == 3


def test_a_setting_that_uv_has_too_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://a/simple/")
    (unused,) = unused_pip_settings(home)
    assert unused.source == "PIP_INDEX_URL"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://a/simple")
    assert not unused_pip_settings(home)
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    write(home / "uv.toml", 'index = [{ url = "https://a/simple", default = true }]\n')
    assert not unused_pip_settings(home)


def test_advice_names_file_and_replacement_and_no_credentials(home: Path) -> None:
    file = home / ".config/pip/pip.conf"
    write(file, "[install]\nextra-index-url = https://me:secret@a/simple\n")
    (unused,) = unused_pip_settings(home)
    assert str(file) in unused.advice and "UV_INDEX" in unused.advice
    assert "https://a/simple" in unused.advice and "secret" not in unused.advice
