"""Known causes why a served model answers differently from PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from slipway.formats.format import Arrays, Cause, Converted
from slipway.formats.networks.torch_module import answers

TRACED = Cause(
    "it was traced: a branch or loop that depends on values was taken one way",
    "--backend pytorch with a scripted model, or torch.cond in its code",
)


def causes(module: Any, converted: Converted, rows: Arrays) -> tuple[Cause, ...]:
    """Return the causes that two calls and the module's types show."""

    known = []
    once = answers(module, converted, rows)
    first = {name: rows[name][:1] for name in rows} if converted.max_batch_size else rows
    alone = answers(module, converted, first)
    again = answers(module, converted, rows)
    if any(not np.array_equal(once[name], again[name], equal_nan=True) for name in once):
        what = "PyTorch itself answers differently each time: dropout is on, or it draws numbers"
        known.append(Cause(what, "model.eval() before it is saved or exported"))
    elif any(not np.allclose(once[n][:1], alone[n], 1e-3, 1e-4) for n in once if len(once[n])):
        what = "a row's answer depends on the others: batch statistics of the training are used"
        known.append(Cause(what, "model.eval() before it is saved or exported"))
    kinds = {str(part.dtype) for part in module.parameters()}
    if kinds & {"torch.float16", "torch.bfloat16"}:
        what = "half precision inside: each runtime rounds its sums in another order"
        known.append(Cause(what, "--tolerance 0.01, or model.float() before it is saved"))
    if any("traced" in note for note in converted.notes):
        known.append(TRACED)
    return tuple(known)
