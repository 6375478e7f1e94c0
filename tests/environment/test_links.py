from __future__ import annotations

from pathlib import Path

import pytest

from slipway.environment.links import resolve_links
from slipway.errors import SlipwayError


def write(path: Path, text: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_only_the_name_that_loaders_use_is_kept(tmp_path: Path) -> None:
    real = write(tmp_path / "lib" / "libz.so.1.3.1")
    (tmp_path / "lib" / "libz.so.1").symlink_to(real.name)
    (tmp_path / "lib" / "libz.so").symlink_to("libz.so.1")
    assert set(resolve_links(tmp_path)) == {"lib/libz.so.1"}


def test_a_link_for_linkers_is_removed(tmp_path: Path) -> None:
    real = write(tmp_path / "lib" / "libpython3.12.so.1.0")
    (tmp_path / "lib" / "libpython3.12.so").symlink_to(real.name)
    assert set(resolve_links(tmp_path)) == {"lib/libpython3.12.so.1.0"}


def test_other_links_become_copies(tmp_path: Path) -> None:
    write(tmp_path / "share" / "zones" / "Rome", "CET")
    (tmp_path / "share" / "Vatican").symlink_to("zones/Rome")
    (tmp_path / "zones").symlink_to("share/zones")
    files = resolve_links(tmp_path)
    assert set(files) == {"share/zones/Rome", "share/Vatican", "zones/Rome"}
    assert {path.read_text() for path in files.values()} == {"CET"}


def test_dangling_links_are_removed(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    assert resolve_links(tmp_path) == {}


def test_a_link_out_of_the_environment_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "secret")
    (tmp_path / "prefix").mkdir()
    (tmp_path / "prefix" / "way").symlink_to("../secret")
    with pytest.raises(SlipwayError, match="the link way in the environment points out of it"):
        resolve_links(tmp_path / "prefix")
