from __future__ import annotations

import marshal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from slipway.environment.bytecode import SourceFile, compile_all

STDLIB = Path(sysconfig.get_path("stdlib"))
PACKAGES = ("json", "email", "asyncio", "collections", "unittest")


def compile_files(sources: list[Path], into: Path, workers: int = 2) -> dict[str, bytes]:
    targets = [
        SourceFile(path, f"lib/{path.relative_to(STDLIB)}", into / f"{path.relative_to(STDLIB)}c")
        for path in sources
    ]
    compile_all(targets, workers=workers)
    return {source.name: source.target.read_bytes() for source in targets}


@pytest.fixture(scope="module")
def sources() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((STDLIB / name).glob("*.py"))]


def test_bytes_do_not_depend_on_order_workers_or_other_files(
    sources: list[Path], tmp_path: Path
) -> None:
    first = compile_files(sources, tmp_path / "one")
    assert compile_files(sources[::-1], tmp_path / "two", workers=1) == first
    assert compile_files(sources, tmp_path / "three", workers=5) == first
    alone = [path for path in sources if path.parent.name == "json"]
    assert compile_files(alone, tmp_path / "four").items() <= first.items()


def test_bytecode_has_the_requested_file_name(sources: list[Path], tmp_path: Path) -> None:
    for name, data in compile_files(sources[:3], tmp_path).items():
        assert marshal.loads(data[16:]).co_filename == name
        assert str(tmp_path).encode() not in data


def test_bytecode_outlives_a_touched_source(tmp_path: Path) -> None:
    """Python rewrites checked bytecode, which restarts models that share the folder."""
    source = tmp_path / "shapes.py"
    source.write_text("print('old')\n")
    target = tmp_path / "__pycache__" / f"shapes.{sys.implementation.cache_tag}.pyc"
    compile_all([SourceFile(source, "shapes.py", target)])
    before = target.stat()
    source.write_text("print('new')\n")
    result = subprocess.run(
        [sys.executable, "-c", "import shapes"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "old\n"
    assert target.stat().st_mtime_ns == before.st_mtime_ns


def test_invalid_python_gets_no_bytecode(tmp_path: Path) -> None:
    source = tmp_path / "template.py"
    source.write_text("def {{ name }}(): pass\n")
    compile_all([SourceFile(source, "template.py", tmp_path / "template.pyc")])
    assert not (tmp_path / "template.pyc").exists()
