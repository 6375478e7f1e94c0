"""A single config; and properties that hold for every config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.check import RULES, Finding, check_config
from slipway.check.first_release import NAMES, SINCE
from slipway.check.fix.apply import apply_fixes
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rules.config_2xx.tensor_shapes import runs
from slipway.settings import Settings
from slipway.triton import config
from tests.check import fixture_repositories as repositories

SCHEMA = config.schema()
OWN = ("SW1", "SW2")
REPEATED_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def rules_in(text: str, folder: Path, **changed: Any) -> list[str]:
    """Return the rules that find something in a single config."""
    path = folder / "alone.pbtxt"
    path.write_text(text, encoding="utf-8")
    findings = check_config(path, Settings(root=folder, **changed))
    return [finding.rule for finding in findings]


def test_fields_that_a_single_config_leaves_out_are_not_mistakes(tmp_path: Path) -> None:
    assert rules_in('backend: "onnxruntime"\n', tmp_path) == []
    assert rules_in('input { name: "A" }\nplatform: "pytorch_libtorch"\n', tmp_path) == []


def test_files_next_to_a_single_config_are_not_searched(tmp_path: Path) -> None:
    text = """
    platform: "custom_platform" backend: "of_our_own"
    output { name: "A" data_type: TYPE_FP32 dims: 1 label_filename: "labels.txt" }
    model_warmup {
      batch_size: 1 inputs { key: "A" value { dims: 1 input_data_file: "a" } }
    }
    """
    assert rules_in(text, tmp_path) == []


def test_a_single_config_may_silence_a_finding(tmp_path: Path) -> None:
    line = "max_batch_size: -1"
    assert rules_in(line, tmp_path) == ["SW212"]
    assert rules_in(f"{line}  # slipway: ignore=SW212 a test\n", tmp_path) == []


@pytest.mark.parametrize(("release", "rules"), [("24.10", ["SW233"]), ("24.11", []), ("26.07", [])])
def test_a_field_is_valid_since_its_release(release: str, rules: list[str], tmp_path: Path) -> None:
    assert rules_in("model_metrics { }", tmp_path, triton_release=release) == rules


def test_a_value_is_valid_since_its_release(tmp_path: Path) -> None:
    text = 'input { name: "A" data_type: TYPE_BF16 dims: 1 }'
    assert rules_in(text, tmp_path, triton_release="22.04") == ["SW233"]
    assert rules_in(text, tmp_path, triton_release="22.05") == []


def names(descriptor: Any) -> set[str]:
    """Return the fields of a message and of its nested messages, and the values of their enums."""
    names_found = {field.full_name for field in descriptor.fields}
    for inner in descriptor.nested_types:
        names_found |= names(inner)
    for enum in descriptor.enum_types:
        names_found |= {f"{enum.full_name}:{value.name}" for value in enum.values}
    return names_found


def test_the_table_of_releases_has_all_fields_of_the_schema_and_no_other() -> None:
    file = SCHEMA.DESCRIPTOR
    data_types = list(SCHEMA.DataType.keys())
    names_found = {f"{SCHEMA.DataType.DESCRIPTOR.full_name}:{name}" for name in data_types}
    for message in file.message_types_by_name.values():
        names_found |= names(message)
    names_found = {name.removeprefix("inference.") for name in names_found}
    assert set(SINCE) <= names_found
    assert len(names_found) == NAMES


SHAPES = st.lists(st.sampled_from([-1, 1, 2, 3, 4, 6]), max_size=5)


@given(shape=SHAPES)
def test_ones_may_be_put_into_a_shape_and_factors_split(shape: list[int]) -> None:
    assert runs([*shape, 1]) == runs(shape) == runs([1, *shape])
    split = [part for size in shape for part in ([2, size // 2] if size in (4, 6) else [size])]
    assert runs(split) == runs(shape)


@given(shape=SHAPES, at=st.integers(0, 5))
def test_a_further_variable_dimension_or_factor_changes_the_shape(
    shape: list[int], at: int
) -> None:
    assert runs([*shape[:at], -1, *shape[at:]]) != runs(shape)
    assert runs([*shape[:at], 5, *shape[at:]]) != runs(shape)


PIECES = (
    *"{}[]:,\n \\\"'#<",
    *(f"{name}" for name in SCHEMA.ModelConfig.DESCRIPTOR.fields_by_name),
    *("name", "dims", "kind", "key", "value", "step", "state", "control_input", "-1", "0", "9"),
    *("TYPE_FP32", "true", '"A"', '"ensemble"', "\\d", "reshape { shape: [ ] }", "oldest { }"),
)


def fuzzed(draw: st.DrawFn) -> str:
    """Return a text similar to a config: a valid one with insertions and deletions."""
    folder = repositories.GOOD / "models" / "sound"
    texts = [path.read_text() for path in sorted(folder.glob("*/config.pbtxt"))]
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(text)))
        piece = "".join(draw(st.lists(st.sampled_from(PIECES), max_size=4)))
        text = text[:at] + piece + text[at + draw(st.integers(0, 12)) :]
    return text


def rendered(draw: st.DrawFn) -> str:
    """Return a config with arbitrary fields of the right types."""
    message = SCHEMA.ModelConfig()
    _fill(draw, message, 0)
    return text_format.MessageToString(message)


def _fill(draw: st.DrawFn, message: Any, depth: int) -> None:
    fields = [field for field in message.DESCRIPTOR.fields if depth < 5 or not field.message_type]
    for field in draw(st.lists(st.sampled_from(fields), max_size=4, unique=True)) if fields else ():
        count = draw(st.integers(0, 3)) if field.is_repeated else 1
        values = [_value(draw, field, depth) for _ in range(count)]
        if field.message_type is None and field.is_repeated:
            getattr(message, field.name).extend(values)
        elif field.message_type is None:
            setattr(message, field.name, values[0])
        elif field.message_type.GetOptions().map_entry:
            entry = field.message_type.fields_by_name
            key = _value(draw, entry["key"], depth)
            if entry["value"].message_type is None:
                getattr(message, field.name)[key] = _value(draw, entry["value"], depth)
            else:
                _fill(draw, getattr(message, field.name)[key], depth + 1)
        elif field.is_repeated:
            for _ in range(count):
                _fill(draw, getattr(message, field.name).add(), depth + 1)
        else:
            getattr(message, field.name).SetInParent()
            _fill(draw, getattr(message, field.name), depth + 1)


def _value(draw: st.DrawFn, field: Any, depth: int) -> Any:
    if field.message_type is not None:
        return None
    if field.enum_type is not None:
        return draw(st.sampled_from([value.number for value in field.enum_type.values]))
    return draw(
        {
            field.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
            field.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
            field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
            field.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
            field.CPPTYPE_DOUBLE: st.floats(),
            field.CPPTYPE_FLOAT: st.floats(width=32),
            field.CPPTYPE_BOOL: st.booleans(),
            field.CPPTYPE_STRING: st.sampled_from(["", "A", "B", "ensemble", "python", "é\n\\"]),
        }[field.cpp_type]
    )


@REPEATED_SETTINGS
@given(data=st.data(), make=st.sampled_from([fuzzed, rendered]))
def test_no_config_makes_a_rule_fail(data: st.DataObject, make: Any, tmp_path: Path) -> None:
    text = data.draw(st.composite(make)())
    path = repositories.make("good", tmp_path) / "sound_pipeline" / "config.pbtxt"
    path.write_text(text, encoding="utf-8")
    check_config(path, Settings(root=tmp_path))
    model = ModelUnderCheck(path.parents[1], ModelRepository(Settings(root=tmp_path)))
    names_found = [
        finding
        for id, rule in RULES.items()
        if id.startswith(OWN) and rule.concerns(model)
        for finding in rule.findings(model)
    ]
    for finding in names_found:
        assert finding.what and finding.location.file.exists()


def fixable() -> list[str]:
    """Return the fixtures of these rules whose findings can be fixed automatically."""
    return [
        "SW103_folder_around_the_models",
        "SW106_single_quotes",
        "SW106_space_before_the_colon",
        "SW107_platform_left_out",
        "SW109_ensemble_with_a_backend",
        "SW111_name_of_another",
        "SW121_file_beside_the_config",
        "SW121_version_with_a_leading_zero",
        "SW121_version_with_a_v",
        "SW211_batch_size_left_out",
        "SW236_file_names_the_backend",
    ]


@pytest.mark.parametrize("name", fixable())
def test_a_fixed_model_has_no_finding_left(name: str, tmp_path: Path) -> None:
    repositories.make(name, tmp_path)

    def own() -> list[Finding]:
        return [f for f in repositories.find_all(tmp_path) if f.rule.startswith(OWN)]

    assert own()
    result = apply_fixes(own)
    assert result.refused == []
    assert own() == []


def test_an_empty_version_directory_is_removed(tmp_path: Path) -> None:
    model = repositories.make("good", tmp_path) / "sound_inferencer"
    (model / "2").mkdir()
    assert [finding.rule for finding in repositories.find_all(tmp_path)] == ["SW122"]
    apply_fixes(lambda: repositories.find_all(tmp_path))
    assert not (model / "2").exists() and (model / "1").is_dir()


def test_a_key_outside_of_a_map_is_an_unknown_field(tmp_path: Path) -> None:
    file = tmp_path / "config.pbtxt"
    file.write_text('key: "threads"\nbackend: "python"\n')
    assert "SW202" in {finding.rule for finding in check_config(file, Settings(tmp_path))}
