"""A model is renamed everywhere it is named, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.check import Finding, Location, check
from slipway.check.fix.apply import apply_fixes
from slipway.check.fix.rename_model import Renaming, rename_model
from slipway.check.model_repository import ModelRepository
from slipway.check.model_under_check import ModelUnderCheck
from slipway.settings import Settings
from tests.check import corpus
from tests.check import fixture_repositories as repositories
from tests.check.real_server import RealServer, as_json

CALL = """# \u00e9 moves the columns that are counted in bytes
import triton_python_backend_utils as pb_utils

{before}
class TritonPythonModel:
    NAME = "reader"

    def initialize(self, args):
        self.name = "reader"; self.tensor = "reader_"
        self.words = {{"reader_2": "the reader"}}

    def execute(self, requests):
        return [self._ask({argument}) for request in requests]

    def _ask(self, name):
        "A reader answers."
        request = pb_utils.InferenceRequest(model_name={name}, inputs=[], requested_output_names=[])
        return request.exec()
"""


def rename(folder: Path, old: str, new: str) -> Renaming:
    settings = Settings(root=folder.parents[1])
    return rename_model(ModelUnderCheck(folder, ModelRepository(settings)), old, new)


def apply(folder: Path, renaming: Renaming) -> None:
    fix = Finding("SW119", "", "warning", Location(folder), "", "", "", renaming.fixes)
    rounds = [[fix]]
    apply_fixes(lambda: rounds.pop() if rounds else [])


def calling(root: Path, code: str) -> Path:
    """Write a folder ``f`` with the models ``caller``, whose code this is, and ``reader``."""
    folder = root / "models" / "f"
    for name in ("caller", "reader"):
        (folder / name / "1").mkdir(parents=True)
        (folder / name / "config.pbtxt").write_text(f'name: "{name}" backend: "python"\n')
        (folder / name / "1" / "model.py").write_text(code if name == "caller" else "")
    return folder


@pytest.mark.parametrize(
    ("before", "argument", "name", "changed"),
    [
        ("", "None", '"reader"', 'model_name="f_reader"'),
        ("", "None", "'reader'", 'model_name="f_reader"'),
        ('READER = "reader"\n', "None", "READER", 'READER = "f_reader"'),
        ("", "None", "self.NAME", 'NAME = "f_reader"'),
        ("", "None", "self.name", 'self.name = "f_reader"; self.tensor'),
        ("", '"reader"', "name", 'self._ask("f_reader")'),
    ],
)
def test_a_call_is_changed_where_its_name_is_written(
    before: str, argument: str, name: str, changed: str, tmp_path: Path
) -> None:
    code = CALL.format(before=before, argument=argument, name=name)
    if "self.NAME" not in name:
        code = code.replace('    NAME = "reader"\n', "")
    if "self.name" not in name:
        code = code.replace('self.name = "reader"; ', "")
    code = code.replace('"the reader"', '"it"')
    folder = calling(tmp_path, code)
    renaming = rename(folder, "reader", "f_reader")
    assert renaming.uncertain == ()
    apply(folder, renaming)
    text = (folder / "caller" / "1" / "model.py").read_text()
    assert changed in text and '"reader"' not in text and "'reader'" not in text
    assert "A reader answers." in text and '"reader_2"' in text
    assert (folder / "f_reader" / "config.pbtxt").read_text().startswith('name: "f_reader"')
    assert not (folder / "reader").exists()


@pytest.mark.parametrize(
    "code",
    [
        CALL.format(before="", argument="None", name='"rea" + "der"'),
        CALL.format(before="", argument="None", name="self.names[0]"),
        "import os\nPATH = os.path.join('..', 'reader', '1')\n",
        "PATH = '../reader/1/words.txt'\n",
        "def broken(:\n",
    ],
)
def test_what_may_name_the_model_in_another_way_is_listed(code: str, tmp_path: Path) -> None:
    folder = calling(tmp_path, code)
    assert folder / "caller" / "1" / "model.py" in {
        location.file for location in rename(folder, "reader", "f_reader").uncertain
    }


def test_a_tensor_of_the_same_name_is_not_the_model(tmp_path: Path) -> None:
    code = (
        "import triton_python_backend_utils as pb_utils\n"
        'def get(request): return pb_utils.get_input_tensor_by_name(request, "reader")\n'
    )
    folder = calling(tmp_path, code)
    config = folder / "caller" / "config.pbtxt"
    config.write_text(
        f'{config.read_text()}input {{ name: "reader" data_type: TYPE_FP32 dims: 1 }}\n'
    )
    assert rename(folder, "reader", "f_reader").uncertain == ()


def test_a_path_in_a_parameter_follows_and_another_mention_is_listed(tmp_path: Path) -> None:
    folder = calling(tmp_path, "")
    config = folder / "caller" / "config.pbtxt"
    path = "$$TRITON_MODEL_DIRECTORY/../reader/env.tar.gz"
    config.write_text(
        'name: "caller" backend: "python"\n'
        f'parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{path}" }} }}\n'
        'parameters { key: "model" value { string_value: "reader" } }\n'
    )
    renaming = rename(folder, "reader", "f_reader")
    assert renaming.uncertain == (Location(config, 3, 49),)
    apply(folder, renaming)
    assert "DIRECTORY/../f_reader/env" in config.read_text()


def test_files_that_name_its_path_are_listed(tmp_path: Path) -> None:
    folder = calling(tmp_path, "")
    (tmp_path / "dvc.yaml").write_text("a:\n  models/f/reader/1/model.onnx\n")
    (folder / ".gitignore").write_text("/reader/1/model.onnx\n")
    locations = rename(folder, "reader", "f_reader").uncertain
    assert locations == (Location(folder / ".gitignore", 1), Location(tmp_path / "dvc.yaml", 2))


def test_a_name_without_the_folders_is_fixed(tmp_path: Path) -> None:
    folder = repositories.make("SW119_name_without_the_folders", tmp_path)
    apply_fixes(lambda: repositories.find_all(tmp_path))
    assert repositories.find_all(tmp_path) == []
    assert (folder / "sound_scorer_1_0_0" / "1" / "model.py").is_file()
    code = (folder / "sound_postprocessing" / "1" / "model.py").read_text()
    assert 'load_model("sound_scorer_1_0_0")' in code and 'model_name="sound_scorer_1_0_0"' in code


def test_a_called_model_gets_the_version_of_the_next_release(tmp_path: Path) -> None:
    folder = repositories.make("SW119_name_without_the_folders", tmp_path)
    apply_fixes(lambda: repositories.find_all(tmp_path))
    (folder / "model_version.txt").write_text("1.10.0\n")
    apply_fixes(lambda: repositories.find_all(tmp_path))
    assert repositories.find_all(tmp_path) == []
    code = (folder / "sound_postprocessing" / "1" / "model.py").read_text()
    assert 'load_model("sound_scorer_1_10_0")' in code and "1_0_0" not in code
    assert not (folder / "sound_scorer_1_0_0").exists()


def test_a_called_and_mapped_model_answers_the_same_under_its_new_name(tmp_path: Path) -> None:
    """On the real server: the corpus's ``calling``, before and after."""
    requests = [as_json(request) for request in corpus.requests("calling")]
    folder = corpus.make("calling", tmp_path / "before")
    renamed = corpus.make("calling", tmp_path / "after")
    for old in ("calling_child", "calling_parent", "calling_pipeline"):
        apply(renamed, rename(renamed, old, f"{old}_2"))
    assert [path.name for path in sorted(renamed.glob("*/"))] == [
        "calling_child_2",
        "calling_parent_2",
        "calling_pipeline_2",
    ]
    errors = [
        f for f in check([renamed], Settings(root=renamed.parents[1])) if f.severity == "error"
    ]
    assert errors == []
    with RealServer(tmp_path / "server") as server:
        before = server.outcome(folder, requests)
        after = server.outcome(renamed, requests)
    assert not before.refused and str(before) == str(after)
