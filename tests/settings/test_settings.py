"""``slipway.toml`` is found from below, and its mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError


def write(folder: Path, text: str) -> Path:
    (folder / "slipway.toml").write_text(text)
    return folder


def test_it_is_found_from_a_folder_below(tmp_path: Path) -> None:
    write(tmp_path, '[triton]\nrelease = "25.09"\n[environment]\nlayout = "archive"\n')
    below = tmp_path / "models" / "x"
    below.mkdir(parents=True)
    loaded = settings.load(below)
    assert (loaded.root, loaded.triton_release, loaded.layout) == (tmp_path, "25.09", "archive")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    loaded = settings.load(write(tmp_path, ""))
    assert (loaded.python, loaded.platform, loaded.channels) == ("3.12", "linux-64", ())
    assert loaded.explicit_tensors


def test_configs_may_be_allowed_to_leave_out_tensors(tmp_path: Path) -> None:
    loaded = settings.load(write(tmp_path, "[check]\nexplicit_tensors = false\n"))
    assert not loaded.explicit_tensors


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[triton\n", "not valid TOML"),
        ("[tritn]\n", r"unknown \[tritn\]"),
        ('[triton]\nrelaese = "25.04"\n', "unknown triton.relaese"),
        ('[triton]\nrelease = "2.51.0"\n', "release is '2.51.0'"),
        ('[environment]\nlayout = "zip"\n', "layout is 'zip'"),
        ('[environment]\nbuild-from-source = "x"\n', "build-from-source is 'x'"),
        ('[check]\nexplicit_tensors = "no"\n', "explicit_tensors is 'no'"),
        ("[check]\nexplicit_tensor = false\n", "unknown check.explicit_tensor"),
    ],
)
def test_a_mistake_is_named_with_its_fix(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        settings.load(write(tmp_path, text))
    assert caught.value.fix and "slipway.toml" in str(caught.value)


def test_a_folder_outside_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="no slipway.toml"):
        settings.load(tmp_path)


@pytest.mark.parametrize(
    ("release", "python"),
    [("23.02", "3.8"), ("23.03", "3.10"), ("24.10", "3.10"), ("24.11", "3.12"), ("26.05", "3.12")],
)
def test_the_stub_s_python_follows_the_release(release: str, python: str) -> None:
    assert settings.stub_python(release) == python
