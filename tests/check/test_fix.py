"""`--fix` applies the fixes that are safe, shows them, and leaves everything else unchanged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.check.finding import Create, Edit, Finding, Fix, Location, Lock, Move, Remove
from slipway.check.fix.apply import FixResult, apply_fixes
from slipway.environment.lock import header, package_in_line
from slipway.errors import SlipwayError
from tests.check import fixture_repositories as repositories


def finding(path: Path, *fixes: Fix) -> Finding:
    return Finding("SW101", "", "error", Location(path), "w", "", "", fixes)


def found_once(*findings: Finding) -> Callable[[], list[Finding]]:
    """Return a function that returns the findings once, and then none."""
    rounds = [list(findings)]
    return lambda: rounds.pop() if rounds else []


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Return the content of a folder: files with their bytes, folders with ``None``."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def relock(requirements: Path) -> None:
    """Write the good repository's lock for these requirements, without a package index."""
    settings = repositories.load_settings(requirements.parents[2])
    good = repositories.GOOD / "models" / "sound" / "requirements.lock"
    _, _, pins = good.read_text().partition("\n")
    wanted = {package_in_line(line) or "numpy" for line in requirements.read_text().splitlines()}
    pins += "".join(
        f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in sorted(wanted - {"numpy"})
    )
    lock = requirements.with_name("requirements.lock")
    lock.write_text(f"{header(requirements, settings)}\n{pins}")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.pbtxt"
    path.write_text('name: "a"\nbackend: "python"\n')
    return path


@pytest.mark.parametrize("name", ["good", *repositories.names()])
def test_fix_changes_what_can_be_fixed_and_a_second_run_changes_nothing(
    name: str, tmp_path: Path
) -> None:
    repositories.make(name, tmp_path)
    before = snapshot(tmp_path)
    findings = repositories.find_all(tmp_path)
    fixes = [fix for finding in findings for fix in finding.fixes]
    if not fixes:
        assert apply_fixes(lambda: findings) == FixResult()
        assert snapshot(tmp_path) == before
        return
    result = apply_fixes(lambda: repositories.find_all(tmp_path), relock)
    after = snapshot(tmp_path)
    remaining = [finding for finding in repositories.find_all(tmp_path) if finding.fixes]
    assert len(remaining) == len(result.refused)
    assert apply_fixes(lambda: repositories.find_all(tmp_path), relock).diff() == ""
    assert snapshot(tmp_path) == after
    if all(isinstance(fix, Edit) for fix in fixes):
        edited = {str(fix.file.relative_to(tmp_path)) for fix in fixes if isinstance(fix, Edit)}
        changed = {path for path in before if before[path] != after.get(path)}
        changed -= {f"{path.parent}/requirements.lock" for path in map(Path, edited)} - edited
        assert changed == edited and before.keys() == after.keys()


def test_the_diff_shows_what_was_changed(config: Path) -> None:
    result = apply_fixes(found_once(finding(config, Edit(config, 7, 8, "b"))))
    assert config.read_text() == 'name: "b"\nbackend: "python"\n'
    assert result.diff().splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        '-name: "a"',
        '+name: "b"',
        ' backend: "python"',
    ]


def test_a_fix_after_which_the_config_would_not_parse_is_refused(config: Path) -> None:
    before = config.read_text()
    result = apply_fixes(lambda: [finding(config, Edit(config, 0, 4, "name: {"))])
    assert config.read_text() == before
    assert "would not parse" in result.refused[0]
    assert result.diff() == ""


def test_all_fixes_of_a_finding_are_applied_or_none(config: Path) -> None:
    before = config.read_text()
    both = finding(config, Edit(config, 7, 8, "b"), Edit(config, 10, 17, "{"))
    assert apply_fixes(lambda: [both]).refused
    assert config.read_text() == before


def test_the_second_of_two_overlapping_fixes_waits_for_the_next_round(config: Path) -> None:
    rounds = [
        [finding(config, Edit(config, 6, 9, '"c"'))],
        [
            finding(config, Edit(config, 6, 9, '"b"')),
            finding(config, Edit(config, 7, 8, "never")),
        ],
    ]
    apply_fixes(lambda: rounds.pop() if rounds else [])
    assert config.read_text().startswith('name: "c"\n')


def test_lines_added_at_one_position_follow_each_other(config: Path) -> None:
    end = len(config.read_text())
    added = [
        finding(config, Edit(config, end, end, f"{line}\n")) for line in ("input {}", "output {}")
    ]
    apply_fixes(found_once(*added))
    assert config.read_text().endswith('"python"\ninput {}\noutput {}\n')


def test_line_ends_are_not_changed(config: Path) -> None:
    config.write_bytes(b'name: "a"\r\nbackend: "python"\r\n')
    apply_fixes(found_once(finding(config, Edit(config, 7, 8, "b"))))
    assert config.read_bytes() == b'name: "b"\r\nbackend: "python"\r\n'


