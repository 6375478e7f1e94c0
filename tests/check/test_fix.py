"""`--fix` mends what can be mended, shows it, and leaves everything else as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.check.finding import Edit, Finding, Mend, Move, Place, Remove
from slipway.check.fix import Mended, mend
from tests.check import fixture_repositories as repositories


def finding(place: Path, *mends: Mend) -> Finding:
    return Finding("SW101", "", "error", Place(place), "w", "", "", mends)


def until_done(*findings: Finding) -> Callable[[], list[Finding]]:
    """Findings that are gone when they were asked for once."""
    rounds = [list(findings)]
    return lambda: rounds.pop() if rounds else []


def everything(root: Path) -> dict[str, bytes | None]:
    """What lies in a folder: files with their bytes, folders without."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.pbtxt"
    path.write_text('name: "a"\nbackend: "python"\n')
    return path


@pytest.mark.parametrize("name", ["good", *repositories.names()])
def test_fix_changes_what_is_to_be_mended_and_a_second_one_nothing(
    name: str, tmp_path: Path
) -> None:
    repositories.make(name, tmp_path)
    before = everything(tmp_path)
    findings = repositories.found(tmp_path)
    mends = [mend for found in findings for mend in found.mends]
    if not mends:
        assert mend(lambda: findings) == Mended()
        assert everything(tmp_path) == before
        return
    mended = mend(lambda: repositories.found(tmp_path))
    once = everything(tmp_path)
    left = [found for found in repositories.found(tmp_path) if found.mends]
    assert len(left) == len(mended.refused)
    assert mend(lambda: repositories.found(tmp_path)).diff() == ""
    assert everything(tmp_path) == once
    if all(isinstance(mend, Edit) for mend in mends):
        edited = {str(mend.file.relative_to(tmp_path)) for mend in mends if isinstance(mend, Edit)}
        changed = {path for path in before if before[path] != once.get(path)}
        assert changed == edited and before.keys() == once.keys()


def test_the_diff_shows_what_was_changed(config: Path) -> None:
    mended = mend(until_done(finding(config, Edit(config, 7, 8, "b"))))
    assert config.read_text() == 'name: "b"\nbackend: "python"\n'
    assert mended.diff().splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        '-name: "a"',
        '+name: "b"',
        ' backend: "python"',
    ]


def test_a_mend_after_which_the_config_would_not_parse_is_refused_aloud(config: Path) -> None:
    before = config.read_text()
    mended = mend(lambda: [finding(config, Edit(config, 0, 4, "name: {"))])
    assert config.read_text() == before
    assert "would not parse" in mended.refused[0]
    assert mended.diff() == ""


def test_a_finding_s_mends_are_done_all_or_not_at_all(config: Path) -> None:
    before = config.read_text()
    both = finding(config, Edit(config, 7, 8, "b"), Edit(config, 10, 17, "{"))
    assert mend(lambda: [both]).refused
    assert config.read_text() == before


def test_of_two_that_overlap_the_second_waits_for_the_next_round(config: Path) -> None:
    rounds = [
        [finding(config, Edit(config, 6, 9, '"c"'))],
        [
            finding(config, Edit(config, 6, 9, '"b"')),
            finding(config, Edit(config, 7, 8, "never")),
        ],
    ]
    mend(lambda: rounds.pop() if rounds else [])
    assert config.read_text().startswith('name: "c"\n')


def test_lines_added_at_one_place_come_one_behind_the_other(config: Path) -> None:
    end = len(config.read_text())
    added = [
        finding(config, Edit(config, end, end, f"{line}\n")) for line in ("input {}", "output {}")
    ]
    mend(until_done(*added))
    assert config.read_text().endswith('"python"\ninput {}\noutput {}\n')


def test_line_ends_stay_as_they_are(config: Path) -> None:
    config.write_bytes(b'name: "a"\r\nbackend: "python"\r\n')
    mend(until_done(finding(config, Edit(config, 7, 8, "b"))))
    assert config.read_bytes() == b'name: "b"\r\nbackend: "python"\r\n'


def test_mixed_line_ends_are_not_mended(config: Path) -> None:
    config.write_bytes(b'name: "a"\r\nbackend: "python"\n')
    mended = mend(lambda: [finding(config, Edit(config, 7, 8, "b"))])
    assert "mixes line ends" in mended.refused[0]


def test_a_link_is_not_written_through(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "x" / "config.pbtxt"
    link.parent.mkdir()
    link.symlink_to(config)
    mended = mend(lambda: [finding(link, Edit(link, 7, 8, "b"))])
    assert "is a link" in mended.refused[0] and link.is_symlink()


def test_a_mode_stays_as_it_is(config: Path) -> None:
    config.chmod(0o640)
    mend(until_done(finding(config, Edit(config, 7, 8, "b"))))
    assert config.stat().st_mode & 0o777 == 0o640


def test_a_folder_is_moved_and_what_was_edited_in_it_is_shown_where_it_is(tmp_path: Path) -> None:
    config = tmp_path / "old" / "config.pbtxt"
    config.parent.mkdir()
    config.write_text('name: "new"\n')
    move = Move(tmp_path / "old", tmp_path / "new")
    mended = mend(until_done(finding(config, Edit(config, 0, 0, "max_batch_size: 1\n"), move)))
    said = mended.diff()
    assert said.startswith(f"moved {tmp_path}/old to {tmp_path}/new\n")
    assert f"+++ b/{tmp_path}/new/config.pbtxt" in said and "+max_batch_size: 1\n" in said


def test_nothing_is_moved_over_what_is_there(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    mended = mend(lambda: [finding(tmp_path, Move(tmp_path / "old", tmp_path / "new"))])
    assert (tmp_path / "new").read_text() == "new"
    assert "exists already" in mended.refused[0]


def test_only_an_empty_folder_is_removed(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "file").touch()
    refused = mend(lambda: [finding(tmp_path, Remove(tmp_path / "full"))])
    assert "no empty folder" in refused.refused[0] and (tmp_path / "full" / "file").exists()
    done = mend(until_done(finding(tmp_path, Remove(tmp_path / "empty"))))
    assert done.diff() == f"removed the empty folder {tmp_path}/empty\n"
    assert not (tmp_path / "empty").exists()


def test_nothing_to_mend_is_an_empty_diff() -> None:
    assert mend(lambda: []) == Mended()
