"""``slipway.toml`` is found from below, and its mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/x:1.0"


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
        ("[models.x]\n", "container is missing"),
        ('[models.x]\ncontainer = "x:1"\n', "container is 'x:1'"),
        ('[models.x]\ncontainer = { staging = "x" }\n', "has the stages staging"),
        (f'[models.x]\ncontainer = "{IMAGE}"\nentry = "x"\n', "entry is 'x'"),
        (f'[models.x]\ncontainer = "{IMAGE}"\nenvironment = {{ A = 1 }}\n', "environment is"),
        (f'[models.x]\ncontainer = "{IMAGE}"\nimage = "x"\n', "unknown models.x.image"),
        ('[endpoint.e]\nmode = "serial"\n', "add containers"),
        ('[endpoint.e]\ncontainers = ["x"]\nmode = "both"\n', "mode is 'both'"),
        ('[endpoint.e]\ncontainers = ["x", "x"]\n', "names a model twice"),
        ('[endpoint.e]\ncontainers = "x"\n', "containers is 'x'"),
        ('[endpoint.e]\ncapture = ""\n', "capture is ''"),
        ("[endpoint.e]\ncapture = 1\n", "capture is 1"),
        ("[endpoint.e]\ncapture_sample = 0\n", "capture_sample is 0"),
        ("[endpoint.e]\ncapture_sample = 1.5\n", "capture_sample is 1.5"),
        ("[endpoint.e]\ncapture_sample = true\n", "capture_sample is True"),
        ('[endpoint.e]\ncapture_sample = "10%"\n', "capture_sample is '10%'"),
    ],
)
def test_a_mistake_is_named_with_its_fix(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(SlipwayError, match=what) as caught:
        settings.load(write(tmp_path, text))
    assert caught.value.fix and "slipway.toml" in str(caught.value)


def test_a_container_may_have_an_image_for_each_stage(tmp_path: Path) -> None:
    other = IMAGE.replace("1.0", "1.1")
    text = f'[models.x]\ncontainer = {{ staging = "{other}", production = "{IMAGE}" }}\n'
    container = settings.load(write(tmp_path, text)).containers["x"]
    assert container.images == {"staging": other, "production": IMAGE}
    assert container.entry == ("python", "code/serve.py")


def test_a_folder_outside_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="no slipway.toml"):
        settings.load(tmp_path)


@pytest.mark.parametrize(
    ("release", "python"),
    [("23.02", "3.8"), ("23.03", "3.10"), ("24.10", "3.10"), ("24.11", "3.12"), ("26.05", "3.12")],
)
def test_the_stub_s_python_follows_the_release(release: str, python: str) -> None:
    assert settings.stub_python(release) == python
