"""Programs of ``torch.export.save`` (.pt2), to ONNX or TorchScript."""

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

KNOWN = (2, 14)  # of the lock
AOTI = (
    'serve it with platform: "torch_aoti" on Triton 26.05 or later: beta, one row a request, and '
    "only on the kind of processor that compiled it; or give the program that was compiled "
    "(torch.export.save)"
)


class TorchExported:
    """A program with its weights, sizes and names: all that serving needs."""

    name = "torch_exported"
    title = "an exported program of PyTorch"

    def recognise(self, contents: Contents) -> Recognised | None:
        """Return what a ``.pt2`` archive holds."""
        file = torch_file.read(contents)
        if file is not None and file.kind == "aoti":
            what = "a program that AOTInductor has compiled to machine code (.pt2)"
            raise SlipwayError(what, fix=AOTI)
        if file is None or file.kind != "exported":
            return None
        numbers = [int(part) for part in file.version.split(".")[:2] if part.isdigit()]
        if tuple(numbers) > KNOWN:
            known = ".".join(map(str, KNOWN))
            what = f"it was written by PyTorch {file.version}, newer than the {known} that reads it"
            raise SlipwayError(what, fix=f"save it with PyTorch {known}, or update slipway")
        written = f" of PyTorch {file.version}" if file.version else ""
        return Recognised(f"an exported program{written} (.pt2)", {"version": file.version})

    def choose(self, recognised: Recognised, triton: str) -> Choice:
        """Return ONNX; Triton's own way for it is beta, and takes one row at a time."""
        return Choice(
            "onnxruntime",
            "a graph of ONNX is the smallest on CPUs, and its batches may have any size",
            {"pytorch": "TorchScript keeps PyTorch's own operators, also on GPUs"},
        )

    def requirements(self, recognised: Recognised, backend: str) -> str:
        """Return the lock of PyTorch."""
        return "torch.txt"

    def convert(self, source: Path, out: Path, options: Options) -> Converted:
        """Write ``model.onnx`` or ``model.pt``, with the names of the program's arguments."""
        from slipway.formats.networks import torch_program, torch_served

        program = torch_program.load(source)
        return torch_served.of_program(program, out, options)

    def reference(
        self, source: Path, rows: Arrays, converted: Converted, options: Options
    ) -> dict[str, Array]:
        """Return the answers of the program itself."""
        from slipway.formats.networks import torch_module, torch_program

        program = torch_program.load(source)
        caller = torch_program.caller(program)
        return torch_module.answers(caller, converted, rows)

    def causes(
        self, source: Path, converted: Converted, rows: Arrays, differs: Array
    ) -> tuple[Cause, ...]:
        """Return the causes that the program shows."""
        from slipway.formats.networks import torch_causes, torch_program

        caller = torch_program.caller(torch_program.load(source))
        return torch_causes.causes(caller, converted, rows)


FORMAT = TorchExported()
