"""The code that the page gives is run, and gets the answer that the page shows."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import slipway
from tests.endpoint.playground.conftest import BRIGHT, ECHO, Tried
from tests.endpoint.playground.shop import Asked, text, typed

KINDS = ("curl", "boto3", "client")
MISSING = shutil.which("curl") is None
Rows = list[dict[str, Any]]


def file(path: Path) -> dict[str, str]:
    """A file as the page sends it."""
    data = base64.b64encode(path.read_bytes()).decode()
    return {"kind": "file", "value": data, "name": path.name}


def run(kind: str, code: str, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run what was pasted, in ``folder``; what it printed."""
    command = ["sh", "-c", code] if kind == "curl" else [sys.executable, "-c", code]
    library = {"PYTHONPATH": str(Path(slipway.__file__).parent.parent)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **library, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def folder_of(tried: Tried, code: dict[str, Any], path: Path) -> Path:
    """A folder with slipway.toml, the picture, and the files that the page offers to save."""
    shutil.copy(tried.shop.root / "slipway.toml", path)
    shutil.copy(tried.picture, path)
    for name, data in code["files"].items():
        (path / name).write_bytes(base64.b64decode(data))
    return path


def asked(tried: Tried, target: str, rows: Rows) -> dict[str, Any]:
    """What the page shows."""
    answer: dict[str, Any] = Asked(tried.url, "ask", {"target": target, "rows": rows}).json
    return dict(answer["answer"])


@pytest.mark.skipif(MISSING, reason="curl is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_goes_by_its_files_name(tried: Tried, tmp_path: Path, kind: str) -> None:
    answer = asked(tried, BRIGHT, [{"IMAGE": file(tried.picture)}, {"IMAGE": file(tried.picture)}])
    code = answer["code"]
    assert code["files"] == {}
    assert base64.b64encode(tried.picture.read_bytes()).decode()[:40] not in code[kind]
    folder = folder_of(tried, code, tmp_path)
    said = run(kind, code[kind], folder)
    label = answer["outputs"][0]["elements"][1]["text"]
    if kind == "client":
        assert f"LABEL object (2, 1) [[b'{label}'], [b'{label}']]" in said
    else:  # a picture in the answer, which JSON does not hold
        saved = folder / ("answer.bin" if kind == "curl" else "output_0.bin")
        assert label.encode() in saved.read_bytes()


@pytest.mark.skipif(MISSING, reason="curl is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_texts_with_every_quote_and_exact_numbers_are_inline(
    tried: Tried, tmp_path: Path, kind: str
) -> None:
    tricky = 'it\'s "quoted" $(touch pwned) `id` \\n é 😀\n%s {x}'
    rows = [{"TEXT": text(tricky), "WHOLE": typed("[9007199254740993]")}]
    code = asked(tried, ECHO, rows)["code"]
    said = run(kind, code[kind], folder_of(tried, code, tmp_path))
    assert "9007199254740993" in said
    assert not (tmp_path / "pwned").exists()
    if kind == "client":
        assert repr(tricky.encode()) in said
    elif kind == "boto3":
        assert repr(tricky) in said
    else:
        assert "$(touch pwned) `id`" in said


@pytest.mark.skipif(MISSING, reason="curl is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_what_json_does_not_hold_is_saved_beside_the_code(
    tried: Tried, tmp_path: Path, kind: str
) -> None:
    rows = [{"HALF": typed("0.1, 2"), "REAL": typed("[NaN, 0.1]"), "TEXT": typed('"a\\u0000b"')}]
    answer = asked(tried, ECHO, rows)
    code = answer["code"]
    assert set(code["files"]) == {"HALF.bin", "REAL.bin", "TEXT.bin"}
    said = run(kind, code[kind], folder_of(tried, code, tmp_path))
    if kind == "client":
        assert "TEXT_BACK object (1, 1) [[b'a\\x00b']]" in said
        assert "REAL_BACK float32 (1, 2) [[nan, 0.10000000149011612]]" in said
    else:
        got = b"".join(path.read_bytes() for path in tmp_path.glob("*.bin") if "put_" in path.name)
        got = got or (tmp_path / "answer.bin").read_bytes()
        for name in ("HALF.bin", "REAL.bin", "TEXT.bin"):
            assert base64.b64decode(code["files"][name]) in got


@pytest.mark.skipif(MISSING, reason="curl is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_an_array_goes_by_its_npy_file(tried: Tried, tmp_path: Path, kind: str) -> None:
    import numpy as np

    array = tmp_path / "my array.npy"
    np.save(array, np.array([[1.5, 2.5, 3.5]], np.float32))
    code = asked(tried, ECHO, [{"REAL": file(array)}])["code"]
    assert "my array.npy" in code[kind]
    assert code["files"] == {}
    assert "1.5" in run(kind, code[kind], folder_of(tried, code, tmp_path)) or kind != "client"


def test_hostile_names_of_files_stay_names(tried: Tried, tmp_path: Path) -> None:
    evil = "$(touch pwned)'; touch pwned #.png"
    (tmp_path / evil).write_bytes(tried.picture.read_bytes())
    code = asked(tried, BRIGHT, [{"IMAGE": file(tmp_path / evil)}])["code"]
    folder = folder_of(tried, code, tmp_path)
    for kind in KINDS:
        run(kind, code[kind], folder)
    assert not (tmp_path / "pwned").exists()
    code = asked(tried, BRIGHT, [{"IMAGE": file(tried.picture) | {"name": "../../a\nb"}}])["code"]
    assert "'a_b'" in code["client"]


def test_the_request_that_a_model_refuses_can_be_pasted_too(tried: Tried, tmp_path: Path) -> None:
    answer = asked(tried, ECHO, [{"TEXT": text("fail on purpose")}])
    code = answer["code"]
    assert "on purpose" in answer["error"]["what"]
    assert "on purpose" in run("curl", code["curl"], folder_of(tried, code, tmp_path))


def test_with_a_token_the_code_reads_it_from_the_environment(tried: Tried) -> None:
    body = {"target": ECHO, "rows": [{"TEXT": text("a")}]}
    token = {"Authorization": "Bearer secret-token"}
    code = Asked(tried.url, "ask", body, token).json["answer"]["code"]
    for kind in KINDS:
        assert "SLIPWAY_TOKEN" in code[kind]
        assert "secret-token" not in code[kind]
