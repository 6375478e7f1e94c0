"""Lines that no lock can hold: each with its own cause, its number, and a fix that works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.environment import lock_requirements
from slipway.environment.lock import normalised_requirements
from slipway.environment.lock import pins as pins_of
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.environment.wheelhouse import Wheelhouse

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("line", "cause", "fix"),
    [
        ("-r other.txt", "are one file", "replace the line by the lines of other.txt"),
        ("-rother.txt", "are one file", "replace the line by the lines of other.txt"),
        ("--constraint=limits.txt", "are one file", "lines of limits.txt that matter"),
        ("--index-url https://h/s", "indexes are the repository's", 'url = "https://h/s", default'),
        ("--extra-index-url https://h/s", "indexes are", 'index = [{ url = "https://h/s" }]'),
        ("--find-links https://h/w", "the repository's", 'find-links = ["https://h/w"]'),
        ("--no-index", "indexes are the repository's", "no-index = true"),
        ("--no-binary shapes", "installed from wheels", 'build-from-source = ["shapes"]'),
        ("--hash=sha256:0", "writes the hashes", "remove the line"),
        ("--require-hashes", "writes the hashes", "remove the line"),
        ("--pre", "versions before a release", "torch>=2.9rc1"),
        ("--use-feature=fast-deps", "an option of pip", "remove the line"),
        ("numpy==1.26.4 --hash=sha256:0", "writes the hashes", "write numpy==1.26.4 alone"),
        ("git+https://h/shapes.git@v1", "has no hash", "libs/"),
        ("-e git+https://h/shapes.git#egg=shapes", "has no hash", "../../libs/shapes"),
        ("shapes @ git+ssh://git@h/shapes", "has no hash", "publish a wheel of shapes"),
        ("git@h:group/shapes.git", "has no hash", "libs/"),
        ("https://h/shapes-1.0-py3-none-any.whl", "does not name", "write shapes @ https://h/"),
        ("shapes @ https://h/shapes-1.0.tar.gz", "not a wheel", 'build-from-source = ["shapes"]'),
        ("numpy=1.26", "not a requirement", "write numpy==1.26"),
        ("numpy 1.26", "not a requirement", "such as numpy<2"),
    ],
)
def test_every_kind_of_line_has_its_own_cause_and_fix(
    line: str, cause: str, fix: str, requirements: Write
) -> None:
    path = requirements("numpy<2", line)
    with pytest.raises(SlipwayError) as refused:
        normalised_requirements(path)
    assert cause in refused.value.what
    assert fix in str(refused.value.fix)
    assert refused.value.where == f"{path}:2"


def test_the_fix_for_find_links_works_and_its_folder_is_named_from_the_root(
    requirements: Write,
    wheelhouse: Wheelhouse,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheelhouse.numpy()
    wheels = settings.root / "models/wheels"
    wheels.mkdir(parents=True)
    Wheelhouse(wheels).add("shapes")
    with pytest.raises(SlipwayError) as refused:
        lock_requirements(requirements("numpy", "shapes", "--find-links ../wheels"), settings)
    fix = str(refused.value.fix)
    assert fix == 'write find-links = ["models/wheels"] into uv.toml next to slipway.toml'
    setting = fix.removeprefix("write ").partition(" into")[0]
    (settings.root / "uv.toml").write_text(f"{setting}\n")
    lock = lock_requirements(requirements("numpy", "shapes"), settings)
    assert dict(pins_of(lock)) == {"numpy": "1.26.4", "shapes": "1.0"}


def test_a_wheel_by_its_url_may_be_named(requirements: Write) -> None:
    line = "shapes @ https://h/shapes-1.0-py3-none-any.whl"
    assert line in normalised_requirements(requirements("numpy<2", line)).splitlines()
