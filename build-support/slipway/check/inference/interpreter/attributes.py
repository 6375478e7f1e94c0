"""Attributes: of Triton's objects, of the model itself, of libraries and modules."""

from __future__ import annotations

import ast
import difflib

from slipway.check.inference import numpy
from slipway.check.inference.interpreter.machine import Machine
from slipway.check.inference.objects import (
    Class,
    External,
    Function,
    Instance,
    Method,
    Missing,
    OwnModule,
    Request,
    Response,
    ResponseSender,
    Super,
    Tensor,
)
from slipway.check.inference.state import Frame
from slipway.check.inference.values import (
    NONE,
    UNKNOWN,
    Arguments,
    Array,
    Value,
)
from slipway.check.python.code import PythonCode

UTILS = "triton_python_backend_utils"
# triton_python_backend_utils.py, and pb_stub.cc (the module c_python_backend_utils)
UTILITIES = frozenset(
    """InferenceRequest InferenceResponse InferenceResponseSender InferenceTrace LogLevel Logger
    MemoryType Metric MetricFamily MetricKind ModelConfig PreferredMemory ResponseIterator Tensor
    TritonError TritonModelException async_event_future_done_callback deserialize_bytes_tensor
    get_input_config_by_name get_input_tensor_by_name get_model_dir get_output_config_by_name
    get_output_tensor_by_name is_model_ready load_model numpy_to_triton_type serialize_byte_tensor
    triton_string_to_numpy triton_to_numpy_type unload_model
    using_decoupled_model_transaction_policy SharedMemory""".split()
)
# pb_stub.cc, the classes of the module c_python_backend_utils
METHODS: dict[type[Value], tuple[str, frozenset[str]]] = {
    Request: (
        "an InferenceRequest",
        frozenset("""inputs request_id correlation_id flags set_flags timeout parameters trace exec
            async_exec requested_output_names get_response_sender is_cancelled set_release_flags
            model_name model_version preferred_memory""".split()),
    ),
    Tensor: (
        "a Tensor",
        frozenset("""name as_numpy triton_dtype to_dlpack is_cpu shape from_dlpack __dlpack__
            __dlpack_device__""".split()),
    ),
    Response: (
        "an InferenceResponse",
        frozenset("output_tensors has_error error parameters".split()),
    ),
    ResponseSender: (
        "an InferenceResponseSender",
        frozenset("send is_cancelled".split()),
    ),
}

SETTERS = ("setattr", "vars", "exec", "eval")
# decorators that leave what a function takes and returns as it is
TRANSPARENT = {
    "staticmethod",
    "classmethod",
    "property",
    "functools.cached_property",
    "functools.lru_cache",
    "functools.cache",
    "torch.no_grad",
    "torch.inference_mode",
    "typing.override",
    "typing.final",
    "nvtx.annotate",
}