def test_a_file_with_mixed_line_ends_is_not_fixed(config: Path) -> None:
    config.write_bytes(b'name: "a"\r\nbackend: "python"\n')
    result = apply_fixes(lambda: [finding(config, Edit(config, 7, 8, "b"))])
    assert "mixes line ends" in result.refused[0]


def test_a_link_is_not_written_through(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "x" / "config.pbtxt"
    link.parent.mkdir()
    link.symlink_to(config)
    result = apply_fixes(lambda: [finding(link, Edit(link, 7, 8, "b"))])
    assert "is a link" in result.refused[0] and link.is_symlink()


def test_a_file_s_mode_is_not_changed(config: Path) -> None:
    config.chmod(0o640)
    apply_fixes(found_once(finding(config, Edit(config, 7, 8, "b"))))
    assert config.stat().st_mode & 0o777 == 0o640


def test_the_diff_shows_an_edited_file_of_a_moved_folder_at_its_new_path(tmp_path: Path) -> None:
    config = tmp_path / "old" / "config.pbtxt"
    config.parent.mkdir()
    config.write_text('name: "new"\n')
    move = Move(tmp_path / "old", tmp_path / "new")
    result = apply_fixes(
        found_once(finding(config, Edit(config, 0, 0, "max_batch_size: 1\n"), move))
    )
    diff = result.diff()
    assert diff.startswith(f"moved {tmp_path}/old to {tmp_path}/new\n")
    assert f"+++ b/{tmp_path}/new/config.pbtxt" in diff and "+max_batch_size: 1\n" in diff


def test_a_move_never_overwrites_a_file(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    result = apply_fixes(lambda: [finding(tmp_path, Move(tmp_path / "old", tmp_path / "new"))])
    assert (tmp_path / "new").read_text() == "new"
    assert "exists already" in result.refused[0]


def test_only_an_empty_folder_is_removed(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "file").touch()
    result = apply_fixes(lambda: [finding(tmp_path, Remove(tmp_path / "full"))])
    assert "not an empty folder" in result.refused[0] and (tmp_path / "full" / "file").exists()
    result = apply_fixes(found_once(finding(tmp_path, Remove(tmp_path / "empty"))))
    assert result.diff() == f"removed the empty folder {tmp_path}/empty\n"
    assert not (tmp_path / "empty").exists()


def test_without_findings_the_diff_is_empty() -> None:
    assert apply_fixes(lambda: []) == FixResult()


FIXED = {
    "SW107_platform_is_another",
    "SW115_no_version_file",
    "SW116_version_begins_with_v",
    "SW116_version_has_two_numbers",
    "SW118_version_with_build_metadata",
    "SW119_name_without_the_folders",
    "SW212_batch_size_below_zero",
    "SW237_platform_of_another_backend",
    "SW237_platform_that_is_a_backend",
    "SW430_input_as_a_scalar",
    "SW521_package_of_another_name",
    "SW543_name_without_the_release",
    "SW601_no_requirements",
    "SW603_no_lock",
    "SW604_no_hash",
    "SW605_another_python",
    "SW608_absolute_path",
    "SW608_copy_of_its_own",
}


@pytest.mark.parametrize("name", sorted(FIXED))
def test_what_is_mechanical_is_fixed(name: str, tmp_path: Path) -> None:
    repositories.make(name, tmp_path)
    result = apply_fixes(lambda: repositories.find_all(tmp_path), relock)
    assert result.refused == [] and result.diff() != ""
    assert name[:5] not in {finding.rule for finding in repositories.find_all(tmp_path)}


def test_a_new_file_is_shown_and_none_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "model_version.txt"
    result = apply_fixes(found_once(finding(path, Create(path, "0.1.0\n"))))
    assert path.read_text() == "0.1.0\n" and "+0.1.0\n" in result.diff()
    again = apply_fixes(lambda: [finding(path, Create(path, "0.2.0\n"))])
    assert "exists already" in again.refused[0] and path.read_text() == "0.1.0\n"


def test_a_lock_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    tries: list[Path] = []

    def lock(requirements: Path) -> None:
        tries.append(requirements)
        raise SlipwayError("no package index can be reached")

    path = tmp_path / "requirements.txt"
    result = apply_fixes(lambda: [finding(path, Lock(path))], lock)
    assert tries == [path] and result.diff() == ""
    assert result.refused == [f"{path}: SW101 is not fixed: no package index can be reached"]


def test_moves_that_do_not_touch_each_other_need_one_round(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    moves = [
        finding(tmp_path / name, Move(tmp_path / name, tmp_path / f"{name}2")) for name in "abc"
    ]
    result = apply_fixes(found_once(*moves))
    assert len(result.done) == 3 and sorted(path.name for path in tmp_path.iterdir()) == [
        "a2",
        "b2",
        "c2",
    ]
