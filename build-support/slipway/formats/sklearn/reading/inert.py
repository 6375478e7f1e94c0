"""Read a pickle without running it: every class and function it names becomes an inert stand-in.

A pickle of joblib has the bytes of arrays between its opcodes, where scanners that read opcodes
stop. This reader knows them (``joblib.numpy_pickle.NumpyArrayWrapper``), so no name is missed.
Unlike the standard library's, nothing that it meets is called.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

ARRAYS = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
}


class Stub:
    """Stands for whatever the pickle makes; keeps what it was made from."""

    named = ("", "")

    def __init__(self, *arguments: Any, **_: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __new__(cls, *_: Any, **__: Any) -> Stub:
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __call__(self, *arguments: Any, **_: Any) -> Stub:
        return Stub(*arguments)

    def append(self, _: Any) -> None:
        """Take an item of a list that is not one."""

    def extend(self, _: Any) -> None:
        """Take items of a list that is not one."""

    def add(self, _: Any) -> None:
        """Take an item of a set that is not one."""

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def __hash__(self) -> int:
        return id(self)


# the standard library's unpickler in Python, whose parts its stubs do not list
_Base: Any = pickle._Unpickler


class _Reader(_Base):  # type: ignore[misc]
    dispatch: ClassVar[dict[int, Callable[..., None]]] = dict(_Base.dispatch)

    def __init__(self, stream: IO[bytes], names: set[str]) -> None:
        super().__init__(stream)
        self.stream = stream
        self.names = names

    def find_class(self, module: str, name: str) -> Any:
        # a dotted name reaches what a module imports: never a class of its own
        self.names.add(f"{module}:{name}" if "." in name else f"{module}.{name}")
        return type("Stub", (Stub,), {"named": (module, name)})

    def persistent_load(self, pid: Any) -> Any:
        return Stub(pid)

    def get_extension(self, code: int) -> None:
        self.names.add(f"copyreg.extension_{code}")
        self.append(Stub)

    def load_build(self) -> None:
        _Base.load_build(self)
        built = self.stack[-1]
        if isinstance(built, Stub) and built.named in ARRAYS:
            state = built.state if isinstance(built.state, dict) else {}
            self._skip_array(state)

    dispatch[pickle.BUILD[0]] = load_build

    def _skip_array(self, state: dict[str, Any]) -> None:
        """Skip the bytes of an array, or read the pickle that an array of objects is."""
        kind, size = _item(state.get("dtype"))
        if kind == "O":
            _Reader(self.stream, self.names).load()
            return
        count = 1
        for length in state.get("shape", ()):
            count *= int(length)
        if state.get("numpy_array_alignment_bytes") is not None:
            padding = self.stream.read(1)[0]
            self.stream.seek(padding, 1)
        self.stream.seek(count * size, 1)


def _item(dtype: Any) -> tuple[str, int]:
    """Return the kind and the bytes of one item of a numpy dtype's stand-in.

    Raises:
        pickle.UnpicklingError: it is one whose size numpy would read from more than one place.
    """
    if not isinstance(dtype, Stub) or not dtype.arguments:
        raise pickle.UnpicklingError("an array without a type")
    code = str(dtype.arguments[0])
    kind, size = code[0], int(code[1:])
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    inside = state[4] if len(state) > 4 and isinstance(state[4], dict) else {}
    size *= 4 if kind == "U" else 1
    if any(_item(field[0])[0] == "O" for field in inside.values()):
        raise pickle.UnpicklingError("an array of records that hold objects")
    if len(state) > 5 and (state[2] is not None or state[5] not in (-1, size)):
        raise pickle.UnpicklingError(f"an array whose type {code!r} has a size of its own")
    return kind, size


def names_in_pickle(path: Path) -> frozenset[str]:
    """Return every class and function that loading the unpacked pickle at ``path`` would use.

    Raises:
        pickle.UnpicklingError: the file cannot be followed to its end.
    """
    names: set[str] = set()
    try:
        with path.open("rb") as stream:
            _Reader(stream, names).load()
            if stream.read(1):
                raise pickle.UnpicklingError("bytes after the end of the pickle")
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # whatever a malformed file provokes in the reader
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from error
    return frozenset(names)
