"""Weights of PyTorch without a model (state dicts, checkpoints, safetensors), with its code."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
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

SAVE = "torch.save(model.state_dict(), FILE), and give the code with --code FILE --set model=CLASS"


class TorchStateDict:
    """A state dict of PyTorch. The model is code: the user gives it, and it runs isolated."""

    name = "torch_state_dict"
    title = "weights of PyTorch"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what a file of ``torch.save`` or safetensors holds.

        Raises:
            SlipwayError: it is a whole model, a pickle that would run code.
        """
        file = torch_file.read(contents)
        if file is None or file.kind not in ("state", "module"):
            return None
        if file.kind == "module":
            named = ", ".join(file.classes[:4])
            what = f"a pickled object of {named}: loading it would run code of whoever wrote it"
            raise SlipwayError(what, fix=f"where it was trained: {SAVE}; or torch.export.save")
        kind = "safetensors" if file.container == "safetensors" else "torch.save"
        return Recognised(f"weights of PyTorch ({kind})", {"container": file.container})

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX: weights have no graph of their own that a backend could take."""
        return Choice(
            "onnxruntime",
            "a graph of ONNX is the smallest on CPUs, and needs none of the code",
            {"pytorch": "TorchScript, traced, keeps PyTorch's own operators, also on GPUs"},
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of PyTorch."""
        return "torch.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.onnx`` or ``model.pt`` of the code's model with these weights."""
        from slipway.formats.networks import torch_inputs, torch_module, torch_served, torch_state

        module, done = torch_state.load(source, options)
        names = torch_state.argument_names(module)
        setting = options.settings.get(torch_inputs.SETTING)
        if setting is None:
            raise torch_inputs.needed(names)
        table = torch_module.smallest_table(module)
        inputs = torch_inputs.with_table(torch_inputs.parse(setting, names), table)
        return torch_served.of_module(module, inputs, out, options, done)

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the answers of the code's model, in evaluation mode."""
        from slipway.formats.networks import torch_module, torch_state

        module, _ = torch_state.load(source, options)
        return torch_module.answers(module, converted, rows)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return the causes that notes of the conversion show; the code is not at hand here."""
        from slipway.formats.networks.torch_causes import TRACED

        return (TRACED,) if any("traced" in note for note in converted.notes) else ()


FORMAT = TorchStateDict()
