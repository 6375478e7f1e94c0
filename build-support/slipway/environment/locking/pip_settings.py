"""Find pip's settings of package indexes that are set, while uv does not use them.

Source: pip's documentation, "Configuration": variables override files, and a later file an earlier.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# pip's key, and what replaces it: uv's variable, and its key in uv.toml
REPLACEMENTS = {
    "index-url": ("UV_DEFAULT_INDEX", 'index = [{ url = "…", default = true }]'),
    "extra-index-url": ("UV_INDEX", 'index = [{ url = "…" }]'),
    "find-links": ("UV_FIND_LINKS", 'find-links = ["…"]'),
}
UV_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
SECTIONS = ("global", "install")  # of pip.conf; the later one overrides


@dataclass(frozen=True)
class PipSetting:
    """A setting of pip; ``source`` is a variable or a file."""

    key: str
    value: str
    source: str

    @property
    def advice(self) -> str:
        """Return a sentence that names the setting, without credentials, and its replacement."""
        variable, key = REPLACEMENTS[self.key]
        value = re.sub(r"//[^/@\s]*@", "//", self.value)
        return (
            f"{self.key} of {self.source} ({value}) is pip's alone: use {variable}, or {key} in"
            " uv.toml"
        )


def pip_settings() -> dict[str, PipSetting]:
    """Return pip's settings of indexes by their keys, as ``pip install`` would use them."""
    found: dict[str, PipSetting] = {}
    for file in _files():
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself refuses it
        for section in SECTIONS:
            for key, value in parser.items(section) if parser.has_section(section) else ():
                name = key.replace("_", "-")
                if name in REPLACEMENTS and value.strip():
                    found[name] = PipSetting(name, " ".join(value.split()), str(file))
    for name in REPLACEMENTS:
        variable = f"PIP_{name.upper().replace('-', '_')}"
        if os.environ.get(variable, "").strip():
            value = " ".join(os.environ[variable].split())
            found[name] = PipSetting(name, value, variable)
    return found


def unused_pip_settings(root: Path) -> list[PipSetting]:
    """Return the settings of pip whose URLs and folders neither variables nor files name to uv.

    ``root`` is the repository's, where ``uv.toml`` is.
    """
    used = " ".join(_uv_texts(root))
    return [
        setting
        for setting in pip_settings().values()
        if not all(value.rstrip("/") in used for value in setting.value.split())
    ]


def _files() -> Iterator[Path]:
    """Yield pip's files, the ones that override last."""
    chosen = os.environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    for folder in reversed((os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(folder, "pip/pip.conf")
    yield Path("/etc/pip.conf")
    if not chosen or not Path(chosen).is_file():
        yield Path.home() / ".pip/pip.conf"
        yield Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pip/pip.conf"
    yield Path(sys.prefix, "pip.conf")
    if chosen:
        yield Path(chosen)


def _uv_texts(root: Path) -> Iterator[str]:
    """Yield what configures uv: its variables and its files."""
    yield from (os.environ.get(name, "") for name in (*UV_VARIABLES, "UV_FIND_LINKS"))
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    chosen = os.environ.get("UV_CONFIG_FILE")
    files = [
        root / "uv.toml",
        root / "pyproject.toml",
        home / "uv/uv.toml",
        Path("/etc/uv/uv.toml"),
    ]
    for file in [Path(chosen)] if chosen else files:
        if file.is_file():
            yield file.read_text(encoding="utf-8", errors="replace")
