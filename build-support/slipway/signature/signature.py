"""The signature of weights: input and output tensors, and the operators and files they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

type Dim = int | str | None
type Shape = tuple[Dim, ...]

# Triton's data types in KServe's words
CARRIED = frozenset(
    "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BF16 BYTES".split()
)


@dataclass(frozen=True)
class GraphTensor:
    """An input or output.

    ``datatype`` is Triton's word, such as FP32 or BYTES; what Triton cannot carry has a word of
    its own: COMPLEX64, INT4, ``sequence(FP32)``, ``optional(FP32)``, ``map(INT64, FP32)``.
    ``shape`` has a number for each fixed size, text for a named one and ``None`` for an unknown
    one, the batch's first; it is ``None`` where not even the rank is known.
    """

    name: str
    datatype: str
    shape: Shape | None

    @property
    def carried(self) -> bool:
        """Return whether Triton has this data type."""
        return self.datatype in CARRIED


@dataclass(frozen=True)
class Signature:
    """``format`` is "onnx". The tensors stand in the graph's order.

    ``inputs`` have to be fed; ``optional_inputs`` have a value in the weights that a request may
    override. ``opsets`` are versions by domain, "" for ONNX's own. ``operators`` are those of
    other domains that the file does not define itself, as ``domain::Name``. ``external_data`` are
    the files beside the graph that hold tensors, as the graph names them. ``locales`` are those
    of the machine that serves, which its StringNormalizer operators ask for.
    """

    format: str
    inputs: tuple[GraphTensor, ...]
    optional_inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    ir_version: int
    opsets: Mapping[str, int] = field(default_factory=dict)
    operators: tuple[str, ...] = ()
    external_data: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
