"""A model must not find libraries here that the serving image lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.environment.libraries.image import serving_image
from slipway.errors import SlipwayError
from slipway.server import hide_libraries
from slipway.server.server import Server
from tests import fixture_models

LOAD = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
NEEDED = (
    *("ld-linux-x86-64.so", "ld-linux-aarch64.so", "libc.so", "libm.so", "libdl.so"),
    *("libpthread.so", "libutil.so", "librt.so", "libffi.so", "libpython3.12.so"),
)


def load_hidden(folder: Path, library: str, *visible: str) -> subprocess.CompletedProcess[str]:
    """Load ``library`` in a Python that sees only what it needs itself, and ``visible``."""
    folder.mkdir()
    orders = json.dumps({"folder": str(folder), "visible": [*NEEDED, *visible]})
    script = hide_libraries.__file__
    argv = [sys.executable, "-I", "-S", script, orders, sys.executable, "-c", LOAD, library]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def library_beyond_the_image() -> str:
    """A library of this machine that NVIDIA's image lacks; every Debian has apt's."""
    stems = {name.partition(".so")[0] for name in serving_image("25.04").libraries}
    names = (
        entry.name
        for folder in hide_libraries.library_folders()
        for entry in sorted(Path(folder).glob("lib*.so.[0-9]*"))
    )
    return next(name for name in names if name.partition(".so")[0] not in stems)


def test_a_library_is_hidden_and_visible_by_its_name(tmp_path: Path) -> None:
    hidden = load_hidden(tmp_path / "hidden", "libz.so.1")
    assert "libz.so.1: cannot open shared object file" in hidden.stderr
    visible = load_hidden(tmp_path / "visible", "libz.so.1", "libz.so")
    assert visible.returncode == 0, visible.stderr
    assert not list(tmp_path.glob(f"*/{hide_libraries.ALL_VISIBLE}"))


def test_nothing_is_hidden_from_other_processes(tmp_path: Path) -> None:
    load_hidden(tmp_path / "hidden", "libz.so.1")
    subprocess.run([sys.executable, "-c", LOAD, "libz.so.1"], check=True)


def test_a_machine_without_namespaces_runs_the_program_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(flags: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    started: list[list[str]] = []
    monkeypatch.setattr(os, "unshare", forbidden)
    monkeypatch.setattr(os, "execv", lambda program, argv: started.append(argv))
    monkeypatch.setattr(hide_libraries, "libc", FakeLibc())
    orders = json.dumps({"folder": str(tmp_path), "visible": []})
    monkeypatch.setattr(sys, "argv", ["hide_libraries.py", orders, "server", "--flag"])
    hide_libraries.main()
    assert started == [["server", "--flag"]]
    reason = (tmp_path / hide_libraries.ALL_VISIBLE).read_text()
    assert reason == "[Errno 1] Operation not permitted"


class FakeLibc:
    def prctl(self, *arguments: int) -> int:
        return 0


def test_a_model_that_needs_a_library_of_this_machine_fails_here_as_there(
    server: Server, tmp_path: Path
) -> None:
    library = library_beyond_the_image()
    subprocess.run([sys.executable, "-c", LOAD, library], check=True)
    folder = fixture_models.copy("identity", tmp_path)
    model = next(folder.glob("*/1/model.py"))
    model.write_text(f"{model.read_text()}\nimport ctypes\nctypes.CDLL({library!r})\n")
    with pytest.raises(SlipwayError, match=f"{library}: cannot open shared object") as failed:
        server.load("needs_more.tar.gz", folder)
    assert server.visible_libraries is None
    assert f"the serving image has no {library}" in str(failed.value.fix)
