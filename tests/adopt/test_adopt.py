"""An adoption writes a folder that the check passes, or nothing; the source stays as it is."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from slipway.adopt.adopt import Adoption
from slipway.adopt.adopt import adopt as adopt_plan
from slipway.adopt.plan import plan_adoption
from slipway.adopt.requirements import write_requirements
from slipway.check import check
from slipway.environment.lock import check_lock
from slipway.errors import SlipwayError
from slipway.settings import Settings
from tests.adopt import foreign_repositories
from tests.adopt.conftest import (
    ADD,
    PYTHON,
    TENSORS,
    Adopt,
    lock_by_hand,
    python_model,
    silent,
    write,
)
from tests.adopt.test_files import LFS, packed_environment
from tests.adopt.test_plan import CALLS, ensemble
from tests.fixture_models import save_adder

ONNX = """\
backend: "onnxruntime"
max_batch_size: 8
input { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }
input { name: "B" data_type: TYPE_FP32 dims: [ 4 ] }
output [ { name: "SUM" data_type: TYPE_FP32 dims: [ 4 ] } ]
parameters { key: "intra_op_thread_count" value { string_value: "1" } }
"""


def digest(folder: Path) -> str:
    """The digest of every name, link, mode, time and byte below a folder."""
    state = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        state.update(f"{path} {status.st_mode} {status.st_mtime_ns}".encode())
        if path.is_symlink():
            state.update(os.readlink(path).encode())
        elif path.is_file():
            state.update(path.read_bytes())
    return state.hexdigest()


def errors(settings: Settings, name: str) -> list[str]:
    """The errors of the check in an adopted folder."""
    findings = check([settings.root / "models" / name], settings)
    return [f"{f.rule} {f.location}" for f in findings if f.severity == "error"]


@pytest.mark.parametrize("name", foreign_repositories.names())
def test_the_source_is_not_changed(name: str, tmp_path: Path, adopt: Adopt) -> None:
    repository = foreign_repositories.make(name, tmp_path)
    before = digest(repository)
    adopt(repository)
    assert digest(repository) == before


def test_an_adopted_ensemble_has_its_files_and_no_errors(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    python_model(source, "clean")
    python_model(source, "score")
    write(source, {"reviews/config.pbtxt": ensemble("reviews", "clean", "score")})
    (result,) = adopt(source)
    folder = settings.root / "models" / "reviews"
    assert result.steps == ()
    assert errors(settings, "reviews") == []
    assert {path.name for path in folder.iterdir()} == {
        "BUILD",
        "model_version.txt",
        "requirements.txt",
        "requirements.lock",
        "reviews",
        "reviews_clean",
        "reviews_score",
        "tests",
    }
    assert (folder / "model_version.txt").read_text() == "0.1.0\n"
    check_lock(folder / "requirements.txt", folder / "requirements.lock")


def test_a_pipeline_in_code_gets_an_ensemble_and_loads_what_it_calls(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    python_model(source, "detector")
    python_model(source, "faces", CALLS)
    (result,) = adopt(source)
    assert result.steps == ()
    assert errors(settings, "faces") == []
    code = (settings.root / "models" / "faces" / "faces" / "1" / "model.py").read_text()
    assert 'DETECTOR = "faces_detector_0_1_0"' in code
    assert 'pb_utils.load_model("faces_detector_0_1_0")' in code


def test_weights_are_tracked_with_a_signature(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    write(source / "add", {"config.pbtxt": ONNX, "1/.gitkeep": ""})
    save_adder(source / "add" / "1" / "model.onnx")
    assert adopt(source)[0].steps == ()
    version = settings.root / "models" / "add" / "add" / "1"
    assert (version / "model.onnx.dvc").is_file()
    signature = json.loads((version / "model.onnx.signature.json").read_text())
    assert [tensor["name"] for tensor in signature["inputs"]] == ["A", "B"]


def test_a_graph_without_a_config_gets_one_that_passes(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    (source / "add" / "1").mkdir(parents=True)
    save_adder(source / "add" / "1" / "model.onnx")
    assert adopt(source)[0].steps == ()
    assert errors(settings, "add") == []


def test_packages_are_those_of_the_imports_with_the_versions_of_the_source(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    imports = "import cv2\nimport torch\nfrom PIL import Image\nimport sklearn\n"
    directory = python_model(source, "score", imports + ADD)
    info = "lib/python3.8/site-packages/torch-2.1.0.dist-info/METADATA"
    write(directory, {"env.tar.gz": packed_environment("bin/activate", info)})
    write(source, {"requirements.txt": "scikit-learn==1.5.2\nflask==3.0.0\n"})
    adopt(source)
    folder = settings.root / "models" / "score"
    assert (folder / "requirements.txt").read_text().splitlines()[1:] == [
        "numpy==1.26.*",
        "opencv-python-headless  # for cv2: a guess, others are opencv-python,"
        " opencv-contrib-python-headless, opencv-contrib-python",
        "pillow  # for PIL: a guess, others are pillow-simd",
        "scikit-learn==1.5.2  # for sklearn; the source has 1.5.2",
        "torch==2.1.0  # the source has 2.1.0",
    ]


def test_versions_that_cannot_be_locked_are_dropped(
    source: Path, settings: Settings, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(requirements: Path, configured: Settings) -> Path:
        if "torch==" in requirements.read_text():
            raise SlipwayError("no version of torch for Python 3.12")
        return lock_by_hand(requirements, configured)

    monkeypatch.setattr("slipway.scaffold.locks.lock_requirements", refuse)
    python_model(source, "score", "import torch\n" + ADD)
    write(source, {"requirements.txt": "torch==1.7.1\n"})
    assert adopt(source)[0].steps == ()
    text = (settings.root / "models" / "score" / "requirements.txt").read_text()
    assert "torch  # the source has 1.7.1\n" in text


def test_packages_that_cannot_be_locked_are_one_step(
    source: Path, settings: Settings, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(requirements: Path, configured: Settings) -> Path:
        raise SlipwayError("the index cannot be reached")

    python_model(source, "score", "import torch\n" + ADD)
    with monkeypatch.context() as patched:
        patched.setattr("slipway.scaffold.locks.lock_requirements", refuse)
        steps = adopt(source)[0].steps
    assert len(steps) == 1, steps
    step = steps[0]
    assert step.what == "its packages cannot be locked: the index cannot be reached"
    assert step.where == "models/score/requirements.lock"
    assert "slipway lock score" in step.fix and step.page == "docs/rules/SW603.md"


def test_a_module_that_lies_elsewhere_in_the_source_is_copied(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    path = 'import sys\nsys.path.append("/opt/common")\nfrom cleaning import clean\n'
    python_model(source / "models", "score", path + ADD)
    write(source, {"common/cleaning.py": "import spelling\n", "common/spelling/__init__.py": ""})
    assert adopt(source)[0].steps == ()
    version = settings.root / "models" / "score" / "score" / "1"
    assert (version / "cleaning.py").is_file() and (version / "spelling").is_dir()


def test_a_module_that_the_source_lists_by_its_name_is_taken_and_others_are_not_guessed(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    python_model(source, "score", "import loguru\nimport listed_utils\nimport ours\n" + ADD)
    write(source, {"requirements.txt": "loguru>=0.7\nlisted-utils  # any\nours_too\n"})
    assert [step.what for step in adopt(source)[0].steps] == [
        "no package is known that has the module 'ours'"
    ]
    text = (settings.root / "models" / "score" / "requirements.txt").read_text()
    assert text.splitlines()[2:] == ["listed-utils", "loguru"]


def test_a_module_of_no_known_package_is_a_step_at_its_line(source: Path, adopt: Adopt) -> None:
    python_model(source, "score", "import our_company_utils\n" + ADD)
    (step,) = adopt(source)[0].steps
    assert step.where == "models/score/score/1/model.py:1:1"
    assert "'our_company_utils'" in step.what and step.rule == "SW522"


def test_templates_are_one_step_and_values_fill_them(source: Path, adopt: Adopt) -> None:
    config = PYTHON.replace("max_batch_size: 8", "max_batch_size: ${rows}")
    config += 'parameters { key: "dir" value { string_value: "{{ folder }}" } }\n'
    python_model(source, "score", ADD, config)
    (step,) = adopt(source)[0].steps
    assert step.what == "2 templates not filled in: ${rows} (line 3), {{ folder }} (line 6)"
    assert step.where == "models/score/score/config.pbtxt:3:17" and step.rule == "SW201"
    assert adopt(source, "filled", {"rows": "4", "folder": "/x"})[0].steps == ()


def test_missing_weights_are_one_step_each(source: Path, adopt: Adopt) -> None:
    write(source / "add", {"config.pbtxt": ONNX, "1/model.onnx": LFS})
    (step,) = adopt(source)[0].steps
    assert step.where == "models/add/add/1/model.onnx"
    assert "git LFS" in step.what and "slipway weights add" in step.fix


def test_a_pointer_without_its_weights_is_kept_and_is_a_step(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    md5 = "d41d8cd98f00b204e9800998ecf8427e"
    pointer = f"outs:\n- md5: {md5}\n  size: 9\n  hash: md5\n  path: model.onnx\n"
    write(source / "add", {"config.pbtxt": ONNX, "1/model.onnx.dvc": pointer})
    (step,) = adopt(source)[0].steps
    assert "the weights of this pointer are not here" in step.what
    kept = settings.root / "models" / "add" / "add" / "1" / "model.onnx.dvc"
    assert kept.read_text() == pointer


def test_what_the_check_finds_and_fixes_is_fixed_and_the_rest_is_a_step(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    broken = ensemble("reviews", "clean", "gone").replace('platform: "', "platform: '", 1)
    broken = broken.replace("'ensemble\"", "'ensemble'")
    python_model(source, "clean")
    write(source, {"reviews/config.pbtxt": broken})
    (result,) = adopt(source)
    assert '+platform: "ensemble"' in result.fixed
    assert {step.rule for step in result.steps} == {"SW403"}
    assert errors(settings, "reviews") != []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SlipwayError("broken"), OSError("full")])
def test_a_failure_leaves_nothing(
    error: BaseException,
    source: Path,
    settings: Settings,
    without_index: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    python_model(source, "first")
    python_model(source, "second")
    monkeypatch.setattr("slipway.adopt.adopt.write_requirements", fail)
    plan = plan_adoption(source, None, settings)
    with pytest.raises(type(error)):
        adopt_plan(plan, Adoption(settings, silent, record=False))
    assert not (settings.root / "models").exists()


def test_of_several_folders_none_is_left_when_one_is_taken_meanwhile(
    source: Path,
    settings: Settings,
    without_index: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take(folder: Path, *others: object) -> object:
        theirs = settings.root / "models" / "second" / "kept.txt"
        theirs.parent.mkdir(exist_ok=True)
        theirs.write_text("theirs")
        return write_requirements(folder, *others)  # type: ignore[arg-type]

    python_model(source, "first")
    python_model(source, "second")
    monkeypatch.setattr("slipway.adopt.adopt.write_requirements", take)
    plan = plan_adoption(source, None, settings)
    with pytest.raises(SlipwayError, match="cannot be written"):
        adopt_plan(plan, Adoption(settings, silent, record=False))
    assert [path.name for path in (settings.root / "models").iterdir()] == ["second"]


def test_a_wrong_version_is_refused(source: Path, settings: Settings) -> None:
    python_model(source, "score")
    with pytest.raises(SlipwayError, match="not a semantic version"):
        plan_adoption(source, None, settings, version="one")


def test_tensors_without_a_batch_stay_as_they_are(source: Path, adopt: Adopt) -> None:
    python_model(source, "score", ADD, f'backend: "python"\nmax_batch_size: 0\n{TENSORS}')
    assert adopt(source)[0].steps == ()


def test_line_ends_stay_as_they_are(source: Path, settings: Settings, adopt: Adopt) -> None:
    directory = python_model(source, "score")
    config = (directory / "config.pbtxt").read_text().replace("\n", "\r\n")
    (directory / "config.pbtxt").write_bytes(config.encode())
    assert adopt(source, "ours")[0].steps == ()
    written = settings.root / "models" / "ours" / "ours_score" / "config.pbtxt"
    assert written.read_bytes().decode() == config.replace('"score"', '"ours_score"')


def test_a_config_that_is_not_utf_8_is_copied_and_is_a_step(
    source: Path, settings: Settings, adopt: Adopt
) -> None:
    directory = python_model(source, "score")
    content = b"# caf\xe9\n" + (directory / "config.pbtxt").read_bytes()
    (directory / "config.pbtxt").write_bytes(content)
    assert "SW201" in {step.rule for step in adopt(source)[0].steps}
    written = settings.root / "models" / "score" / "score" / "config.pbtxt"
    assert written.read_bytes() == content
