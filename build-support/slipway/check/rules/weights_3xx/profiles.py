"""SW37x: the reference profile of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from slipway.check.finding import Location, RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.errors import SlipwayError
from slipway.profile.profile import FILE_NAME, Profile, load_profile
from slipway.unchanged import read_text

if TYPE_CHECKING:
    from slipway.model.interface import Interface

SOURCE = "Slipway: profile/profile.py"


@rule(
    "SW370",
    "damaged-profile",
    scope="slipway",
    reason="packing stops: a check for drift could not read what it compares with",
    source=SOURCE,
)
def damaged_profile(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find a ``profile.json`` that is not JSON, or whose counts contradict each other."""
    error = _load(model)
    if isinstance(error, SlipwayError):
        yield RuleHit(Location(model.folder / FILE_NAME), error.what, _fix(model))


@rule(
    "SW371",
    "profile-of-other-tensors",
    scope="slipway",
    severity="warning",
    reason="drift of the tensor is not found: requests have none of that name",
    source=SOURCE,
)
def profile_of_other_tensors(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find profiled tensors that the served model does not have."""
    profile = _load(model)
    interface = _interface(model) if isinstance(profile, Profile) else None
    if not isinstance(profile, Profile) or interface is None:
        return
    sides = (
        ("input", profile.inputs, interface.inputs),
        ("output", profile.outputs, interface.outputs),
    )
    for side, profiled, declared in sides:
        for name in profiled:
            if name not in declared:
                yield RuleHit(
                    Location(model.folder / FILE_NAME),
                    f"the served model has no {side} {name!r}, but {', '.join(declared)}",
                    _fix(model),
                )


@rule(
    "SW372",
    "profile-of-another-type",
    scope="slipway",
    severity="warning",
    reason="its values are compared with those of another type, which is no drift of the data",
    source=SOURCE,
)
def profile_of_another_type(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find profiled tensors that have another type in the served model's config."""
    profile = _load(model)
    interface = _interface(model) if isinstance(profile, Profile) else None
    if not isinstance(profile, Profile) or interface is None:
        return
    declared = {**interface.inputs, **interface.outputs}
    for name, tensor in {**profile.inputs, **profile.outputs}.items():
        if name in declared and declared[name].datatype != tensor.datatype:
            yield RuleHit(
                Location(model.folder / FILE_NAME),
                f"{name!r} is {declared[name].datatype}, in the profile {tensor.datatype}",
                _fix(model),
            )


def _load(model: ModelUnderCheck) -> Profile | SlipwayError | None:
    path = model.folder / FILE_NAME
    if model.is_single_config or not path.is_file():
        return None
    try:
        return load_profile(read_text(path).encode(), where=str(path))
    except UnicodeDecodeError as error:
        return SlipwayError(f"the profile is damaged: {error}")
    except SlipwayError as error:
        return error


def _interface(model: ModelUnderCheck) -> Interface | None:
    # it needs numpy, which the check of a model without a profile does not
    from slipway.model.config_interface import interface_of_config

    name = model.served.directory.name if model.served is not None else ""
    return interface_of_config(model.parsed[name][1]) if name in model.parsed else None


def _fix(model: ModelUnderCheck) -> str:
    return f"write it again: slipway profile {model.folder.name} --rows FILE"
