"""The interpreter follows what ``execute`` does, and says nothing where it cannot know."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from slipway.check.inference.interpreter.interpreter import Interpreter
from slipway.check.inference.interpreter.machine import STEPS
from slipway.check.inference.objects import Response, is_none
from slipway.check.inference.triton_config import TritonConfig
from slipway.check.inference.values import UNKNOWN, Array, Sequence, Value, members
from slipway.check.python.code import analyse
from slipway.check.python.model import PythonModel
from slipway.check.python_file import parse_python
from tests.check.inference.interpreted import behaviour_of, execute, python_model

READ = 'pb_utils.get_input_tensor_by_name(request, "IN")'
ARRAY = f"{READ}.as_numpy()"
ANSWER = """\
responses = []
for request in requests:
    array = ARRAY
    responses.append(pb_utils.InferenceResponse([pb_utils.Tensor("OUT", MADE)]))
return responses
"""
INITIALIZE = """\
def initialize(self, args):
    config = json.loads(args["model_config"])
    output = pb_utils.get_output_config_by_name(config, "OUT")
    self.dtype = pb_utils.triton_string_to_numpy(output["data_type"])
    self.names = [entry["name"] for entry in config["output"]]
"""


def answer(made: str = "array", more: str = "") -> str:
    """Return a model that answers each request with the array ``made``."""
    return execute(ANSWER.replace("ARRAY", ARRAY).replace("MADE", made), more=more)


def made_array(made: str, folder: Path, more: str = "") -> Value:
    """Return the value of the only tensor's array."""
    behaviour = behaviour_of(answer(made, more), folder)
    assert behaviour.is_complete and not behaviour.problems
    return behaviour.tensors[0].array


ARRAYS = {
    "an input as it is": ("array", Array("float32", 2)),
    "the config's type": ("array.astype(self.dtype)", Array("float32", 2)),
    "a type in a variable": ("np.zeros((2, 3), dtype=self.dtype)", Array("float32", 2)),
    "a helper's result": ("self.doubled(array)", Array("float32", 2)),
    "a chosen one": ("array if requests else None", Array("float32", 2)),
    "an unknown library's result": ("library.run(array)", UNKNOWN),
    "numpy's default": ("np.zeros(4)", Array("float64", 1)),
    "a list of texts": ('np.array([["a"], ["b"]])', Array("str", 2)),
}
HELPERS = f"""{INITIALIZE}
def doubled(self, array, factor=2):
    return array * factor
"""


@pytest.mark.parametrize("name", ARRAYS)
def test_the_array_of_a_tensor_is_followed(name: str, tmp_path: Path) -> None:
    made, expected = ARRAYS[name]
    code = f"import library\n{answer(made, HELPERS)}"
    behaviour = behaviour_of(code, tmp_path)
    assert [tensor.array for tensor in behaviour.tensors][0] == expected


def test_names_come_from_the_config(tmp_path: Path) -> None:
    body = "return [pb_utils.InferenceResponse([pb_utils.Tensor(name, np.zeros(4)) "
    body += "for name in self.names]) for request in requests]"
    behaviour = behaviour_of(execute(body, more=INITIALIZE), tmp_path)
    assert behaviour.responses[0].names == ("OUT",)


ENDINGS = {
    "a loop that appends": ANSWER.replace("ARRAY", ARRAY).replace("MADE", "array"),
    "a comprehension": "return [self.one(request) for request in requests]",
    "a map": "return list(map(self.one, requests))",
    "a module's function": "return helper.answer_all(self, requests)",
    "an error for each": (
        "try:\n    return [self.one(request) for request in requests]\n"
        "except Exception as error:\n"
        "    failure = pb_utils.TritonError(str(error))\n"
        "    return [pb_utils.InferenceResponse(error=failure) for _ in requests]"
    ),
    "an error that is raised on": (
        "try:\n    return [self.one(request) for request in requests]\n"
        "except Exception as error:\n    raise pb_utils.TritonModelException(str(error))"
    ),
    "a last resort": (
        "responses = []\ntry:\n    responses += [self.one(request) for request in requests]\n"
        "finally:\n    print(responses)\nreturn responses"
    ),
    "requests that are never none": "if requests:\n    return [self.one(r) for r in requests]",
    "no requests, which cannot be": (
        "if len(requests) == 0:\n    return None\nif not len(requests):\n    return []\n"
        "return [self.one(request) for request in requests]"
    ),
    "a place for each": (
        "responses = [None] * len(requests)\nfor i in range(len(requests)):\n"
        "    responses[i] = self.one(requests[i])\nreturn responses"
    ),
    "a branch that raises": (
        "if len(requests) > 8:\n    raise ValueError\n"
        "else:\n    return [self.one(request) for request in requests]"
    ),
    "a loop that ends in a return": (
        "while True:\n    if self.is_ready():\n        return [self.one(r) for r in requests]"
    ),
    "a context": "with open('x'):\n    return [self.one(request) for request in requests]",
}
ONE = f"""\
def is_ready(self):
    return library.ready()

def one(self, request):
    return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("OUT", {ARRAY})])
"""
HELPER = (
    "def answer_all(model, requests):\n    return [model.one(request) for request in requests]\n"
)


