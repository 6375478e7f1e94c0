"""An ignore silences its rule at its location; an ignore without effect is a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check.finding import Finding, Location
from slipway.check.ignore import apply_ignores
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from tests.check import fixture_repositories as repositories

CONFIG = "sound_pipeline/config.pbtxt"
CODE = "sound_preprocessing/1/model.py"
RULE, OTHER = "SW902", "SW903"  # two existing rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the model folder of the good repository."""
    return repositories.make("good", tmp_path)


def remaining(folder: Path, *places: Location, rule: str = RULE) -> list[str]:
    """Return the findings at ``places`` that no ignore silences, and those about the ignores."""
    model = ModelUnderCheck(folder, ModelRepository(repositories.load_settings(folder.parents[1])))
    findings = [Finding(rule, "", "error", place, "w", "", "") for place in places]
    findings_left = apply_ignores(model, findings)
    return repositories.format_findings(findings_left, folder)


def write(folder: Path, file: str, text: str) -> Path:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return folder / file


def test_a_comment_after_a_line_silences_that_line(folder: Path) -> None:
    file = write(folder, CONFIG, f'name: "x" # slipway: ignore={RULE} why\nbackend: "python"\n')
    assert remaining(folder, Location(file, 1, 1)) == []


def test_a_comment_after_a_line_does_not_silence_the_next(folder: Path) -> None:
    file = write(folder, CONFIG, f'name: "x" # slipway: ignore={RULE} why\nbackend: "python"\n')
    assert remaining(folder, Location(file, 2, 1)) == [
        f"SW902 {CONFIG}:2:1",
        f"SW901 {CONFIG}:1:11",
    ]


def test_a_comment_on_its_own_line_silences_the_next_line_with_content(folder: Path) -> None:
    text = f"max_batch_size: 1\n  # slipway: ignore={RULE} why\n# more\n\nname: 'x'\nbackend: 'y'\n"
    file = write(folder, CONFIG, text)
    assert remaining(folder, Location(file, 5, 1)) == []
    assert remaining(folder, Location(file, 6, 1)) == [f"SW902 {CONFIG}:6:1", f"SW901 {CONFIG}:2:3"]
    assert remaining(folder, Location(file, 1, 1)) == [f"SW902 {CONFIG}:1:1", f"SW901 {CONFIG}:2:3"]


def test_a_comment_at_the_head_covers_the_first_line_where_missing_fields_are_reported(
    folder: Path,
) -> None:
    file = write(folder, CONFIG, f"# a model\n# slipway: ignore={RULE} why\nname: 'x'\n")
    assert remaining(folder, Location(file, 1, 1)) == []


def test_a_comment_covers_a_finding_about_the_file(folder: Path) -> None:
    file = write(folder, CONFIG, f"name: 'x'\n# slipway: ignore={RULE} why\n")
    assert remaining(folder, Location(file)) == []


def test_one_comment_can_name_several_rules(folder: Path) -> None:
    file = write(folder, CONFIG, f"name: 'x' # slipway: ignore={OTHER}, {RULE}  why\n")
    assert remaining(folder, Location(file, 1, 1)) == [f"SW901 {CONFIG}:1:11"]
    assert remaining(folder, Location(file, 1, 1), rule=OTHER) == [f"SW901 {CONFIG}:1:11"]


def test_another_rule_s_finding_stays(folder: Path) -> None:
    file = write(folder, CONFIG, f"name: 'x' # slipway: ignore={RULE} why\n")
    assert f"{OTHER} {CONFIG}:1:1" in remaining(folder, Location(file, 1, 1), rule=OTHER)


def test_another_file_s_finding_stays(folder: Path) -> None:
    write(folder, CONFIG, f"name: 'x' # slipway: ignore={RULE} why\n")
    other = folder / "sound_inferencer" / "config.pbtxt"
    assert f"{RULE} sound_inferencer/config.pbtxt:1:1" in remaining(folder, Location(other, 1, 1))


@pytest.mark.parametrize("comment", ["ignore=SW902", "ignore=SW902 ", "ignore=SW902 -"])
def test_without_a_reason_it_silences_nothing(folder: Path, comment: str) -> None:
    file = write(folder, CONFIG, f"name: 'x' # slipway: {comment}\n")
    assert remaining(folder, Location(file, 1, 1)) == [
        f"SW902 {CONFIG}:1:1",
        f"SW902 {CONFIG}:1:11",
    ]


