"""TorchScript files, for Triton's pytorch backend as they are, or to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.formats.contents import Contents
from slipway.formats.format import (
    Array,
    Arrays,
    Cause,
    Choice,
    Converted,
    Options,
    Recognised,
)
from slipway.formats.networks import torch_file


class TorchScript:
    """Compiled code with its weights. It names its arguments, but not their sizes."""

    name = "torch_script"
    title = "a TorchScript model"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what an archive with compiled code is."""
        file = torch_file.read(contents)
        if file is None or file.kind != "script":
            return None
        return Recognised("a TorchScript model", {"root": file.root})

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return the pytorch backend, which runs the very file."""
        return Choice(
            "pytorch",
            "Triton's pytorch backend runs this file as it is, also on GPUs",
            {"onnxruntime": "a graph of ONNX loads faster and needs less memory on CPUs"},
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of PyTorch."""
        return "torch.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.pt``, the same file where Triton takes it so, or ``model.onnx``."""
        from slipway.formats.networks import (
            torch_inputs,
            torch_module,
            torch_script,
            torch_served,
        )

        module, training = _load(source)
        names = torch_module.script_arguments(module)
        setting = options.settings.get(torch_inputs.SETTING)
        if setting is None:
            raise torch_inputs.needed(names)
        table = torch_module.smallest_table(module)
        inputs = torch_inputs.with_table(torch_inputs.parse(setting, names), table)
        module, notes = torch_module.fixed(module, options.settings)
        repairs = (*(("it was saved in training mode: eval()",) if training else ()), *notes)
        if options.backend != "pytorch":
            return torch_served.of_module(module, inputs, out, options, repairs)
        same = not repairs and torch_script.passes(module, inputs)
        return torch_served.scripted(
            module, inputs, out, options, source if same else None, repairs
        )

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the answers of the file, in evaluation mode."""
        from slipway.formats.networks import torch_module

        module, _ = torch_module.fixed(_load(source)[0], options.settings)
        return torch_module.answers(module, converted, rows)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return the causes that two calls show."""
        from slipway.formats.networks import torch_causes

        return torch_causes.causes(_load(source)[0], converted, rows)


def _load(source: Path) -> tuple[Any, bool]:
    from slipway.formats.networks import torch_module

    return torch_module.load_script(source)


FORMAT = TorchScript()
