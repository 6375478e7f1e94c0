"""A function of files is called once while they are unchanged, and again afterwards."""

from __future__ import annotations

from pathlib import Path

from slipway.unchanged import LIMIT, files_unchanged, remembered


@remembered
def size_of(file: Path) -> int:
    """Return the bytes of a file."""
    return file.stat().st_size


def test_a_result_is_remembered_until_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    with files_unchanged():
        assert size_of(file) == 1
        file.write_text("ab")
        with files_unchanged():
            assert size_of(file) == 1
        assert size_of(file) == 1
    assert size_of(file) == 2


def test_only_the_latest_results_are_remembered(tmp_path: Path) -> None:
    files = [tmp_path / str(number) for number in range(LIMIT + 1)]
    for file in files:
        file.write_text("a")
    with files_unchanged():
        assert [size_of(file) for file in files] == [1] * len(files)
        files[0].write_text("ab")
        files[1].write_text("ab")
        assert size_of(files[1]) == 1
        assert size_of(files[0]) == 2
