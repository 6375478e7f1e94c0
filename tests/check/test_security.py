"""Weights that run code are found by their content, without loading them, under any name."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from slipway.check.pickles import find_dangerous_calls, is_pickle, is_suspect
from tests.check import fixture_repositories as repositories


class GetpidOnLoad:
    """Its pickle calls ``os.getpid`` when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return os.getpid, ()


BAD, PLAIN = pickle.dumps(GetpidOnLoad()), pickle.dumps({"labels": ["open", "closed"]})


def archive(content: bytes, *others: str) -> bytes:
    """Return an archive as PyTorch writes it: a pickle in a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("model/data.pkl", content)
        for name in others:
            file.writestr(name, "")
    return out.getvalue()


def array(content: object) -> bytes:
    """Return an array as numpy writes it: objects are pickled."""
    out = io.BytesIO()
    np.save(out, np.array([content], dtype=object))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("w.pkl", BAD),
        ("w.pkl", pickle.dumps(GetpidOnLoad(), 0)),
        ("w.joblib", BAD),
        ("w.bin", BAD),
        ("w.weights", BAD),
        ("w", BAD),
        ("w.pt", archive(BAD)),
        ("w.npy", array(GetpidOnLoad())),
    ],
)
def test_the_calls_of_a_load_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert is_suspect(file) and find_dangerous_calls(file) == ["posix.getpid"]


@pytest.mark.parametrize(
    ("name", "content", "pickled"),
    [
        ("w.pkl", PLAIN, True),
        ("w.weights", PLAIN, True),
        ("w.pt", archive(PLAIN), True),
        ("w.pt", archive(PLAIN, "model/code/__torch__.py"), False),
        ("w.npy", array(1), False),
        ("w.bin", bytes(range(256)) * 9, False),
        ("w.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), False),
        ("w.joblib", b"\x78\x9c compressed", True),
        ("w.zip", b"PK\x03\x04 cut short", False),
        ("w", b"", False),
    ],
)
def test_nothing_is_found_where_nothing_is_called(
    tmp_path: Path, name: str, content: bytes, pickled: bool
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert find_dangerous_calls(file) == []
    assert is_pickle(file) == pickled


def test_the_scanner_is_imported_only_for_suspect_files(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    program = (
        "import sys; from pathlib import Path; from slipway import settings;"
        "from slipway.check import check; root = Path(sys.argv[1]);"
        "check([root / 'models/sound'], settings.load(root)); print('modelscan' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False"]


def test_a_pointer_to_a_pickle_is_recognised_by_its_name(tmp_path: Path) -> None:
    folder = repositories.make("good", tmp_path)
    pointer = folder / "sound_postprocessing/1/labels.pkl.dvc"
    pointer.write_text(f"outs:\n- md5: {'a' * 32}\n  size: 9\n  hash: md5\n  path: labels.pkl\n")
    assert [f.rule for f in repositories.find_all(tmp_path) if f.location.file == pointer] == [
        "SW702"
    ]


def test_a_model_directory_that_is_itself_a_link_is_found(tmp_path: Path) -> None:
    folder = repositories.make("good", tmp_path / "checkout")
    elsewhere = tmp_path / "elsewhere"
    (folder / "sound_inferencer").rename(elsewhere)
    (folder / "sound_inferencer").symlink_to(elsewhere)
    links = [f for f in repositories.find_all(tmp_path / "checkout") if f.rule == "SW703"]
    assert [f.location.file for f in links] == [folder / "sound_inferencer"]
