"""What the columns of a forest that treelite has read may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.formats.forests.features import categories, numbers
from slipway.formats.format import Feature
from slipway.formats.graphs.forest import CATEGORICAL, NUMERICAL

if TYPE_CHECKING:
    import treelite


def features_of(model: treelite.Model) -> tuple[Feature, ...]:
    """Return a column for each feature, named f0, f1 …: a checkpoint keeps no names."""
    thresholds: dict[int, list[float]] = {}
    codes: dict[int, int] = {}
    for number in range(model.num_tree):
        read = model.get_tree_accessor(number).get_field
        kinds, columns, values = read("node_type"), read("split_index"), read("threshold")
        for node in (kinds == NUMERICAL).nonzero()[0]:
            thresholds.setdefault(int(columns[node]), []).append(float(values[node]))
        listed, begins, ends = (read(f"category_list{name}") for name in ("", "_begin", "_end"))
        for node in (kinds == CATEGORICAL).nonzero()[0]:
            column = int(columns[node])
            highest = listed[int(begins[node]) : int(ends[node])].max(initial=0)
            codes[column] = max(codes.get(column, 0), int(highest))
    return tuple(
        (
            categories(f"f{column}", codes[column] + 2)  # and one that is not listed
            if column in codes
            else numbers(f"f{column}", thresholds.get(column, []))
        )
        for column in range(model.num_feature)
    )
