"""Configs survive being written and read, and errors name line and column."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from slipway.errors import SlipwayError
from slipway.triton import config

names = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text)


@given(
    name=names,
    batch=st.integers(0, 1 << 20),
    dims=st.lists(st.one_of(st.just(-1), st.integers(1, 1 << 40)), max_size=4),
    parameters=st.dictionaries(names, names, max_size=4),
)
def test_a_config_survives_being_written_and_read(
    name: str, batch: int, dims: list[int], parameters: dict[str, str]
) -> None:
    made = config.schema().ModelConfig(name=name, max_batch_size=batch)
    made.input.add(name=name, dims=dims, data_type=config.schema().TYPE_FP32)
    for key, value in parameters.items():
        made.parameters[key].string_value = value
    text = config.render(made)
    assert config.parse_config(text, where="here") == made
    assert config.render(config.parse_config(text, where="here")) == text


def test_an_ensemble_is_written_in_the_spelling_that_the_endpoint_finds() -> None:
    text = config.render(config.schema().ModelConfig(platform="ensemble"))
    assert text == 'platform: "ensemble"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [('name: "x"\nnmae: "y"\n', "here:2:1"), ("max_batch_size: many\n", "here:1:17")],
)
def test_an_error_names_line_and_column(text: str, place: str) -> None:
    with pytest.raises(SlipwayError) as caught:
        config.parse_config(text, where="here")
    assert caught.value.where == place


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "config.pbtxt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SlipwayError, match="not UTF-8"):
        config.load_config(tmp_path / "config.pbtxt")


def test_types_have_the_names_of_kserve() -> None:
    schema = config.schema()
    assert config.dtype_name(schema.TYPE_FP32) == "FP32"
    assert config.dtype_name(schema.TYPE_STRING) == "BYTES"
