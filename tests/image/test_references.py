from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import SlipwayError
from slipway.image.references import InFile, InLayout, InRegistry, parse_base, parse_output

DIGEST = "sha256:" + "a" * 64


def test_what_the_options_take_is_understood() -> None:
    assert parse_base("oci:dir/base") == InLayout(Path("dir/base"), None)
    assert parse_base("oci:dir/base:1.0.0") == InLayout(Path("dir/base"), "1.0.0")
    assert parse_base("docker://nvcr.io/nvidia/tritonserver:25.04-py3") == InRegistry(
        "nvcr.io", "nvcr.io/nvidia/tritonserver", "25.04-py3"
    )
    assert parse_output("docker:a.tar") == InFile(Path("a.tar"))
    pushed = parse_output("registry:127.0.0.1:5000/ml/a:1")
    assert isinstance(pushed, InRegistry)
    assert (pushed.is_loopback, str(pushed)) == (True, "127.0.0.1:5000/ml/a:1")


def test_a_digest_pins_a_base_whatever_its_tag() -> None:
    assert str(parse_base(f"docker://h/n:t@{DIGEST}")) == f"h/n@{DIGEST}"


@pytest.mark.parametrize(
    "text",
    ["", "oci:", "screen", "docker://", "docker:x", "registry:h/n", f"registry:h/n@{DIGEST}",
     "registry:h/UPPER:1", "registry:h/n:t t", "docker://h/n --option"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_fix(text: str) -> None:
    for parse in (parse_base, parse_output):
        if (parse, text) == (parse_output, "docker:x"):
            continue
        with pytest.raises(SlipwayError) as refused:
            parse(text)
        assert refused.value.fix


def test_a_password_is_refused_and_not_repeated() -> None:
    for parse, text in (
        (parse_base, "docker://me:secret@h/n:1"),
        (parse_output, "registry:me:secret@h/n:1"),
    ):
        with pytest.raises(SlipwayError, match="a password belongs into a file") as refused:
            parse(text)
        assert "secret" not in str(refused.value)


@given(st.text(max_size=40))
def test_no_text_makes_an_option_of_another_program(text: str) -> None:
    try:
        parsed = parse_output(f"registry:{text}")
    except SlipwayError:
        return
    assert not str(parsed).startswith("-")
    assert " " not in str(parsed)
