"""``capture.toml`` is of the model, and travels with its releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.artifact.manifest import Manifest, parse_manifest
from slipway.catalog import keys
from slipway.catalog.reader import CatalogReader
from slipway.errors import SlipwayError
from slipway.model.capture_rules import (
    KEEP,
    CaptureRules,
    TensorRule,
    load_capture_rules,
    parse_capture_rules,
)
from slipway.store.directory import DirectoryStore
from slipway.store.stage import StageReader
from tests.capture.exchanges import TARGET

tensor_rules = st.builds(
    TensorRule, st.sampled_from(list(KEEP.values())), st.integers(1, 512 * 512)
)


@given(
    st.builds(
        CaptureRules,
        st.floats(0, 1),
        st.integers(1, 3650),
        st.dictionaries(st.text(max_size=5), tensor_rules, max_size=3),
        tensor_rules,
    )
)
def test_rules_are_read_back_from_a_manifest(rules: CaptureRules) -> None:
    manifest = Manifest("m", "1.0.0", "m", {}, {}, None, "slipway", capture=rules.dump())
    values = parse_manifest(manifest.dump(), where="").capture
    assert values is not None
    again = parse_capture_rules(values, where="")
    assert again.dump() == rules.dump()
    assert again.redacts == rules.redacts
    for name in (*rules.tensors, "another"):
        assert again.of(name).keep == rules.of(name).keep


def test_a_manifest_without_rules_has_the_bytes_that_it_had() -> None:
    data = Manifest("m", "1.0.0", "m", {}, {}, None, "slipway").dump()
    assert b"capture" not in data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("sample = 10\n", "sample is 10"),
        ("sample = true\n", "sample is True"),
        ("sample = nan\n", "sample is nan"),
        ("retention_days = 0\n", "retention_days is 0"),
        ("retention_days = 1.5\n", "retention_days is 1.5"),
        ('tensor = "X"\n', "tensor is not a table"),
        ('[tensor.X]\nkeep = "all"\n', "[tensor.\"X\"]: keep is 'all'"),
        ("[tensor.X]\n", "keep is None"),
        ('[tensor.X]\nkeep = "hash"\npixels = 9\n', "pixels is of thumbnails only"),
        ('[tensor.X]\nkeep = "thumbnail"\npixels = 0\n', "pixels is 0"),
        ('[other]\nkept = "hash"\n', "[other]: unknown key 'kept'"),
        ('keep = "hash"\n', "unknown key 'keep'"),
        ("sample =\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "capture.toml").write_text(text)
    with pytest.raises(SlipwayError) as error:
        load_capture_rules(tmp_path)
    assert what in error.value.what
    assert error.value.where == str(tmp_path / "capture.toml")
    assert error.value.fix


def test_a_folder_without_the_file_has_no_rules(tmp_path: Path) -> None:
    assert load_capture_rules(tmp_path) is None


@pytest.fixture
def catalog(tmp_path: Path) -> CatalogReader:
    return CatalogReader(StageReader(DirectoryStore(tmp_path / "store"), "staging"))


def put_record(catalog: CatalogReader, record: object) -> None:
    store = catalog.source.store
    assert isinstance(store, DirectoryStore)
    data = record if isinstance(record, bytes) else json.dumps(record).encode()
    assert store.create(keys.record("staging", "m", TARGET), data)


def test_the_rules_of_a_release_are_those_of_its_record(catalog: CatalogReader) -> None:
    rules = CaptureRules(0.25, 7, {"X": TensorRule("hash")})
    put_record(catalog, {"manifest": {"capture": rules.dump()}})
    assert catalog.capture_rules("m", TARGET) == rules


def test_a_release_without_capture_toml_may_be_captured_whole(catalog: CatalogReader) -> None:
    put_record(catalog, {"manifest": {}})
    assert catalog.capture_rules("m", TARGET) == CaptureRules()


def test_the_rules_of_a_release_without_a_record_are_not_known(catalog: CatalogReader) -> None:
    assert catalog.capture_rules("m", TARGET) is None


@pytest.mark.parametrize(
    "record",
    [b"no JSON", {}, {"manifest": 1}, {"manifest": {"capture": {"keep": "all"}}}],
)
def test_a_damaged_record_is_an_error_and_no_permission(
    catalog: CatalogReader, record: object
) -> None:
    put_record(catalog, record)
    with pytest.raises(SlipwayError):
        catalog.capture_rules("m", TARGET)
