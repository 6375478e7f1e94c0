"""Renamed configs and code: only names change, and nothing else of the text."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

import pytest
from google.protobuf import text_format

from slipway.adopt.edits import edit_config, load_called_models
from slipway.check.foreign.config_text import ConfigText
from slipway.triton.config import schema

NEW = {"clean": "reviews_clean", "score": "reviews_score"}
STEPS = """\
# the ensemble of the reviews
name: "old"    # its name
platform: "ensemble"
ensemble_scheduling {
  step [
    {
      model_name: "clean"  # first
      model_version: -1
    },
    { model_name: 'score' model_version: -1 }
  ]
}
"""


def changed(before: str, after: str) -> list[str]:
    """The lines that are only in one of two texts, with - or +."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "-+"]


def edit(text: str, *, calls_models: bool = False) -> str:
    """The config as an adoption writes it, which parses."""
    config = ConfigText(Path("config.pbtxt"), text)
    after = edit_config(config, "reviews", NEW, calls_models=calls_models)
    text_format.Parse(ConfigText(config.path, after).readable, schema().ModelConfig())
    return after


def test_the_name_and_the_steps_are_renamed_and_comments_stay() -> None:
    assert changed(STEPS, edit(STEPS)) == [
        '- name: "old"    # its name',
        '+ name: "reviews"    # its name',
        '-       model_name: "clean"  # first',
        '+       model_name: "reviews_clean"  # first',
        "-     { model_name: 'score' model_version: -1 }",
        '+     { model_name: "reviews_score" model_version: -1 }',
    ]


def test_a_config_without_a_name_gets_none() -> None:
    assert edit('backend: "python"\n') == 'backend: "python"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'parameters: {\n  key: "EXECUTION_ENV_PATH",\n'
            '  value: {string_value: "$$X/e.tar.gz"}\n}\nmax_batch_size: 4\n',
            "max_batch_size: 4\n",
        ),
        (
            'parameters { key: "a" value { string_value: "b" } }\n'
            'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "x" } }  # ours\n',
            'parameters { key: "a" value { string_value: "b" } }\n',
        ),
        (
            "parameters [\n"
            '  { key: "EXECUTION_ENV_PATH" value { string_value: "x" } },\n'
            '  { key: "a" value { string_value: "b" } }\n]\n',
            'parameters [\n  { key: "a" value { string_value: "b" } }\n]\n',
        ),
        (
            'parameters [ { key: "a" value { string_value: "b" } },'
            ' { key: "EXECUTION_ENV_PATH" value { string_value: "x" } } ]\n',
            'parameters [ { key: "a" value { string_value: "b" } } ]\n',
        ),
        (
            'parameters: [{ key: "EXECUTION_ENV_PATH", value: { string_value: "x" } }]\n',
            "parameters: []\n",
        ),
    ],
)
def test_the_environment_is_dropped_from_every_form_of_the_parameters(
    text: str, expected: str
) -> None:
    assert edit(text) == expected


def test_a_parameter_that_names_a_model_is_renamed_where_the_code_calls_models() -> None:
    text = 'parameters { key: "model_name" value { string_value: "score" } }\n'
    assert edit(text) == text
    assert '"reviews_score"' in edit(text, calls_models=True)


def test_a_config_with_templates_is_renamed_and_keeps_them() -> None:
    text = (
        'name: "old"\nmax_batch_size: ${size}\n{% if gpu %}\n'
        "instance_group [ { count: {{ count }} kind: KIND_CPU } ]\n{% endif %}\n"
        'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "${env}" } }\n'
    )
    after = edit(text)
    assert changed(text, after) == [
        '- name: "old"',
        '+ name: "reviews"',
        '- parameters { key: "EXECUTION_ENV_PATH" value { string_value: "${env}" } }',
    ]
    templates = ConfigText(Path("config.pbtxt"), after).templates
    assert list(templates) == ["${size}", "{{ count }}"]


@pytest.mark.parametrize(
    "body",
    [
        "    def initialize(self, args):\n        self.x = 1\n",
        '    def initialize(self, args):\n        """Load."""\n',
        '    """A model."""\n\n    def execute(self, requests):\n        return []\n',
        "    @staticmethod\n    def auto_complete_config(config):\n        return config\n",
    ],
)
def test_called_models_are_loaded_when_the_model_is(body: str) -> None:
    text = f"import triton_python_backend_utils as pb_utils\n\n\nclass TritonPythonModel:\n{body}"
    after = load_called_models(text, ["a_detector", "a_reader"])
    assert after is not None
    assert not [line for line in changed(text, after) if line.startswith("-")]
    (model,) = (node for node in ast.parse(after).body if isinstance(node, ast.ClassDef))
    functions = {node.name: node for node in model.body if isinstance(node, ast.FunctionDef)}
    calls = [ast.unparse(node) for node in functions["initialize"].body]
    assert [call for call in calls if "load_model" in call] == [
        "pb_utils.load_model('a_detector')",
        "pb_utils.load_model('a_reader')",
    ]


def test_code_without_the_class_or_the_module_is_left_as_it_is() -> None:
    assert load_called_models("import json\n", ["a"]) is None
    assert load_called_models("class TritonPythonModel:\n    pass\n", ["a"]) is None
