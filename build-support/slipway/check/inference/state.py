"""The state of an interpretation: variables, attributes of the model, contents of containers."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from slipway.check.inference.objects import (
    Class,
    Content,
    DictContent,
    ListContent,
    Scope,
    join_contents,
)
from slipway.check.inference.values import UNKNOWN, Sequence, Value, join
from slipway.check.python.code import PythonCode


class State:
    """What holds at one point of the code.

    ``certain`` is whether each call that gets here has passed no condition whose outcome the code
    does not determine. ``handling`` is whether an exception was caught on the way.
    """

    __slots__ = ("attributes", "certain", "contents", "handling", "variables")

    def __init__(
        self,
        variables: dict[str, Value],
        attributes: dict[str, Value],
        contents: dict[int, Content],
        certain: bool = True,
        handling: bool = False,
    ) -> None:
        self.variables = variables
        self.attributes = attributes
        self.contents = contents
        self.certain = certain
        self.handling = handling

    def copy(self) -> State:
        """Return a state that changes on its own."""
        return State(
            self.variables.copy(),
            self.attributes.copy(),
            self.contents.copy(),
            self.certain,
            self.handling,
        )

    def is_same(self, other: State) -> bool:
        """Return whether both states hold the same."""
        return (
            self.variables == other.variables
            and self.attributes == other.attributes
            and self.contents == other.contents
        )


def join_states(left: State, right: State) -> State:
    """Return what holds after either; a variable that only one binds keeps that value."""
    return State(
        _join_values(left.variables, right.variables),
        _join_values(left.attributes, right.attributes),
        _join_contents(left.contents, right.contents),
        left.certain and right.certain,
        left.handling or right.handling,
    )


def widen(before: State, after: State) -> None:
    """Make unknown in ``after`` what still changes."""
    for old, new in (
        (before.variables, after.variables),
        (before.attributes, after.attributes),
    ):
        for name, value in new.items():
            if old.get(name) != value:
                new[name] = UNKNOWN
    for site, content in after.contents.items():
        if before.contents.get(site) != content:
            after.contents[site] = forget(content)


def forget(content: Content) -> Content:
    """Return the content of which nothing is known."""
    if isinstance(content, ListContent):
        return ListContent(Sequence(), summary=True)
    return DictContent({}, UNKNOWN, summary=True)


def _join_values(left: dict[str, Value], right: dict[str, Value]) -> dict[str, Value]:
    if left is right:
        return left
    joined = left.copy()
    for name, value in right.items():
        other = joined.get(name)
        if other is None:
            joined[name] = value
        elif other is not value:
            joined[name] = join((other, value))
    return joined


def _join_contents(left: dict[int, Content], right: dict[int, Content]) -> dict[int, Content]:
    if left is right:
        return left
    joined = left.copy()
    for site, content in right.items():
        other = joined.get(site)
        if other is None:
            joined[site] = content
        elif other is not content:
            joined[site] = join_contents(other, content)
    return joined


@dataclass(eq=False)
class Loop:
    """The states in which a loop is left, or goes on to the next item."""

    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)


@dataclass(eq=False)
class Returned:
    """One way in which a function ends: at ``node``, or ``None`` at its end.

    ``in_batch`` is whether that is in a loop over the requests.
    """

    node: ast.Return | None
    value: Value
    state: State
    in_batch: bool = False


@dataclass(eq=False)
class Frame(Scope):
    """One activation of a function, a class body or a module."""

    code: PythonCode
    state: State
    outer: Scope | None = None
    node: ast.AST | None = None
    owner: Class | None = None
    receiver: Value | None = None
    returns: list[Returned] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    caught: list[State] = field(default_factory=list)
    raises: bool = False
    batches: list[ast.AST] = field(default_factory=list)

    def bindings(self) -> dict[str, Value]:
        """Return what the names are bound to that are bound here."""
        return self.state.variables
