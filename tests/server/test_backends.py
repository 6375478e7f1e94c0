"""The backend directory, prepared from the wheel."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from slipway.errors import SlipwayError
from slipway.server import backends, source
from slipway.settings import Settings
from slipway.triton.standins import STANDINS


def _prepare(_: int) -> str:
    return str(backends.prepare(source.find_server(Settings(root=Path("/"))), "3.12"))


def test_it_is_made_once_by_processes_that_start_together(slipway_cache: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        folders = set(pool.map(_prepare, range(8)))
    assert len(folders) == 1
    folder = Path(folders.pop())
    assert {path.name for path in folder.iterdir()} == {"python", "onnxruntime", *STANDINS}
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".aside")]
    for file in folder.rglob("*"):
        assert not file.is_symlink(), "a linked library is refused by the server"
    assert os.access(folder / "python" / "triton_python_backend_stub", os.X_OK)


def test_a_python_without_a_stub_is_refused(slipway_cache: Path) -> None:
    with pytest.raises(SlipwayError, match=r"Python 3\.7"):
        backends.prepare(source.find_server(Settings(root=Path("/"))), "3.7")


def test_a_libpython_of_another_version_is_reported() -> None:
    with pytest.raises(SlipwayError, match=r"libpython3\.7\.so\.1\.0") as caught:
        backends.libpython("3.7")
    assert caught.value.fix
