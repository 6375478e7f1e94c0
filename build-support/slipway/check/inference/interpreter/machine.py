"""What all parts of the interpreter share: its frame, its limits and its findings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from slipway.check.inference.events import Behaviour, Problem, ProblemKind
from slipway.check.inference.objects import (
    Coroutine,
    DictContent,
    Iterated,
    ListContent,
    Missing,
    Reference,
    ResponseSender,
    sequence_of,
)
from slipway.check.inference.state import Frame, State, forget, join_states
from slipway.check.inference.values import (
    UNKNOWN,
    Arguments,
    Opaque,
    Sequence,
    Union,
    Value,
    join,
    members,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slipway.check.inference.triton_config import TritonConfig

STEPS = 12_000  # expressions and statements; then the interpretation is given up
DEPTH = 8  # functions that call functions
NESTING = 5  # lists in lists
SENT = "<sent>"  # the attribute of the model that says what its sender has sent
LONGEST = 16  # items of a list that are known one by one


class PathEnds(Exception):  # no error: control flow of the interpreter
    """Raised where the interpreted code certainly raises an exception."""


class GivenUp(Exception):
    """Raised where the code is too long to interpret."""


class Machine:
    """The interpreter's frame, limits and findings."""

    def __init__(self, config: TritonConfig) -> None:
        self.config = config
        self.behaviour = Behaviour()
        self.frame: Frame
        self.steps = 0
        self.depth = 0
        self.loop_depth = 0  # loops in loops, also of functions that are called there
        self.quiet = 0  # try statements that expect what fails
        self._seen: set[object] = set()

    @property
    def state(self) -> State:
        """Return the state at this point of the code."""
        return self.frame.state

    @state.setter
    def state(self, state: State) -> None:
        self.frame.state = state

    def evaluate(self, node: ast.expr) -> Value:
        """Return the value of an expression.

        Raises:
            PathEnds: it fails.
        """
        raise NotImplementedError

    def call(self, function: Value, arguments: Arguments | None, node: ast.AST) -> Value:
        """Return what a call returns; without ``arguments`` they are not known."""
        raise NotImplementedError

    def block(self, statements: Iterable[ast.stmt]) -> bool:
        """Execute statements; return whether the code goes on after them."""
        raise NotImplementedError

    def step(self) -> None:
        """Count one expression or statement."""
        self.steps += 1
        if self.steps > STEPS:
            raise GivenUp

    def fail(self, kind: ProblemKind, node: ast.AST, what: str, fix: str, value: Value) -> NoReturn:
        """Note that an expression fails, and end the path."""
        self.note(kind, node, what, fix, value)
        raise PathEnds

    def note(self, kind: ProblemKind, node: ast.AST, what: str, fix: str, value: Value) -> None:
        """Note that an expression fails, for some requests or for all."""
        assert isinstance(node, ast.expr)
        key = (id(node), kind)
        if not self.quiet and key not in self._seen:
            self._seen.add(key)
            problem = Problem(kind, self.frame.code, node, what, fix, value)
            self.behaviour.problems.append(problem)

    def note_missing(self, value: Value, node: ast.expr) -> None:
        """Note the use of an optional tensor that each request gets to, and some do not have."""
        for member in value.members if isinstance(value, Union) else ():
            is_reached = isinstance(member, Missing) and member.optional and member.certain
            if is_reached and self.state.certain:
                self.note("missing", node, "", "", member)

    def each(self, value: Value, function: Callable[[Value], Value]) -> Value:
        """Return the join of a function over what ``value`` may be, without those that fail."""
        if not isinstance(value, Union):
            return function(value)
        results = []
        before = self.quiet
        self.quiet += 1  # the others do not fail
        try:
            for member in value.members:
                try:
                    results.append(function(member))
                except PathEnds:
                    continue
        finally:
            self.quiet = before
        if not results:
            return function(value.members[0])
        return join(results)

    def fork(self, branches: Items[Callable[[], Value]]) -> Value:
        """Return the join of branches that each start in this state; they join afterwards."""
        before = self.state
        ends: list[State] = []
        values: list[Value] = []
        for branch in branches:
            self.state = before.copy()
            self.state.certain = False
            try:
                values.append(branch())
                ends.append(self.state)
            except PathEnds:
                continue
        self.state = before
        if not ends:
            raise PathEnds
        self.merge(ends, certain=before.certain and len(ends) == len(branches))
        return join(values)

    def merge(self, states: Items[State], *, certain: bool) -> None:
        """Go on in the join of states."""
        joined = states[0]
        for state in states[1:]:
            joined = join_states(joined, state)
        joined.certain = certain
        self.state = joined

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Report nothing for a while."""
        self.quiet += 1
        try:
            yield
        finally:
            self.quiet -= 1

    # containers

    def new_list(self, sequence: Sequence, node: ast.AST) -> Reference:
        """Return a new list that ``node`` makes."""
        site = id(node)
        if sequence.items is not None and len(sequence.items) > LONGEST:
            sequence = Sequence(None, sequence.element, "list", sequence.per_request)
        old = self.state.contents.get(site)
        if isinstance(old, ListContent):
            joined = join((old.sequence, sequence))
            assert isinstance(joined, Sequence)
            self.state.contents[site] = ListContent(joined, summary=True)
        else:
            self.state.contents[site] = ListContent(sequence)
        return Reference(site, "list")

    def new_dict(self, content: DictContent, node: ast.AST) -> Reference:
        """Return a new dict that ``node`` makes."""
        site = id(node)
        summary = site in self.state.contents
        self.state.contents[site] = forget(content) if summary else content
        return Reference(site, "dict")

    def content(self, value: Value) -> Sequence | None:
        """Return a list or a tuple with its elements; ``None`` for other values."""
        if isinstance(value, Sequence):
            return value
        if isinstance(value, Reference):
            content = self.state.contents.get(value.site)
            return content.sequence if isinstance(content, ListContent) else None
        return value.sequence if isinstance(value, Iterated) else None

    def resolve(self, value: Value, depth: int = NESTING) -> Value:
        """Return a value without references, for numpy's rules and for the findings."""
        if isinstance(value, Union):
            return join(self.resolve(member, depth) for member in value.members)
        if isinstance(value, Reference) and value.kind == "dict":
            return Opaque("dict")
        if isinstance(value, Iterated):
            return Opaque(value.type_name)
        if isinstance(value, Coroutine):
            return Opaque("coroutine")
        if not isinstance(value, (Reference, Sequence)):
            return value
        sequence = self.content(value)
        if sequence is None or not depth:
            return UNKNOWN
        if sequence.items is None:
            element = self.resolve(sequence.element, depth - 1)
            if element is sequence.element:
                return sequence
            return Sequence(None, element, sequence.kind, sequence.per_request)
        return sequence_of(
            tuple(self.resolve(item, depth - 1) for item in sequence.items), sequence.kind
        )

    def expose(self, values: Iterable[Value], depth: int = NESTING) -> None:
        """Forget what containers hold that code which is not interpreted may change."""
        for value in values:
            for member in members(value):
                if isinstance(member, Reference):
                    content = self.state.contents.get(member.site)
                    if content is None or content == forget(content) or not depth:
                        continue
                    self.state.contents[member.site] = forget(content)
                    if isinstance(content, DictContent):
                        self.expose(content.items.values(), depth - 1)
                    else:
                        self.expose_sequence(content.sequence, depth)
                elif isinstance(member, Sequence):
                    self.expose_sequence(member, depth)
                elif isinstance(member, ResponseSender):
                    self.state.attributes[SENT] = UNKNOWN

    def hand_on(self, arguments: Arguments) -> None:
        """Note that other code may use a response sender that it is passed."""
        if SENT not in self.state.attributes:
            return
        for value in (*arguments.positional, *arguments.keywords.values()):
            if isinstance(value, ResponseSender):
                self.state.attributes[SENT] = UNKNOWN

    def expose_sequence(self, sequence: Sequence, depth: int) -> None:
        """Forget what the lists hold that are in a list or a tuple."""
        if depth:
            items = (sequence.element,) if sequence.items is None else sequence.items
            self.expose(items, depth - 1)
