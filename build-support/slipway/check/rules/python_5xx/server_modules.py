"""SW57x: files that the Python backend imports in place of its own, or of the model's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.python.code import UTILS
from slipway.check.python.imports import required_imports
from slipway.check.python.known_modules import locked_packages
from slipway.check.python.model import PythonModel, python_models
from slipway.check.python_file import PythonFile
from slipway.check.rule import rule

# sys.path ends with the version directory, the model directory and the backend's, in this order:
# before them are the standard library and the environment, which no file of the model can hide
STUB = "Triton's Python backend, pb_stub.cc (StubSetup), and seen on 24.10"
# what StubSetup reads of the utilities; the classes it sets itself (r23.03 to r26.07)
READ_BY_STUB = ("deserialize_bytes_tensor", "serialize_byte_tensor")
# distributions that contain a module of that name, in front of the model's folders
COPIES = {"triton-python-backend-mock-utils"}
REMOVE = "remove it: the server has its own, of its own release"


@rule(
    "SW571",
    "utilities-incomplete",
    reason=f"the load or each request fails: “module '{UTILS}' has no attribute”",
    source=STUB,
)
def utilities_incomplete(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find stand-ins for the utilities that lack what the server reads, or that it does not
    complete."""
    for file in _utilities(model):
        missing = _missing(file)
        if missing:
            yield RuleHit(
                Location(file.path, 1, 1),
                f"it is imported instead of the server's own {UTILS}, and has no"
                f" {' and no '.join(missing)}",
                REMOVE,
            )
    for python_model in python_models(model):
        for statement in required_imports(python_model.sources):
            if statement.level and statement.name.split(".")[0] == UTILS:
                yield RuleHit(
                    statement.code.location(statement.node),
                    f"a relative import takes the model's own {UTILS}, to which the server adds no"
                    " Tensor, InferenceRequest or InferenceResponse",
                    f"import {UTILS} as pb_utils, and remove the file",
                )


@rule(
    "SW572",
    "utilities-copied",
    reason="the server's own file is not used: a copy fits the releases that it was made for, and"
    " the local server's support of numpy 2 is in the file that it hides",
    source=STUB,
    severity="warning",
)
def utilities_copied(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find copies of the server's utilities, which are imported instead of its own."""
    for file in _utilities(model):
        if not _missing(file):
            what = f"this copy is imported instead of the server's own {UTILS}"
            yield RuleHit(Location(file.path, 1, 1), what, REMOVE)
    for name in sorted(COPIES & locked_packages(model)) if model.modules else ():
        yield RuleHit(
            Location(model.requirements),
            f"the package {name} contains {UTILS}, which is imported instead of the server's own",
            f"remove {name} from requirements.txt, and install it where the model is developed",
        )


@rule(
    "SW573",
    "model-hidden",
    reason="the server imports another file as the model, or none: the load fails, or another"
    " model answers",
    source=STUB,
)
def model_hidden(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find files that are imported in place of ``model.py``, which the stub imports by the name of
    its version: ``1.model``."""
    for python_model in python_models(model):
        for entry in python_model.entries:
            version = entry.path.parent
            if version not in python_model.config.versions:
                continue
            hiding = _hiding(version, entry.path)
            if hiding is not None:
                shown = entry.path.relative_to(model.folder)
                yield RuleHit(
                    Location(hiding),
                    f"it is found before {shown}, which the server imports by the name"
                    f" {version.name}.{entry.path.stem}",
                    f"rename or move {hiding.relative_to(model.folder)}; if it is the model, let it"
                    f" replace {shown}",
                )


@rule(
    "SW574",
    "model-file-name",
    reason="the load fails: “Model name must end with '.py'”, or ModuleNotFoundError",
    source=STUB,
)
def model_file_name(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find names of Python models that the stub cannot import."""
    seen: set[str] = set()
    for python_model in python_models(model):
        config, name = python_model.config, python_model.message.default_model_filename
        file_name = name.rpartition("/")[2]
        if config.name in seen or not file_name or not python_model.config.versions:
            continue
        seen.add(config.name)
        stem = file_name.removesuffix(".py")
        if stem != file_name and "." not in stem:
            continue
        better = f"{stem.replace('.', '_')}.py"
        yield RuleHit(
            config.value_location("default_model_filename"),
            f"{file_name!r} is no name of a Python module",
            f'rename the file, and default_model_filename: "{better}"',
        )


def _utilities(model: ModelUnderCheck) -> Iterator[PythonFile]:
    """Yield the files that the stub of a model imports as the server's utilities."""
    seen: set[Path] = set()
    for python_model in python_models(model):
        file = _first(python_model, model)
        if file is not None and file.path not in seen:
            seen.add(file.path)
            yield file


def _first(python_model: PythonModel, model: ModelUnderCheck) -> PythonFile | None:
    files = {
        file.path: file
        for file in model.modules[python_model.config.name]
        if UTILS in str(file.path)
    }
    for entry in python_model.entries if files else ():
        for folder in (entry.path.parent, python_model.config.directory):
            # a package comes before a module of the same folder
            for path in (folder / UTILS / "__init__.py", folder / f"{UTILS}.py"):
                if path in files:
                    return files[path]
    return None


def _missing(file: PythonFile) -> list[str]:
    """Return the names that the stub reads and the module surely lacks."""
    if file.tree is None:
        return []  # what does not parse is found by SW501
    names: set[str] = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names.update((alias.asname or alias.name) for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(f"{node.func.id}()")
    if names & {"*", "__getattr__", "globals()", "setattr()", "vars()", "exec()"}:
        return []
    return [name for name in READ_BY_STUB if name not in names]


def _hiding(version: Path, entry: Path) -> Path | None:
    """Return the file that is imported as ``<version>.<stem>``, unless it is ``entry``."""
    portions: list[Path] = []
    for folder in (version, version.parent):
        package = folder / version.name
        if (package / "__init__.py").is_file():
            # no other folder is searched, and folders without the file are parts of no package
            portions = [package]
            break
        if package.with_name(f"{version.name}.py").is_file():
            return package.with_name(f"{version.name}.py")
        if package.is_dir():
            portions.append(package)
    for portion in portions:
        for file in (portion / entry.stem / "__init__.py", portion / f"{entry.stem}.py"):
            if file.is_file():
                return None if file == entry else file
    return portions[0] / "__init__.py" if portions and portions[0] != version else None
