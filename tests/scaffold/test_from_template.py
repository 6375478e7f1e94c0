"""The samples work unchanged: check has no findings, and their own tests and cases pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from slipway.check import check
from slipway.environment import ExecutionEnvironment
from slipway.environment.lock import check_lock
from slipway.errors import SlipwayError
from slipway.scaffold import from_template, render
from slipway.settings import Settings
from slipway.testing import golden, run
from tests.scaffold.serving import artifact


@pytest.mark.parametrize("kind", from_template.KINDS)
def test_a_sample_has_no_findings_and_passes_its_own_tests_on_a_real_server(
    kind: str, settings: Settings, environment: ExecutionEnvironment
) -> None:
    folder = from_template.write("sample", kind, settings)
    assert check([folder], settings) == []
    assert len(golden.cases(folder)) >= 3
    packed = artifact(folder, environment)
    assert run.run(folder, settings.root, artifact=packed) == 0


@pytest.mark.parametrize("kind", from_template.KINDS)
def test_a_sample_has_equal_bytes_each_time(kind: str, settings: Settings) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        paths = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        return {name: path.read_bytes() for name, path in paths.items()}

    first = files(from_template.write("sample", kind, settings))
    shutil.rmtree(settings.root / "models" / "sample")
    assert files(from_template.write("sample", kind, settings)) == first
    assert not [name for name in first if "__pycache__" in name]


@pytest.mark.parametrize("kind", (*from_template.KINDS, "weights"))
def test_the_bundled_lock_of_a_kind_matches_its_requirements(kind: str, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    text = render.render_text(f"{kind}/requirements.txt.jinja", {"packages": ()})
    requirements.write_text(text, encoding="utf-8")
    check_lock(requirements, render.lock_of(kind))


def test_a_sample_without_batches_is_refused(settings: Settings) -> None:
    with pytest.raises(SlipwayError, match="the samples need batches"):
        from_template.write("sample", "text", settings, max_batch_size=0)
    assert not (settings.root / "models").exists()


def test_a_sample_of_single_rows_has_no_findings(settings: Settings) -> None:
    folder = from_template.write("sample", "tabular", settings, max_batch_size=1)
    assert check([folder], settings) == []
