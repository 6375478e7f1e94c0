"""A profile of an earlier window of requests, beside or in place of the release's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from slipway.capture.record import CapturedRequest
from slipway.errors import SlipwayError
from slipway.profile.build import build_profile
from slipway.profile.profile import Kind, Profile
from slipway.triton.datatypes import Array

Tensors = dict[str, Array]


def earlier_profile(
    requests: Sequence[CapturedRequest], own: Profile | None, label: str
) -> tuple[Profile | None, str | None]:
    """Return the profile of ``requests``, and what was left out, or why there is none.

    Tensors are taken for what the release's ``own`` profile takes them for. Redacted tensors, and
    those whose rows have different shapes, are left out.
    """
    if not requests:
        return None, f"not compared with {label}: nothing was captured then"
    batches = own is None or own.batches
    inputs, outputs, left_out = join_rows(requests, batches=batches)
    kinds: dict[str, Kind] = {}
    for tensors in own.sides().values() if own else ():
        kinds |= {name: tensor.kind for name, tensor in tensors.items()}
    present = {*inputs, *outputs}
    try:
        profile = build_profile(
            inputs,
            outputs,
            source=label,
            kinds={name: kind for name, kind in kinds.items() if name in present},
            batches=batches,
        )
    except SlipwayError as error:
        return None, f"not compared with {label}: {error.what}"
    note = f"not compared with {label}: {', '.join(left_out)}" if left_out else None
    return profile, note


def join_rows(
    requests: Sequence[CapturedRequest], *, batches: bool = True
) -> tuple[Tensors, Tensors, list[str]]:
    """Return the rows of ``requests`` by input and by output, and the tensors that are left out.

    Without ``batches`` a request is one row. Where requests have different tensors, those of the
    most frequent kind are taken.
    """
    usual, _ = Counter(map(_tensor_names, requests)).most_common(1)[0]
    chosen = [request for request in requests if _tensor_names(request) == usual]
    left_out = {name for request in requests for name in request.redacted}
    left_out |= {name for request in requests for name in (*request.inputs, *request.outputs)}
    inputs = _join([request.inputs for request in chosen], usual, batches)
    outputs = _join([request.outputs for request in chosen], usual, batches)
    return inputs, outputs, sorted(left_out - {*inputs, *outputs})


def _tensor_names(request: CapturedRequest) -> frozenset[str]:
    return frozenset({*request.inputs, *request.outputs} - {*request.redacted})


def _join(requests: Sequence[Mapping[str, Array]], names: frozenset[str], batches: bool) -> Tensors:
    joined: Tensors = {}
    for name in sorted(names & {*requests[0]}):
        arrays = [tensors[name] if batches else tensors[name][np.newaxis] for tensors in requests]
        shapes = {(array.dtype, array.shape[1:]) for array in arrays}
        if len(shapes) == 1 and arrays[0].ndim:
            joined[name] = np.concatenate(arrays)
    return joined
