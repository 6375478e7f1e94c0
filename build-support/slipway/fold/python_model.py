"""Load the code of a Python model into this process, and ask it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from google.protobuf import json_format

from slipway.errors import SlipwayError
from slipway.fold import python_utils
from slipway.fold.place import Unfoldable, located
from slipway.fold.symbol import Symbol
from slipway.triton.config import FILE_NAME, ModelConfig, load_config

FILE = "model.py"
CONVERSIONS = ("asarray", "array", "ascontiguousarray", "asanyarray", "atleast_1d")


class PythonModel:
    """The model in ``folder``, of the version ``version``; its code runs in this process."""

    def __init__(self, folder: Path, version: str = "1") -> None:
        """Read the config.

        Raises:
            SlipwayError: there is no ``model.py``.
        """
        self.folder = folder.resolve()
        self.version = self.folder / version
        self.config: ModelConfig = load_config(folder / FILE_NAME)
        if not (self.version / FILE).is_file():
            raise SlipwayError(
                "no code to fold", where=str(self.version / FILE), fix="add the model's code"
            )

    @contextlib.contextmanager
    def loaded(self) -> Iterator[Any]:
        """Yield an instance after ``initialize``.

        Raises:
            SlipwayError: its code fails; names file and line.
        """
        before = dict(sys.modules)
        sys.modules[python_utils.NAME] = python_utils.make_module()
        sys.path.insert(0, str(self.version))
        bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            try:
                yield self._instance()
            except (SlipwayError, KeyboardInterrupt):
                raise
            except ImportError as error:
                raise SlipwayError(
                    f"its code cannot be imported here: {error}",
                    where=str(self.version / FILE),
                    fix="a model is folded with numpy and the standard library alone: leave this"
                    " one as it is, or write it with numpy",
                ) from error
            except Exception as error:
                found = located(error, self.version)
                if found is error:
                    raise
                raise found from error
        finally:
            sys.dont_write_bytecode = bytecode
            sys.path.remove(str(self.version))
            for name in set(sys.modules) - set(before):
                if self._is_own(sys.modules[name]):
                    del sys.modules[name]
            sys.modules.pop(python_utils.NAME, None)
            if python_utils.NAME in before:
                sys.modules[python_utils.NAME] = before[python_utils.NAME]

    def ask(self, instance: Any, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Return what ``execute`` answers to one request."""
        return python_utils.arrays_of(instance.execute([python_utils.Request(tensors)]))

    def wrap_tables(self, instance: Any, wrap: Callable[[Any], Symbol]) -> None:
        """Put symbols in the place of the arrays that the code indexes, and numpy's conversions.

        numpy has no protocol for ``TABLE[symbol]``, nor for ``np.asarray(symbol)``.
        """
        modules = [module for module in list(sys.modules.values()) if self._is_own(module)]
        for holder in [*modules, instance]:
            for name, value in list(vars(holder).items()):
                if isinstance(value, np.ndarray):
                    setattr(holder, name, wrap(value))
                elif value is np:
                    setattr(holder, name, _Numpy("numpy"))
        for name, value in list(vars(type(instance)).items()):
            if isinstance(value, np.ndarray):
                setattr(instance, name, wrap(value))

    def _instance(self) -> Any:
        path = self.version / FILE
        name = f"{self.folder.name}_folded"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        instance = module.TritonPythonModel()
        if hasattr(instance, "initialize"):
            instance.initialize(self._arguments())
        return instance

    def _arguments(self) -> dict[str, str]:
        values = json_format.MessageToDict(self.config, preserving_proto_field_name=True)
        return {
            "model_config": json.dumps(values),
            "model_name": self.folder.name,
            "model_version": self.version.name,
            "model_repository": str(self.folder),
            "model_instance_kind": "CPU",
            "model_instance_name": f"{self.folder.name}_0_0",
            "model_instance_device_id": "0",
        }

    def _is_own(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        return file is not None and Path(file).is_relative_to(self.version)


class _Numpy(ModuleType):
    """numpy, whose conversions leave a symbol what it is."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        return _conversion(value) if name in CONVERSIONS else value


def _conversion(function: Any) -> Any:
    def convert(value: Any, dtype: Any = None, *args: Any, **keywords: Any) -> Any:
        if isinstance(value, Symbol):
            return value if dtype is None else value.astype(dtype)
        if isinstance(value, list | tuple) and any(isinstance(each, Symbol) for each in value):
            raise Unfoldable("an array that is made of a list of tensors", "np.stack([…], axis=1)")
        return function(value, *(() if dtype is None else (dtype,)), *args, **keywords)

    return convert
