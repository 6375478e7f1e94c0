from __future__ import annotations

import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.environment.fallback import cpython
from slipway.errors import SlipwayError

MINOR = "{}.{}".format(*sys.version_info)


def test_this_machines_python_is_found_from_inside_a_virtual_environment() -> None:
    installation = cpython.find_python(MINOR)
    assert installation.version == sys.version.split()[0]
    assert installation.library.name == f"libpython{MINOR}.so.1.0"
    assert (installation.stdlib / "os.py").is_file() and installation.executable.is_file()


def test_another_minor_version_is_refused() -> None:
    with pytest.raises(SlipwayError, match="need Python 3.9, but Slipway runs on 3.12"):
        cpython.find_python("3.9")


def test_a_python_without_a_shared_library_is_refused_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pyenv builds it by default."""
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: None)
    with pytest.raises(SlipwayError, match=f"has no libpython{MINOR}.so.1.0") as refused:
        cpython.find_python(MINOR)
    assert "--enable-shared" in (refused.value.fix or "")


def test_debians_python_searches_where_packages_are_installed(tmp_path: Path) -> None:
    installation = replace(cpython.find_python(MINOR), stdlib=tmp_path)
    (tmp_path / "site.py").write_text('sitepackages.append(join(prefix, "dist-packages"))\n')
    members = {name: data for name, data, _ in cpython._members(installation)}
    assert b"site-packages" in members[f"lib/python{MINOR}/site.py"]


def test_equal_pythons_give_equal_packages_under_another_name_when_changed(tmp_path: Path) -> None:
    installation = replace(cpython.find_python(MINOR), stdlib=tmp_path / "stdlib")
    installation.stdlib.mkdir()
    (installation.stdlib / "os.py").write_text("")
    digests = []
    for folder in (tmp_path / "one", tmp_path / "two", tmp_path / "three"):
        folder.mkdir()
        if folder.name == "three":
            (installation.stdlib / "os.py").write_text("changed = True\n")
        digests.append(cpython.write_package(installation, folder))
    assert digests[0] == digests[1] != digests[2]
    files = [next((tmp_path / name).iterdir()).name for name in ("one", "two", "three")]
    assert files[0] == files[1] != files[2]
