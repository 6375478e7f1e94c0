"""The interpreter of a Python model: it loads the model, and calls it with requests."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from slipway.check.inference.events import Behaviour, Ending
from slipway.check.inference.interpreter.attributes import TRANSPARENT, decorators
from slipway.check.inference.interpreter.loops import Loops
from slipway.check.inference.interpreter.machine import SENT, GivenUp, PathEnds
from slipway.check.inference.objects import (
    Class,
    ConfigText,
    DictContent,
    Function,
    Instance,
    OwnModule,
    Reference,
    Request,
)
from slipway.check.inference.state import Frame, Returned, State
from slipway.check.inference.triton_config import TritonConfig
from slipway.check.inference.values import (
    UNKNOWN,
    Arguments,
    Opaque,
    Scalar,
    Sequence,
    Value,
)
from slipway.check.python.code import PythonCode
from slipway.check.python.model import PythonModel

CLASS = "TritonPythonModel"
REQUESTS = Sequence(None, Request(), "list", per_request=True)
# what the stub passes to initialize, in addition to the config (python_be.cc)
TEXTS = """model_instance_kind model_instance_name model_instance_device_id model_repository
model_version model_name""".split()
ARGUMENTS_SITE = -1
CHANGES = {"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "sort"}


class Interpreter(Loops):
    """Interprets the modules of one model."""

    def __init__(
        self, model: PythonModel, entry: PythonCode, config: TritonConfig, numpy_2: bool | None
    ) -> None:
        super().__init__(config)
        self.entry = entry
        self.sources = model.sources
        self.numpy_2 = numpy_2
        self.modules: dict[str, Frame] = {}
        self.active: list[ast.AST] = []
        self.entered: set[ast.AST] = set()
        self._paths = {code.path: code for code in model.sources}
        self._module_names = {
            part for path in self._paths for part in (path.stem, path.parent.name)
        }
        self._folders = (entry.path.parent, model.config.directory)

    def interpret(self) -> Behaviour:
        """Return what the model does; nothing where it is too long or not determined."""
        try:
            self._interpret()
        except GivenUp:
            return Behaviour(is_complete=False, is_given_up=True)
        return self.behaviour

    def interpret_all(self) -> None:
        """Call each function and method of the module, with arguments that are not known."""
        self.frame = Frame(self.entry, State({}, {}, {}))
        with suppress(GivenUp):
            module = self.module(self.entry.path.stem)
            assert isinstance(module, OwnModule)
            for value in list(module.frame.bindings().values()):
                parts = value.namespace.values() if isinstance(value, Class) else (value,)
                for function in (part for part in parts if isinstance(part, Function)):
                    with suppress(PathEnds):
                        self.run(function, None)

    def _interpret(self) -> None:
        self.frame = Frame(self.entry, State({}, {}, {}))
        module = self.module(self.entry.path.stem)
        cls = module.frame.find(CLASS) if isinstance(module, OwnModule) else None
        if not isinstance(cls, Class) or cls.node.decorator_list:
            self.behaviour.is_complete = False
            return
        self.model_class = cls
        instance = Instance(cls)
        contents = self.frame.state.contents
        given: dict[object, Value] = {name: Scalar("str") for name in TEXTS}
        given["model_config"] = ConfigText()
        contents[ARGUMENTS_SITE] = DictContent(given)
        for name, values in (
            ("__init__", ()),
            ("initialize", (Reference(ARGUMENTS_SITE, "dict"),)),
        ):
            self._call_method(instance, name, values)
        self._forget_what_changes()
        for returned in self._call_method(instance, "execute", (REQUESTS,)):
            self._end(returned)
        self._call_method(instance, "finalize", ())

    def _call_method(
        self, instance: Instance, name: str, values: tuple[Value, ...]
    ) -> Iterable[Returned]:
        found = instance.cls.find(name)
        function, owner = found or (UNKNOWN, instance.cls)
        if not isinstance(function, Function):
            return ()
        node = function.node
        if isinstance(node, ast.Lambda):
            return ()
        names = decorators(function.frame.code, node)
        if names - TRANSPARENT:
            return ()
        if node in function.frame.code.generators:
            return (Returned(None, Opaque("generator"), self.state.copy()),)
        receiver = None if "staticmethod" in names else instance
        method = Function(node, function.frame, receiver, owner)
        self.state.certain = True
        with suppress(PathEnds):
            return self.run(method, Arguments(values))
        return ()

    def _end(self, returned: Returned) -> None:
        """Note one way in which ``execute`` ends."""
        current, self.state = self.state, returned.state
        value = self.resolve(returned.value)
        self.state = current
        sent = returned.state.attributes.get(SENT)
        ending = Ending(
            self.entry,
            returned.node,
            value,
            returned.state.certain,
            returned.state.handling,
            returned.in_batch,
            str(sent.value) if isinstance(sent, Scalar) else None,
        )
        self.behaviour.endings.append(ending)

    def _forget_what_changes(self) -> None:
        """Forget what other requests, or functions that others call, may change."""
        attributes = self.state.attributes
        for code in self.sources:
            for name, functions in code.attribute_stores.items():
                if not functions <= self.entered:
                    attributes[name] = UNKNOWN
        changed = {name for code in self.sources for name in _changed(code)}
        for frame in self.modules.values():
            self.expose(v for name, v in frame.state.variables.items() if name in changed)
        self.expose(value for name, value in attributes.items() if name in changed)

    def own_module(self, name: str, level: int) -> PythonCode | None:
        """Return the code of a module of the model; ``None`` if it is none."""
        folders: tuple[Path, ...] = self._folders
        if level:
            parents = (self.frame.code.path.parent, *self.frame.code.path.parents[1:])
            folders = parents[level - 1 : level]
        parts = name.split(".") if name else []
        if parts and not level and parts[0] not in self._module_names:
            return None
        for folder in folders:
            path = folder.joinpath(*parts)
            for candidate in (path.with_suffix(".py"), path / "__init__.py"):
                if candidate in self._paths:
                    return self._paths[candidate]
        return None


def _changed(code: PythonCode) -> Iterable[str]:
    """Yield the names of containers that a module changes in place."""
    for node in code.index.of(ast.Call, ast.Subscript, ast.AugAssign):
        target: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func.value if node.func.attr in CHANGES else None
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            target = node.value
        elif isinstance(node, ast.AugAssign):
            target = node.target
        if isinstance(target, ast.Attribute):
            yield target.attr
        elif isinstance(target, ast.Name):
            yield target.id