@pytest.mark.parametrize("name", ENDINGS)
def test_an_execute_that_answers_has_no_other_end(name: str, tmp_path: Path) -> None:
    code = f"import helper\nimport library\n{execute(ENDINGS[name], more=ONE)}"
    behaviour = behaviour_of(code, tmp_path, files={"helper.py": HELPER})
    assert behaviour.is_complete and not behaviour.problems and behaviour.endings
    for ending in behaviour.endings:
        assert isinstance(ending.value, Sequence) and ending.value.kind == "list", ending
        assert any(isinstance(each, Response) for each in members(ending.value.element))


UNANSWERED = {
    "a return without a value": (
        "if library.busy():\n    return\nreturn [self.one(r) for r in requests]"
    ),
    "an exception that is printed": (
        "try:\n    return [self.one(request) for request in requests]\n"
        "except Exception as error:\n    print(error)"
    ),
    "a suppressed exception": (
        "with contextlib.suppress(Exception):\n    return [self.one(r) for r in requests]"
    ),
    "a return in the loop": (
        "responses = []\nfor request in requests:\n"
        "    if library.busy():\n        continue\n"
        "    responses.append(self.one(request))\n    return responses"
    ),
    "two cases of three": (
        "mode = library.mode()\nif mode == 'a':\n    return [self.one(r) for r in requests]\n"
        "elif mode == 'b':\n    return [self.one(r) for r in requests]"
    ),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_an_end_without_an_answer_is_seen(name: str, tmp_path: Path) -> None:
    code = f"import contextlib\nimport library\n{execute(UNANSWERED[name], more=ONE)}"
    endings = behaviour_of(code, tmp_path).endings
    assert any(is_none(ending.value) for ending in endings)


FAILS = {
    "a name after its array": 'pb_utils.Tensor(array, "OUT")',
    "a tensor of a list": 'pb_utils.Tensor("OUT", array.tolist())',
    "a tensor of a sum": 'pb_utils.Tensor("OUT", array.sum())',
    "a response of an array": "pb_utils.InferenceResponse(output_tensors=[array])",
    "a response of one tensor": "pb_utils.InferenceResponse(pb_utils.Tensor('OUT', array))",
    "an error of a text": 'pb_utils.InferenceResponse(error="no")',
    "names in a text": (
        "pb_utils.InferenceRequest(model_name='m', requested_output_names='X', inputs=[])"
    ),
    "an input without a list": (
        "pb_utils.InferenceRequest(model_name='m', requested_output_names=['X'], inputs="
        "pb_utils.Tensor('A', array))"
    ),
    "inputs that are arrays": (
        "pb_utils.InferenceRequest(model_name='m', requested_output_names=['X'], inputs=[array])"
    ),
    "all requests": 'pb_utils.get_input_tensor_by_name(requests, "IN").as_numpy()',
    "a name that no input has": 'pb_utils.get_input_tensor_by_name(request, "IM").as_numpy()',
    "a response as an array": (
        "pb_utils.InferenceRequest(model_name='m', requested_output_names=['X'], inputs=[])"
        ".exec().as_numpy()"
    ),
    "an optional input": 'pb_utils.get_input_tensor_by_name(request, "HINT").as_numpy()',
    "an attribute that nothing sets": "self.modle(array)",
    "a helper that fails": "self.helped(array)",
    "a misspelled function": "pb_utils.InferenceRespone(error=None)",
    "arithmetic of a tensor": f"{READ} * 2",
    "the length of a tensor": f"len({READ})",
}
HELPED = "def helped(self, array):\n    return pb_utils.Tensor(array, 'OUT')\n"


@pytest.mark.parametrize("name", FAILS)
def test_a_call_that_cannot_work_is_one_problem(name: str, tmp_path: Path) -> None:
    body = f"for request in requests:\n    array = {ARRAY}\n    made = {FAILS[name]}\n"
    body += "return [library.answer(made) for _ in requests]"
    behaviour = behaviour_of(f"import library\n{execute(body, more=HELPED)}", tmp_path)
    assert len(behaviour.problems) == 1


HOLDS = {
    "a test for None": "hint = READ_HINT\nif hint is not None:\n    hint.as_numpy()",
    "a test the other way": "hint = READ_HINT\nif hint is None:\n    continue\nhint.as_numpy()",
    "a test of its truth": "hint = READ_HINT\ntext = hint.as_numpy() if hint else None",
    "a test in a helper": "hint = READ_HINT\nif self.has(hint):\n    hint.as_numpy()",
    "a test of several": (
        "hint = READ_HINT\nif any(x is None for x in (hint,)):\n    continue\nhint.as_numpy()"
    ),
    "a walrus": "if (hint := READ_HINT) is not None:\n    hint.as_numpy()",
    "an assertion": "hint = READ_HINT\nassert hint is not None\nhint.as_numpy()",
    "an exception that is expected": (
        "try:\n    READ_HINT.as_numpy()\nexcept AttributeError:\n    pass"
    ),
    "the names that a request has": (
        "names = [tensor.name() for tensor in request.inputs()]\n"
        "if 'HINT' in names:\n    READ_HINT.as_numpy()"
    ),
    "a type that is asked for": (
        "made = array\nif isinstance(made, pb_utils.TritonError):\n"
        "    pb_utils.InferenceResponse(error=made)"
    ),
    "a type that is compared": (
        "made = [1]\nif type(made) is not list:\n    pb_utils.Tensor('OUT', made)"
    ),
    "a setting of another module": (
        "if library.SIMPLE:\n    pb_utils.Tensor('OUT', array)\n"
        "if library.SHAPE is None:\n    array"
    ),
    "a property that can be set": "pb_utils.Tensor('OUT', self.limit)",
    "a default of the class": "pb_utils.Tensor('OUT', self.kept)",
    "what another module sets": "pb_utils.Tensor('OUT', helper.LOADED)",
    "an attribute with a default": "getattr(self, 'cache', None)",
    "an attribute that is set elsewhere": "self.later",
    "an attribute of a text that is asked for": "hasattr(self, 'cache') and self.cache",
    "another library's tensor": "pb_utils.Tensor.from_dlpack('OUT', library.tensor())",
    "an unknown array": "pb_utils.Tensor('OUT', library.array())",
    "a name from elsewhere": "pb_utils.Tensor(library.NAME, array)",
}
HAS = """\
kept = None

def initialize(self, args):
    helper.LOADED = library.load()
    TritonPythonModel.kept = library.load()

def has(self, hint):
    return hint is not None

def finalize(self):
    self.later = 1

@property
def limit(self):
    return 4

@limit.setter
def limit(self, value):
    pass
"""


@pytest.mark.parametrize("name", HOLDS)
def test_what_may_work_is_no_problem(name: str, tmp_path: Path) -> None:
    hint = 'pb_utils.get_input_tensor_by_name(request, "HINT")'
    lines = f"array = {ARRAY}\n{HOLDS[name].replace('READ_HINT', hint)}"
    inner = "".join(f"    {line}\n" for line in lines.splitlines())
    body = f"for request in requests:\n{inner}return [library.answer(r) for r in requests]"
    code = f"import helper\nimport library\n{execute(body, more=HAS)}"
    behaviour = behaviour_of(code, tmp_path, files={"helper.py": "LOADED = None\n"})
    assert [problem.what for problem in behaviour.problems] == []


@pytest.mark.parametrize("package", ["packaging", "click", "pytest", "_pytest", "numpy"])
def test_any_code_is_interpreted_in_bounded_time(package: str, tmp_path: Path) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    sample = sorted(Path(spec.origin).parent.glob("*.py"))[:12]
    model = python_model(answer(), tmp_path)
    for path in sample:
        file = parse_python(path)
        assert file.tree is not None
        code = analyse(file)
        alone = PythonModel(model.config, model.message, (file,), (file,), (code,), True)
        interpreter = Interpreter(alone, code, TritonConfig(model.message, alone, ()), None)
        interpreter.interpret_all()
        assert interpreter.steps <= STEPS + 1
