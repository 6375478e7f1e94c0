"""Python models are parsed, not run: valid code has no finding, in whatever style."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from slipway.check import check
from slipway.environment.environment import ExecutionEnvironment, save_environment
from slipway.environment.lock import lock_content
from tests.check import corpus
from tests.check import fixture_repositories as repositories

PREPROCESSING = "models/sound/sound_preprocessing"
IMPORT = "import triton_python_backend_utils as pb_utils\n"
READ = 'pb_utils.get_input_tensor_by_name(request, "WORDS")'
CREATED = 'pb_utils.Tensor("LENGTH", np.array(lengths, dtype=np.int64))'
EXECUTE = "    def execute"
HELPER = (
    "\n\ndef _tensor(request: Any, name: str) -> Any:\n"
    "    return pb_utils.get_input_tensor_by_name(request, name)\n"
)


def rules_found(
    root: Path, *edits: tuple[str, str], files: dict[str, str] | None = None
) -> list[str]:
    """Return the rules that find something after edits of the preprocessing and with more files."""
    repositories.make("good", root)
    source = root / PREPROCESSING / "1" / "model.py"
    text = source.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    source.write_text(text, encoding="utf-8")
    for name, text in (files or {}).items():
        path = root / PREPROCESSING / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [finding.rule for finding in repositories.find_all(root)]


FILLED = "responses = [None] * len(requests)\n"
VALID = {
    "a list that threads fill": [
        (
            "return [self._respond(request) for request in requests]",
            f"{FILLED}        threading.Thread(target=self._fill, args=(responses, requests)).run()"
            "\n        return responses",
        ),
        (IMPORT, f"import threading\n\n{IMPORT}"),
        (
            "    def _respond",
            "    def _fill(self, responses: Any, requests: Any) -> None:\n"
            "        responses[:] = map(self._respond, requests)\n\n    def _respond",
        ),
    ],
    "another alias": [(IMPORT, "import triton_python_backend_utils as t\n"), ("pb_utils.", "t.")],
    "names imported from the utilities": [
        (IMPORT, IMPORT + "from triton_python_backend_utils import Tensor\n"),
        (CREATED, CREATED.removeprefix("pb_utils.")),
    ],
    "a name in a constant": [
        (READ, READ.replace('"WORDS"', "WORDS")),
        ("LETTERS =", 'WORDS = "WORDS"\nLETTERS ='),
    ],
    "a name in an attribute": [
        (READ, READ.replace('"WORDS"', "self.words")),
        (EXECUTE, f'    words = "WORDS"\n\n{EXECUTE}'),
    ],
    "a name that is computed": [(READ, READ.replace('"WORDS"', '"WORD" + "S"'))],
    "an output's name that is computed": [(CREATED, CREATED.replace('"LENGTH"', '"LEN" + "GTH"'))],
    "a keyword for the name": [(READ, READ.replace('"WORDS"', 'name="WORDS"'))],
    "an input that may be missing": [
        (
            "        words =",
            '        hint = pb_utils.get_input_tensor_by_name(request, "HINT")\n'
            "        if hint is not None:\n"
            "            print(hint.as_numpy())\n"
            "        words =",
        )
    ],
    "an asynchronous execute": [(EXECUTE, "    async def execute")],
    "more arguments with defaults": [
        ("requests: list[Any])", "requests: list[Any], *more: Any, deep: bool = False)")
    ],
    "a static auto_complete_config": [
        (
            EXECUTE,
            "    @staticmethod\n"
            "    def auto_complete_config(config: Any) -> Any:\n"
            f"        return config\n\n{EXECUTE}",
        )
    ],
    "a helper for several names": [
        (READ, '_tensor(request, "WORDS")'),
        ("\n\nclass Triton", f"{HELPER}\n\nclass Triton"),
        (
            "        counts =",
            '        hint = _tensor(request, "HINT")\n'
            "        print(hint.as_numpy() if hint else None)\n"
            "        counts =",
        ),
    ],
    "a helper that other code passes on": [
        (READ, 'list(map(_tensor, [request], ["WORDS"]))[0]'),
        ("\n\nclass Triton", f"{HELPER}\n\nclass Triton"),
    ],
    "an annotation that is not evaluated": [("        counts =", "        counts: Missing =")],
    "a name that exec defines": [
        ("        counts =", "        exec('x = 1')\n        print(x)\n        counts =")
    ],
    "responses that are appended": [
        (
            "return [self._respond(request) for request in requests]",
            "responses = []\n"
            "        for request in requests:\n"
            "            responses.append(self._respond(request))\n"
            "        return responses",
        )
    ],
    "responses that are sent": [
        (
            "return [self._respond(request) for request in requests]",
            "for request in requests:\n"
            "            end = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL\n"
            "            request.get_response_sender().send(self._respond(request), end)",
        )
    ],
    "an import that may fail": [
        (IMPORT, f"{IMPORT}\ntry:\n    import cv2\nexcept ImportError:\n    cv2 = None\n")
    ],
    "an import for the type checker": [
        (
            IMPORT,
            f"{IMPORT}from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import torch\n",
        )
    ],
    "a part of a locked package": [(IMPORT, f"import numpy.linalg\n{IMPORT}")],
    "a tensor that is passed on": [
        (
            CREATED,
            f'{CREATED},\n                pb_utils.get_input_tensor_by_name(request, "WORDS")',
        )
    ],
    "a file that is read": [
        (
            EXECUTE,
            "    def initialize(self, args: Any) -> None:\n"
            f"        self.labels = open(__file__).read()\n\n{EXECUTE}",
        )
    ],
    "a file elsewhere": [
        (IMPORT, f"import os\nimport tempfile\n\n{IMPORT}"),
        (
            EXECUTE,
            "    def initialize(self, args: Any) -> None:\n"
            "        name = os.path.basename(__file__)\n"
            "        self.log = open(os.path.join(tempfile.gettempdir(), name), 'w')\n\n"
            f"{EXECUTE}",
        ),
    ],
}


@pytest.mark.parametrize("name", VALID)
def test_valid_code_has_no_finding(name: str, tmp_path: Path) -> None:
    assert rules_found(tmp_path, *VALID[name]) == []


RETURNED = "return [self._respond(request) for request in requests]"
COUNTS = "np.array(counts, dtype=np.float32)"
EVERY_REQUEST_FAILS = {
    "the first response": (RETURNED, "return self._respond(requests[0])", "SW507"),
    "a tuple": (RETURNED, f"return tuple({RETURNED.removeprefix('return ')})", "SW507"),
    "a generator": (RETURNED, "yield self._respond(requests[0])", "SW507"),
    "a generator expression": (RETURNED, RETURNED.replace("[", "(").replace("]", ")"), "SW507"),
    "no return at all": (RETURNED, "responses = list(map(self._respond, requests))", "SW507"),
    "tensors without a response": (
        RETURNED,
        'return [pb_utils.Tensor("LENGTH", np.zeros((1, 1), np.int64))]',
        "SW507",
    ),
    "a list in a tensor": (COUNTS, f"{COUNTS}.tolist()", "SW519"),
    "a list by its variable": (COUNTS, "counts", "SW519"),
    "a number in a tensor": (COUNTS, "len(counts)", "SW519"),
    "the mean of an array": (COUNTS, f"{COUNTS}.mean()", "SW519"),
    "a text in a tensor": (COUNTS, "f'{counts}'", "SW519"),
    "a misspelled variable": (COUNTS, COUNTS.replace("counts", "count"), "SW506"),
    "a module that is not imported": (COUNTS, "json.loads('1')", "SW506"),
}


@pytest.mark.parametrize("name", EVERY_REQUEST_FAILS)
def test_code_with_which_every_request_fails_is_found(name: str, tmp_path: Path) -> None:
    old, new, rule = EVERY_REQUEST_FAILS[name]
    assert set(rules_found(tmp_path, (old, new))) == {rule}


def test_an_optional_input_that_a_step_gives_is_always_there(tmp_path: Path) -> None:
    repositories.make("SW555_hint_may_be_left_out", tmp_path)
    pipeline = tmp_path / "models/sound/sound_pipeline/config.pbtxt"
    text = pipeline.read_text(encoding="utf-8")
    mapped = 'input_map { key: "WORDS" value: "WORDS" }'
    assert mapped in text
    hint = 'input_map { key: "HINT" value: "WORDS" }'
    pipeline.write_text(text.replace(mapped, f"{mapped} {hint}"), encoding="utf-8")
    assert repositories.find_all(tmp_path) == []


@pytest.mark.parametrize(
    "call",
    [
        '_tensor(request, "WORD")',
        '_tensor(request, name="WORD")',
        '_tensor(name="WORD", request=request)',
        "_tensor(request, LETTERS_OF)",
    ],
)
def test_a_name_is_followed_through_a_helper(call: str, tmp_path: Path) -> None:
    edits = [
        (READ, call),
        ("LETTERS =", 'LETTERS_OF = "WORD"\nLETTERS ='),
        ("\n\nclass Triton", f"{HELPER}\n\nclass Triton"),
    ]
    assert rules_found(tmp_path, *edits) == ["SW511"]


def test_a_name_is_followed_through_a_helper_of_another_module(tmp_path: Path) -> None:
    helper = f"from typing import Any\n\n{IMPORT}{HELPER}"
    edits = [(READ, '_tensor(request, "WORD")'), (IMPORT, f"{IMPORT}from reading import _tensor\n")]
    assert rules_found(tmp_path, *edits, files={"1/reading.py": helper}) == ["SW511"]


def test_names_in_a_loop_are_read_from_its_items(tmp_path: Path) -> None:
    read = "pb_utils.get_input_tensor_by_name(request, name).as_numpy()"
    loop = f'        [{read} for name in ("WORDS", "WORD")]\n        words ='
    assert rules_found(tmp_path, ("        words =", loop)) == ["SW511"]


def test_an_outputs_name_is_followed_through_a_helper(tmp_path: Path) -> None:
    helper = (
        "\n\ndef _made(name: str, values: Any) -> Any:\n    return pb_utils.Tensor(name, values)\n"
    )
    edits = [
        ("pb_utils.Tensor(", "_made("),
        ('"LENGTH"', '"LENGHT"'),
        ("\n\nclass Triton", f"{helper}\n\nclass Triton"),
    ]
    assert rules_found(tmp_path, *edits) == ["SW512"]


def test_a_class_may_come_from_another_module(tmp_path: Path) -> None:
    repositories.make("good", tmp_path)
    own = tmp_path / PREPROCESSING / "1" / "model.py"
    own.rename(own.with_name("words.py"))
    own.write_text("from words import TritonPythonModel\n", encoding="utf-8")
    assert [finding.rule for finding in repositories.find_all(tmp_path)] == []


def test_a_base_class_of_another_module_may_have_the_methods(tmp_path: Path) -> None:
    edits = ("class TritonPythonModel:", "class TritonPythonModel(Base):"), (EXECUTE, "    def run")
    base = "class Base:\n    def execute(self, requests):\n        return eval('[]')\n"
    files = {"1/base.py": base}
    assert (
        rules_found(tmp_path, (IMPORT, f"from base import Base\n{IMPORT}"), *edits, files=files)
        == []
    )


def test_a_base_class_of_this_module_counts_as_the_class(tmp_path: Path) -> None:
    base = (
        "class Base:\n    def execute(self):\n        raise NotImplementedError\n\n\n"
        "class TritonPythonModel(Base):"
    )
    edits = (EXECUTE, "    def run"), ("class TritonPythonModel:", base)
    assert rules_found(tmp_path, *edits) == ["SW504"]


def test_modules_are_in_the_version_directory_or_above_it(tmp_path: Path) -> None:
    edit = (IMPORT, f"import above\nimport beside\nfrom package.inner import DEEP\n{IMPORT}")
    files = {"above.py": "", "1/beside.py": "", "1/package/inner.py": "DEEP = 1\n"}
    assert rules_found(tmp_path, edit, files=files) == []


def test_a_module_that_is_not_imported_is_not_checked(tmp_path: Path) -> None:
    files = {
        "1/train.py": "import torch\nprint 'no Python 3'\n",
        "tools/plot.py": "import seaborn\n",
    }
    assert rules_found(tmp_path, files=files) == []


def test_an_imported_module_is_checked(tmp_path: Path) -> None:
    edit = (IMPORT, f"from package import inner\n{IMPORT}")
    files = {"1/package/__init__.py": "", "1/package/inner.py": "import seaborn\n"}
    assert rules_found(tmp_path, edit, files=files) == ["SW521"]


def test_the_tensors_of_a_called_model_are_not_its_own(tmp_path: Path) -> None:
    call = (
        "        pb_utils.InferenceRequest(\n"
        '            model_name=str(words), requested_output_names=["A"],\n'
        '            inputs=[pb_utils.Tensor("B", words)],\n        )\n'
    )
    assert rules_found(tmp_path, ("        counts =", call + "        counts =")) == []


def test_a_called_model_with_the_release_in_its_name_is_safe(tmp_path: Path) -> None:
    repositories.make("SW544_misspelled_output", tmp_path)
    source = tmp_path / "models/sound/sound_postprocessing/1/model.py"
    source.write_text(source.read_text().replace('["SCORES"]', '["SCORE"]'), encoding="utf-8")
    assert repositories.find_all(tmp_path) == []


@pytest.mark.parametrize(("version", "rules"), [("2", []), ("3", ["SW506"])])
def test_a_name_that_only_requests_need_is_defined_where_they_arrive(
    version: str, rules: list[str], tmp_path: Path
) -> None:
    folder = corpus.make("version_policy_latest", tmp_path)
    (source,) = folder.glob(f"*/{version}/model.py")
    source.write_text(source.read_text().replace("self._respond", "elf._respond"))
    findings = check([folder], repositories.load_settings(tmp_path))
    assert [finding.rule for finding in findings if finding.rule == "SW506"] == rules


def test_newer_syntax_than_the_environments_is_reported(tmp_path: Path) -> None:
    edits = (("LETTERS =", "type Words = list[bytes]\nLETTERS ="),)
    assert rules_found(tmp_path / "new", *edits) == []
    settings = tmp_path / "new" / "slipway.toml"
    text = settings.read_text().replace("25.04", "24.09").replace("3.12", "3.10")
    settings.write_text(text, encoding="utf-8")
    rules = {finding.rule for finding in repositories.find_all(tmp_path / "new")}
    assert "SW501" in rules


def test_what_the_cached_environment_has_is_known(tmp_path: Path, slipway_cache: Path) -> None:
    edit = (IMPORT, f"import companywords\nimport nowhere\n{IMPORT}")
    assert rules_found(tmp_path, edit) == ["SW522", "SW522"]
    lock = tmp_path / "models/sound/requirements.lock"
    folder = slipway_cache / "environments" / "built"
    folder.mkdir(parents=True)
    digest = hashlib.sha256(lock_content(lock).encode()).hexdigest()
    save_environment(
        ExecutionEnvironment(folder, "0" * 64, "3.12.1", "linux-64", "here", (), digest, 1, 1, 1)
    )
    (folder / "environment.tar.gz").write_bytes(b"")
    site = "lib/python3.12/site-packages"
    names = (f"{site}/companywords/__init__.py", f"{site}/numpy/__init__.py")
    members = [[name, 0o644, 0, 0, 0, 0] for name in names]
    index = folder / "environment.tar.gz.index.json"
    index.write_text(json.dumps({"segments": [], "members": members}), encoding="utf-8")
    assert [each.rule for each in repositories.find_all(tmp_path)] == ["SW521"]
