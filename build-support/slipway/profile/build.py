"""Make a reference profile from rows."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.profile.profile import Kind, Profile
from slipway.triton.datatypes import Array

LEAST = 5  # rows that have a value which the profile names


def build_profile(
    inputs: Mapping[str, Array],
    outputs: Mapping[str, Array],
    *,
    source: str,
    columns: Mapping[str, tuple[str, ...]] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    least: int = LEAST,
) -> Profile:
    """Return the profile of tensors by name, the rows first in each.

    ``columns`` are the names of a tensor's columns; ``kinds`` override what is recognised. The
    order of the rows does not matter.

    Raises:
        SlipwayError: there are no rows, tensors differ in rows, or a kind does not fit a tensor.
    """
    raise NotImplementedError
