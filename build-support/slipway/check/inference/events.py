"""What an interpretation finds out: how ``execute`` ends, which tensors it makes, what fails."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from slipway.check.inference.values import Value
from slipway.check.python.code import PythonCode

type ProblemKind = Literal[
    "attribute",  # an attribute that the value does not have
    "argument",  # an argument of a type that the function does not take
    "array",  # a tensor of something else than a numpy array
    "missing",  # the use of a tensor that is not there
    "unset",  # an attribute of self that nothing sets
    "no-numpy",  # a type that numpy lacks
    "sender",  # a response that a model that is not decoupled cannot send
]


@dataclass(frozen=True)
class Problem:
    """An expression that fails whenever it is evaluated."""

    kind: ProblemKind
    code: PythonCode
    node: ast.expr
    what: str
    fix: str
    value: Value


@dataclass(frozen=True)
class CreatedTensor:
    """One way in which a call creates a tensor; ``value`` is the expression of its array."""

    code: PythonCode
    call: ast.Call
    name: Value
    name_node: ast.expr | None
    array: Value
    array_node: ast.expr | None


@dataclass(frozen=True)
class CreatedResponse:
    """One way in which a call creates a response; ``names`` are its tensors', if all are known."""

    code: PythonCode
    call: ast.Call
    names: tuple[str, ...] | None
    is_error: bool


@dataclass(frozen=True)
class Ending:
    """One way in which ``execute`` ends: at ``node``, or without a return statement.

    ``certain`` is whether no unknown condition leads there, ``handling`` whether an exception was
    caught on the way. ``in_batch`` is whether it ends at the first of several requests, and
    ``sent`` what the last request's sender has certainly sent, if there is one.
    """

    code: PythonCode
    node: ast.Return | None
    value: Value
    certain: bool
    handling: bool
    in_batch: bool
    sent: str | None


@dataclass
class Behaviour:
    """What an interpretation of a model found; nothing, if it was given up."""

    endings: list[Ending] = field(default_factory=list)
    tensors: list[CreatedTensor] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    responses: list[CreatedResponse] = field(default_factory=list)
    senders: list[tuple[PythonCode, ast.expr]] = field(default_factory=list)
    sends: list[tuple[PythonCode, ast.expr]] = field(default_factory=list)  # without the end
    is_complete: bool = True
    is_given_up: bool = False  # the code is too long

    def with_codes(self, codes: Mapping[PythonCode, PythonCode]) -> Behaviour:
        """Return the behaviour of equal modules elsewhere: each module is replaced by its equal."""
        return Behaviour(
            [replace(ending, code=codes[ending.code]) for ending in self.endings],
            [replace(tensor, code=codes[tensor.code]) for tensor in self.tensors],
            [replace(problem, code=codes[problem.code]) for problem in self.problems],
            [replace(response, code=codes[response.code]) for response in self.responses],
            [(codes[code], node) for code, node in self.senders],
            [(codes[code], node) for code, node in self.sends],
            self.is_complete,
            self.is_given_up,
        )