@pytest.mark.parametrize("comment", ["ignore", "ignore=", "ignore=unused-ignore why", "ignore=all"])
def test_without_a_rule_it_silences_nothing(folder: Path, comment: str) -> None:
    file = write(folder, CONFIG, f"name: 'x' # slipway: {comment}\n")
    assert remaining(folder, Location(file, 1, 1)) == [
        f"SW902 {CONFIG}:1:1",
        f"SW903 {CONFIG}:1:11",
    ]


def test_a_rule_that_does_not_exist_is_reported(folder: Path) -> None:
    write(folder, CONFIG, "name: 'x' # slipway: ignore=SW000 why\n")
    assert remaining(folder) == [f"SW903 {CONFIG}:1:11"]


def test_an_ignore_of_two_rules_is_reported_if_one_finds_nothing(folder: Path) -> None:
    file = write(folder, CONFIG, f"name: 'x' # slipway: ignore={RULE},SW901 why\n")
    assert remaining(folder, Location(file, 1, 1)) == [f"SW901 {CONFIG}:1:11"]


@pytest.mark.parametrize(
    "text",
    [
        'parameters { key: "note" value { string_value: "# slipway: ignore=SW902 why" } }\n',
        "parameters { key: 'note' value { string_value: '# slipway: ignore=SW902 why' } }\n",
    ],
)
def test_a_string_of_a_config_is_not_a_comment(folder: Path, text: str) -> None:
    file = write(folder, CONFIG, text)
    assert remaining(folder, Location(file, 1, 1)) == [f"SW902 {CONFIG}:1:1"]


@pytest.mark.parametrize(
    "text", ['NOTE = "# slipway: ignore=SW902 why"\n', '"""\n# slipway: ignore=SW902 why\n"""\n']
)
def test_a_string_of_python_is_not_a_comment(folder: Path, text: str) -> None:
    file = write(folder, CODE, text)
    assert remaining(folder, Location(file, 1, 1)) == [f"SW902 {CODE}:1:1"]


def test_a_comment_of_python_is_read_despite_broken_syntax(folder: Path) -> None:
    file = write(folder, CODE, f"def broken(:  # slipway: ignore={RULE} why\n")
    assert remaining(folder, Location(file, 1, 1)) == []


def test_a_comment_in_requirements_covers_its_line(folder: Path) -> None:
    file = write(folder, "requirements.txt", f"numpy  # slipway: ignore={RULE} why\npillow\n")
    assert remaining(folder, Location(file, 1, 1)) == []


def test_an_address_with_a_fragment_is_not_a_comment(folder: Path) -> None:
    file = write(folder, "requirements.txt", f"https://x/y#slipway:ignore={RULE} why\n")
    assert remaining(folder, Location(file, 1, 1)) == ["SW902 requirements.txt:1:1"]


def test_the_requirements_cover_the_lock(folder: Path) -> None:
    write(folder, "requirements.txt", f"# slipway: ignore={RULE} why\nnumpy\n")
    assert remaining(folder, Location(folder / "requirements.lock", 7, 1)) == []


def test_a_comment_in_a_pointer_covers_its_line(folder: Path) -> None:
    name = "sound_inferencer/1/model.onnx.dvc"
    file = write(folder, name, f"outs:\n- md5: x  # slipway: ignore={RULE} why\n")
    assert remaining(folder, Location(file, 2, 3)) == []


@pytest.mark.parametrize("place", ["1/model.onnx", "1", ".", "1/missing.py"])
def test_a_config_covers_files_without_comments_in_its_directory(folder: Path, place: str) -> None:
    file = folder / "sound_inferencer/config.pbtxt"
    file.write_text(f"# slipway: ignore={RULE} why\n" + file.read_text())
    assert remaining(folder, Location(folder / "sound_inferencer" / place)) == []


def test_a_config_covers_the_model_folder(folder: Path) -> None:
    write(folder, CONFIG, f"# slipway: ignore={RULE} why\nname: 'x'\n")
    assert remaining(folder, Location(folder)) == []


def test_a_config_does_not_cover_a_binary_elsewhere(folder: Path) -> None:
    write(folder, CONFIG, f"# slipway: ignore={RULE} why\nname: 'x'\n")
    binary = Location(folder / "sound_inferencer/1/model.onnx")
    assert f"{RULE} sound_inferencer/1/model.onnx" in remaining(folder, binary)


def test_a_config_does_not_cover_code_next_to_it(folder: Path) -> None:
    write(folder, "sound_preprocessing/config.pbtxt", f"# slipway: ignore={RULE} why\nname: 'x'\n")
    assert f"{RULE} {CODE}:1:1" in remaining(folder, Location(folder / CODE, 1, 1))
