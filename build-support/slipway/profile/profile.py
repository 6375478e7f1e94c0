"""A model's reference profile: what its tensors looked like in the data it was made for.

It holds sketches and counts of rows, never the rows. ``models/NAME/profile.json`` is a source of
the model, and travels in its artifact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from slipway.errors import SlipwayError
from slipway.profile.sketch import Sketch, parse_sketch

FILE_NAME = "profile.json"
FORMAT = 1
SIDES = ("inputs", "outputs")
KINDS = ("numbers", "categories", "texts", "images", "scores", "arrays")

type Kind = Literal["numbers", "categories", "texts", "images", "scores", "arrays"]


@dataclass(frozen=True)
class TensorProfile:
    """The sketches of one tensor, by the name of what is measured of each row.

    A series of ``numbers`` is one column (``value`` of a single one); of ``texts`` such as
    ``length``; of ``images`` such as ``brightness``; of ``scores`` ``label`` and ``score``.
    ``pairs`` are the counts of a text's pairs of letters, for the series ``familiarity``.
    """

    kind: Kind
    datatype: str
    series: Mapping[str, Sketch]
    pairs: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def dump(self) -> dict[str, Any]:
        """Return the tensor's profile as JSON values."""
        values: dict[str, Any] = {
            "kind": self.kind,
            "datatype": self.datatype,
            "series": {name: sketch.dump() for name, sketch in self.series.items()},
        }
        if self.pairs:
            values["pairs"] = dict(self.pairs)
        if self.notes:
            values["notes"] = list(self.notes)
        return values


@dataclass(frozen=True)
class Profile:
    """The profile of a model: of ``rows`` rows from ``source``, such as ``golden cases``.

    A value of text or a category is named only if at least ``least`` rows have it. ``batches`` is
    whether a request's first dimension is its rows.
    """

    rows: int
    source: str
    inputs: Mapping[str, TensorProfile]
    outputs: Mapping[str, TensorProfile]
    least: int = 5
    batches: bool = True
    notes: tuple[str, ...] = ()

    def sides(self) -> dict[str, Mapping[str, TensorProfile]]:
        """Return the tensors by side: ``inputs`` and ``outputs``."""
        return {"inputs": self.inputs, "outputs": self.outputs}

    def dump(self) -> bytes:
        """Return the bytes of ``profile.json``; equal profiles give equal bytes."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "rows": self.rows,
            "source": self.source,
            "least": self.least,
            "batches": self.batches,
            "notes": list(self.notes),
        }
        for side, tensors in self.sides().items():
            values[side] = {name: tensor.dump() for name, tensor in sorted(tensors.items())}
        # series and values keep their order: it is that of the columns, and of their rows
        text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
        return (_compact(text) + "\n").encode()


def load_profile(data: bytes, *, where: str) -> Profile:
    """Return the profile that :meth:`Profile.dump` wrote.

    Raises:
        SlipwayError: it is damaged, or of a format that this version of Slipway cannot read.
    """
    fix = "write it again: slipway profile NAME --rows FILE"
    try:
        values = json.loads(data)
        if values["format"] != FORMAT:
            raise SlipwayError(
                f"profile of format {values['format']}, this Slipway reads {FORMAT}",
                where=where,
                fix=fix,
            )
        sides = {
            side: {str(name): _tensor(tensor) for name, tensor in values[side].items()}
            for side in SIDES
        }
        return Profile(
            rows=_whole(values["rows"]),
            source=str(values["source"]),
            inputs=sides["inputs"],
            outputs=sides["outputs"],
            least=_whole(values["least"]),
            batches=bool(values["batches"]),
            notes=tuple(map(str, values["notes"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SlipwayError(f"the profile is damaged: {error!r}", where=where, fix=fix) from error


def _tensor(values: Any) -> TensorProfile:
    if values["kind"] not in KINDS:
        raise ValueError(f"kind {values['kind']!r}")
    return TensorProfile(
        kind=values["kind"],
        datatype=str(values["datatype"]),
        series={str(name): parse_sketch(each) for name, each in values["series"].items()},
        pairs={str(pair): _whole(count) for pair, count in values.get("pairs", {}).items()},
        notes=tuple(map(str, values.get("notes", ()))),
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _compact(text: str) -> str:
    """Return indented JSON with each list of numbers on one line."""
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):
        stripped = line.strip()
        if inside:
            lines[-1] += stripped if stripped.startswith("]") else stripped + " "
            inside = not stripped.startswith("]")
            if not inside:
                lines[-1] = lines[-1].replace(" ]", "]")
            continue
        lines.append(line)
        inside = stripped.endswith("[")
    return "\n".join(lines)