class Attributes(Machine):
    """Reads attributes."""

    def attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        """Return an attribute of a value that is no union."""
        kind = type(value)
        if kind in METHODS:
            return self._triton_attribute(value, name, node)
        if isinstance(value, Missing):
            return self.fail("missing", node, name, "", value)
        if isinstance(value, External):
            if value.name == UTILS and name not in UTILITIES:
                self._check_utility(name, node)
            return external(f"{value.name}.{name}")
        if isinstance(value, Instance):
            return self._instance_attribute(value, name, node)
        if isinstance(value, Array):
            return numpy.attribute(value, name)
        if isinstance(value, Class):
            found = value.find(name)
            return UNKNOWN if found is None else self._bound(found[0], value, found[1], node)
        if isinstance(value, Super):
            for base in value.cls.bases:
                found = base.find(name) if isinstance(base, Class) else None
                if found is not None:
                    return self._bound(found[0], value.receiver, found[1], node)
            return UNKNOWN
        if isinstance(value, OwnModule):
            return UNKNOWN if self._is_stored(name) else value.frame.find(name) or UNKNOWN
        if isinstance(value, Method) and type(value.receiver) in METHODS:
            return self._attribute_of_method(value, name, node)
        return UNKNOWN

    def _check_utility(self, name: str, node: ast.expr) -> None:
        """Report a name that Triton's utilities do not have, if it is like one that they have."""
        close = difflib.get_close_matches(name, UTILITIES, n=1, cutoff=0.8)
        if close and not name.startswith("TRITON"):
            what = f"pb_utils has no {name!r}"
            self.fail("attribute", node, what, f"did you mean pb_utils.{close[0]}?", NONE)

    def _triton_attribute(self, value: Value, name: str, node: ast.expr) -> Value:
        title, names = METHODS[type(value)]
        if name in names or name.startswith("__"):
            return Method(value, name)
        if name == "as_numpy" and isinstance(value, Request | Response):
            reads = (
                "get_input_tensor_by_name(request"
                if isinstance(value, Request)
                else ("get_output_tensor_by_name(response")
            )
            fix = f'pb_utils.{reads}, "…").as_numpy()'
        else:
            close = difflib.get_close_matches(name, names, n=1)
            fix = f"did you mean .{close[0]}()?" if close else f"it has: {', '.join(sorted(names))}"
        return self.fail("attribute", node, f"{title} has no attribute {name!r}", fix, value)

    def _attribute_of_method(self, method: Method, name: str, node: ast.expr) -> Value:
        if name.startswith("__"):
            return UNKNOWN
        what = f"{method.name} is a method: it has no attribute {name!r}"
        return self.fail("attribute", node, what, f"call it: .{method.name}().{name}", method)

    def _instance_attribute(self, instance: Instance, name: str, node: ast.expr) -> Value:
        if self.is_model(instance):
            value = self.state.attributes.get(name)
            if value is not None:
                return value
        found = instance.cls.find(name)
        if found is not None:
            is_changed = self._is_stored(name)
            return UNKNOWN if is_changed else self._bound(found[0], instance, found[1], node)
        if self.is_model(instance) and self.is_never_set(instance.cls, name):
            close = difflib.get_close_matches(name, self.attribute_names(instance.cls), n=1)
            fix = f"did you mean self.{close[0]}?" if close else f"set self.{name} in initialize"
            return self.fail("unset", node, f"nothing sets self.{name}", fix, instance)
        return UNKNOWN

    def _bound(self, value: Value, receiver: Value, owner: Class, node: ast.expr) -> Value:
        """Return what a class binds to a name, as it is read from an object or the class."""
        if not isinstance(value, Function) or isinstance(value.node, ast.Lambda):
            return value
        names = decorators(value.frame.code, value.node)
        if names - TRANSPARENT:
            return UNKNOWN  # such as a property that can be set
        if "staticmethod" in names:
            return Function(value.node, value.frame, None, owner)
        if "classmethod" in names:
            cls = receiver.cls if isinstance(receiver, Instance) else receiver
            return Function(value.node, value.frame, cls, owner)
        if not isinstance(receiver, Instance):
            return Function(value.node, value.frame, None, owner)
        method = Function(value.node, value.frame, receiver, owner)
        if names & {"property", "functools.cached_property"}:
            return self.call(method, Arguments(), node)
        return method

    def is_model(self, instance: Instance) -> bool:
        """Return whether this is the object that Triton created."""
        return instance.cls is self.model_class

    model_class: Class | None = None
    modules: dict[str, Frame]

    def attribute_names(self, cls: Class) -> set[str]:
        """Return the names of the attributes that the model's modules set, and its methods."""
        names = set(cls.namespace)
        for code in self.sources:
            names |= set(code.attribute_stores)
        return names

    sources: tuple[PythonCode, ...] = ()

    def is_never_set(self, cls: Class, name: str) -> bool:
        """Return whether no code can set this attribute of the model."""
        if not cls.is_known or cls.node.decorator_list or name.startswith("__"):
            return False
        if any(is_dynamic(code, name) for code in self.sources):
            return False
        return not self._is_stored(name)

    def _is_stored(self, name: str) -> bool:
        """Return whether the model's code sets an attribute of this name, of whatever object."""
        return any(name in code.attribute_stores for code in self.sources)


def external(name: str) -> Value:
    """Return something of a library by its full name; numpy's types and constants as such."""
    if name.startswith("numpy."):
        value = numpy.module_attribute(name.removeprefix("numpy."))
        if value is not UNKNOWN:
            return value
    return External(name)


def decorators(code: PythonCode, node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the full names of a function's decorators, also of those that are called."""
    return {
        code.origin(decorator.func if isinstance(decorator, ast.Call) else decorator)
        for decorator in node.decorator_list
    }


def is_dynamic(code: PythonCode, name: str) -> bool:
    """Return whether a module may set an attribute of this name in a way that is not followed."""
    index = code.index
    if any(used in index.names for used in SETTERS) or any(
        used in index.attributes for used in ("__dict__", "__setattr__", "__class__")
    ):
        return True
    if "__getattr__" in index.functions or "__getattribute__" in index.functions:
        return True
    parents = (index.parents.get(node) for node in index.names.get("self", ()))
    handed_on = (not isinstance(parent, ast.Attribute) for parent in parents)
    return any(handed_on) or any(node.value == name for node in index.of(ast.Constant))
