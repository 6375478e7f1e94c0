"""A module of the user's code with the weights of a file: tensors only, nothing else unpickled."""

from __future__ import annotations

import ast
import fnmatch
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import Options
from slipway.formats.networks import torch_file
from slipway.formats.networks.code import load_code
from slipway.formats.networks.torch_inputs import SETTING
from slipway.formats.networks.torch_module import quiet

MODEL, KEY, IGNORE = "model", "key", "ignore"
ARGUMENT = "argument."  # before arguments with the name of a setting
OWN = {SETTING, MODEL, KEY, IGNORE}
# where checkpoints of trainings have their weights: Lightning, timm, torchvision, ultralytics' kind
KEYS = ("state_dict", "model_state_dict", "model_state", "model", "weights", "params", "net")
PREFIXES = ("module.", "_orig_mod.", "model.")


def load(source: Path, options: Options) -> tuple[Any, tuple[str, ...]]:
    """Return the module in evaluation mode, and what was done to make weights and code fit.

    Raises:
        SlipwayError: no code, no such class, arguments or weights that do not fit.
    """
    quiet()
    weights, done = _weights(source, options.settings.get(KEY))
    module, made = _module(options)
    weights, renamed = _fitting(weights, set(module.state_dict()))
    for pattern in filter(None, options.settings.get(IGNORE, "").split(",")):
        left_out = fnmatch.filter(weights, pattern)
        weights = {name: value for name, value in weights.items() if name not in left_out}
        renamed = (*renamed, f"left out: {', '.join(left_out) or f'nothing is called {pattern}'}")
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:]]
        what = f"the weights do not fit {made}: {' '.join(lines)[:300]}"
        fix = f"give the arguments of its training: --set NAME=VALUE ({made})"
        if all("Unexpected" in line for line in lines):
            fix = f"--set '{IGNORE}=NAME,PATTERN' leaves weights out that the model does not use"
        raise SlipwayError(what, where=str(options.code), fix=fix) from error
    module.eval()
    return module, (*done, *renamed)


def argument_names(module: Any) -> list[str]:
    """Return the names of the tensors that ``forward`` takes and needs."""
    parameters = inspect.signature(module.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in positional and p.default is p.empty]


def _weights(source: Path, key: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    import torch

    file = torch_file.read(Contents(source))
    if file is not None and file.container == "safetensors":
        from safetensors.torch import load_file

        return load_file(source), ()
    try:
        held = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # of the pickle, the archive, or a class that is refused
        what = f"PyTorch cannot read its weights: {str(error).strip().splitlines()[0][:250]}"
        raise SlipwayError(what, fix="torch.save(model.state_dict(), FILE)") from error
    if key is not None:
        if not isinstance(held, Mapping) or not isinstance(held.get(key), Mapping):
            raise SlipwayError(f"it holds no weights called {key!r}", fix=_keys(held))
        return dict(held[key]), (f"the weights are those called {key}",)
    if _is_weights(held):
        return dict(held), ()
    found = [name for name in KEYS if isinstance(held, Mapping) and _is_weights(held.get(name))]
    if not found:
        raise SlipwayError("it holds no dictionary of tensors", fix=_keys(held))
    return dict(held[found[0]]), (f"the weights are those called {found[0]} in the checkpoint",)


def _keys(held: Any) -> str:
    names = ", ".join(map(str, held)) if isinstance(held, Mapping) else type(held).__name__
    return f"--set {KEY}=NAME says where its weights are; it holds {names[:200]}"


def _is_weights(value: Any) -> bool:
    import torch

    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(part, torch.Tensor) for part in value.values())
    )


def _module(options: Options) -> tuple[Any, str]:
    if options.code is None:
        what = "a state dict holds weights without the model"
        fix = "--code FILE --set model=CLASS gives the Python file that defines it, and its class"
        raise SlipwayError(what, fix=fix)
    code = load_code(options.code)
    name, build = _builder(code, options)
    settings = options.settings.items()
    given = {k.removeprefix(ARGUMENT): _value(v) for k, v in settings if k not in OWN}
    text = f"{name}({', '.join(f'{k}={v!r}' for k, v in given.items())})"
    try:
        module = build(**given)
    except Exception as error:  # whatever the user's code raises
        what = f"{text} fails: {type(error).__name__}: {error}"
        fix = f"--set NAME=VALUE gives arguments of {name}{inspect.signature(build)}"
        raise SlipwayError(what, where=str(options.code), fix=fix) from error
    if not hasattr(module, "load_state_dict"):
        what = f"{text} is of {type(module).__name__}, not a torch.nn.Module"
        raise SlipwayError(what, where=str(options.code), fix="name a class or function of one")
    return module, text


def _builder(code: ModuleType, options: Options) -> tuple[str, Callable[..., Any]]:
    import torch

    name = options.settings.get(MODEL)
    classes = [
        key
        for key, value in vars(code).items()
        if isinstance(value, type)
        and issubclass(value, torch.nn.Module)
        and value.__module__ == code.__name__
    ]
    if name is None and len(classes) == 1:
        name = classes[0]
    if name is None or not callable(getattr(code, name, None)):
        what = f"it has no class or function {name!r}" if name else "it has several models"
        fix = f"--set {MODEL}=NAME: {', '.join(classes) or 'a class of torch.nn.Module'}"
        raise SlipwayError(what, where=str(options.code), fix=fix)
    return name, getattr(code, name)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _fitting(weights: dict[str, Any], expected: set[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return weights without the prefix of DataParallel, compile or Lightning."""
    for prefix in PREFIXES:
        if expected & weights.keys():
            break
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
            return weights, (f"the prefix {prefix} of the names of weights is removed",)
    return weights, ()
