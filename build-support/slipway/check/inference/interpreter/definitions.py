"""Definitions: functions, classes and imports."""

from __future__ import annotations

import ast
from typing import Any

from slipway.check.inference.interpreter.assignments import Assignments
from slipway.check.inference.interpreter.attributes import UTILS
from slipway.check.inference.objects import (
    Class,
    External,
    Function,
    OwnModule,
)
from slipway.check.inference.state import Frame, State
from slipway.check.inference.values import (
    UNKNOWN,
    Value,
)


class Definitions(Assignments):
    """Executes definitions."""

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Define a function."""
        self.state.variables[node.name] = Function(node, self.frame)

    def class_(self, node: ast.ClassDef) -> None:
        """Define a class."""
        bases = tuple(self.evaluate(base) for base in node.bases)
        caller = self.frame
        state = State({}, caller.state.attributes, caller.state.contents, True)
        frame = Frame(caller.code, state, caller, node)
        self.frame = frame
        try:
            self.block(node.body)
        finally:
            self.frame = caller
        self.state.variables[node.name] = Class(node, caller, bases, frame.state.variables)

    def imported(self, node: ast.Import) -> None:
        """Bind modules."""
        for alias in node.names:
            if alias.asname:
                self.state.variables[alias.asname] = self.module(alias.name)
            else:
                top = alias.name.partition(".")[0]
                self.state.variables[top] = self.module(top)

    def imported_from(self, node: ast.ImportFrom) -> None:
        """Bind names of a module."""
        own = self.module(node.module or "", node.level)
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                if isinstance(own, OwnModule):
                    self.state.variables.update(own.frame.bindings())
                continue
            value = self.attribute(own, alias.name, ast.Name(alias.name))
            if value is UNKNOWN:
                value = self.module(f"{node.module or ''}.{alias.name}".lstrip("."), node.level)
                value = value if isinstance(value, OwnModule) else UNKNOWN
            self.state.variables[name] = value

    def module(self, name: str, level: int = 0) -> Value:
        """Return a module by its dotted name after ``level`` dots."""
        code = None if name == UTILS else self.own_module(name, level)
        if code is None:
            return UNKNOWN if level else External(name)
        frame = self.modules.get(str(code.path))
        if frame is None:
            frame = Frame(code, State({}, {}, self.state.contents))
            self.modules[str(code.path)] = frame
            caller, self.frame = self.frame, frame
            try:
                self.block(code.tree.body)
            finally:
                self.frame = caller
            caller.state.contents = frame.state.contents
        return OwnModule(frame)

    def own_module(self, name: str, level: int) -> Any:
        """Return the code of a module of the model; ``None`` if it is none."""
        raise NotImplementedError
