"""A model's tests are run with a trace, and its list is written of that."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway import build
from slipway.artifact.contents import read_contents
from slipway.build import refuse_errors
from slipway.check import check
from slipway.environment import build_environment, lock_requirements
from slipway.environment.pruning.listing import read_pruned
from slipway.errors import SlipwayError
from slipway.model.folder import read_model_folder
from slipway.settings import Settings
from slipway.testing import pruning, run
from tests.environment.wheelhouse import Wheelhouse

CONFIG = """
backend: "python"
max_batch_size: 8
input { name: "X" data_type: TYPE_FP32 dims: 1 }
output { name: "Y" data_type: TYPE_FP32 dims: 1 }
"""
TOOL = {
    "tool/__init__.py": "",
    "tool/common.py": "",
    "tool/format_a.py": "",
    "tool/format_b.py": "",
    "tool/format_c.py": "",
}


@pytest.fixture
def model(requirements: Callable[..., Path], wheelhouse: Wheelhouse, settings: Settings) -> Path:
    """Return the folder of a model whose tests, see ``tests``, read only format A."""
    wheelhouse.numpy()
    wheelhouse.add("tool", files=TOOL)
    folder = lock_requirements(requirements("numpy", "tool", model="reader"), settings).parent
    (folder / "reader/1").mkdir(parents=True)
    (folder / "reader/config.pbtxt").write_text(CONFIG)
    (folder / "reader/1/model.py").write_text("import tool.common\n")
    (folder / "model_version.txt").write_text("1.0.0\n")
    return folder


@pytest.fixture(autouse=True)
def tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, int]:
    """Stand for the server and the tests: the environment's own Python imports one format."""
    outcome = {"status": run.PASSED}

    def fake(model: Path, root: Path, *, artifact: Path, **_: Any) -> int:
        home = (read_contents(artifact).manifest.environment or {})["path"]
        folder = tmp_path / "served"
        with tarfile.open(artifact) as archive:
            archive.extractall(folder, filter="data")
        code = "import numpy, importlib; importlib.import_module('tool.' + 'format_a')"
        command = 'source bin/activate && exec python3 -c "$0"'
        subprocess.run(
            ["bash", "-c", command, code], cwd=folder / home, env={"PATH": "/bin"}, check=True
        )
        return outcome["status"]

    monkeypatch.setattr(run, "run", fake)
    monkeypatch.setattr(build, "refuse_errors", lambda *_, **__: None)
    return outcome


def tool_lines(folder: Path) -> set[str]:
    names = read_pruned(folder / "pruned.txt").names
    return {name.rpartition("/")[2] for name in names if "/tool/" in name}


def test_the_list_has_what_no_test_imported_and_the_next_build_follows_it(
    model: Path, settings: Settings
) -> None:
    done = pruning.prune(model, settings)
    assert tool_lines(model) == {"format_b.py", "format_c.py"}
    assert (done.after.pruned is not None, done.before.pruned) == (True, None)
    assert done.after.files < done.before.files
    assert build_environment(model / "requirements.lock", settings) == done.after


def test_kept_lines_survive_and_an_equal_trace_gives_an_equal_list(
    model: Path, settings: Settings
) -> None:
    pruning.prune(model, settings)
    file = model / "pruned.txt"
    file.write_text(file.read_text() + "keep tool/format_b.py\n")
    pruning.prune(model, settings)
    assert tool_lines(model) == {"format_c.py"}
    first = file.read_bytes()
    pruning.prune(model, settings)
    assert file.read_bytes() == first


def test_tests_that_fail_leave_the_list_as_it_was(
    model: Path, settings: Settings, tests: dict[str, int]
) -> None:
    tests["status"] = run.FAILED
    with pytest.raises(SlipwayError, match="its tests do not pass"):
        pruning.prune(model, settings)
    assert not (model / "pruned.txt").exists()


def test_code_that_imports_what_the_list_leaves_out_is_found_and_pruning_again_mends_it(
    model: Path, settings: Settings
) -> None:
    pruning.prune(model, settings)
    code = model / "reader/1/model.py"
    code.write_text("import tool.common\n\n\ndef late():\n    from tool import common, format_b\n")
    [finding] = [each for each in check([model], settings) if each.rule == "SW526"]
    assert (finding.location.file, finding.location.line) == (code, 5)
    assert "'tool.format_b'" in finding.what
    pruning.prune(model, settings)
    assert tool_lines(model) == {"format_c.py"}
    assert "SW526" not in {each.rule for each in check([model], settings)}


def test_deleting_the_line_mends_it_as_well(model: Path, settings: Settings) -> None:
    pruning.prune(model, settings)
    (model / "reader/1/model.py").write_text("import tool.common, tool.format_b\n")
    [finding] = [each for each in check([model], settings) if each.rule == "SW526"]
    listing = model / "pruned.txt"
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text("".join(line for line in lines if line.strip() not in finding.fix.split()))
    assert tool_lines(model) == {"format_c.py"}
    assert "SW526" not in {each.rule for each in check([model], settings)}


def test_the_rule_refuses_a_build_and_not_the_pruning_that_mends_it(
    model: Path, settings: Settings
) -> None:
    pruning.prune(model, settings)
    (model / "reader/1/model.py").write_text("import tool.common, tool.format_b\n")
    folder = read_model_folder(model)
    others = {each.rule for each in check([model], settings)} - {"SW526"}
    with pytest.raises(SlipwayError, match="SW526 pruned-module"):
        refuse_errors(folder, settings, but=others)
    refuse_errors(folder, settings, but={*others, "SW526"})
