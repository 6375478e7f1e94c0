"""Keep of a body only what the rules of its model allow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from slipway.capture.hash_key import HashKey
from slipway.capture.thumbnail import NoThumbnail, thumbnails
from slipway.model.capture_rules import CaptureRules, TensorRule
from slipway.triton.bodies import Body, SentTensor, UndecodableError, bytes_tensor
from slipway.triton.datatypes import Array

# of a request or a response, besides its tensors
HEADER = ("id", "parameters", "outputs", "model_name", "model_version")


@dataclass
class Redactions:
    """What was redacted of a request and its answer, by tensor; see
    :class:`~slipway.capture.record.CapturedRequest`."""

    redacted: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return the JSON values of a record; nothing for what was not redacted."""
        values = {
            "redacted": self.redacted,
            "shapes": {name: [kind, list(shape)] for name, (kind, shape) in self.shapes.items()},
            "notes": self.notes,
        }
        return {key: value for key, value in values.items() if value}


def redact(body: Body, rules: CaptureRules, key: HashKey | None, done: Redactions) -> Body:
    """Return ``body`` with what its tensors' rules keep; record in ``done`` what became of each.

    ``key`` may be missing where no rule hashes.
    """
    tensors: dict[str, SentTensor] = {}
    for name, tensor in body.tensors.items():
        rule = rules.of(name)
        if rule.keep == "everything":
            tensors[name] = tensor
            continue
        done.redacted[name] = rule.keep
        if rule.keep == "drop":
            continue
        done.shapes[name] = (tensor.datatype, tensor.shape)
        try:
            kept = _kept(tensor, rule, key)
        except (NoThumbnail, UndecodableError) as error:
            done.redacted[name], done.notes[name] = "shape", str(error)
            continue
        if kept is not None:
            tensors[name] = kept
    # fields that the protocol does not know may hold anything
    header = {name: value for name, value in body.header.items() if name in HEADER}
    return replace(body, tensors=tensors, header=header)


def _kept(tensor: SentTensor, rule: TensorRule, key: HashKey | None) -> SentTensor | None:
    if rule.keep == "hash":
        if key is None:
            raise UndecodableError("there is no key for its hashes")
        hashes = [key.hash(tensor.name, row) for row in _rows(tensor.array())]
        return bytes_tensor(tensor.name, hashes, (len(hashes),))
    if rule.keep == "thumbnail":
        pictures = thumbnails(tensor.array(), rule.pixels)
        return bytes_tensor(tensor.name, pictures, (len(pictures),))
    return None


def _rows(array: Array) -> list[bytes]:
    """Return the bytes of each row: equal rows give equal bytes, others do not."""
    rows = array[np.newaxis] if array.ndim == 0 else array
    if array.dtype != np.object_:
        return [row.tobytes() for row in rows]
    return [
        b"".join(len(element).to_bytes(4, "little") + element for element in np.ravel(row).tolist())
        for row in (np.asarray(row, dtype=np.object_) for row in rows)
    ]
