"""All formats: those of ``kinds/``, and those that installed packages register."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from slipway.errors import SlipwayError
from slipway.formats import kinds
from slipway.formats.format import Format

GROUP = "slipway.formats"  # entry points of other packages; each names a Format


@cache
def formats() -> tuple[Format, ...]:
    """Return every format, those of other packages first: they may know a file better."""
    return tuple(_places().values())


def place_of(form: Format) -> str:
    """Return where a format is defined, ``module:attribute``, for another process to import."""
    return next(place for place, known in _places().items() if known is form)


def format_named(name: str) -> Format:
    """Return the format with this name.

    Raises:
        SlipwayError: there is none.
    """
    for form in formats():
        if form.name == name:
            return form
    known = ", ".join(sorted(form.name for form in formats()))
    raise SlipwayError(
        f"no format {name!r}", fix=f"install the package that brings it, or name one of {known}"
    )


@cache
def _places() -> MappingProxyType[str, Format]:
    places: dict[str, Format] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            places[entry.value] = entry.load()
        except Exception as error:
            raise SlipwayError(
                f"the format {entry.name!r} cannot be imported: {error!r}",
                where=entry.value,
                fix=f"update or uninstall {entry.dist.name if entry.dist else 'its package'}",
            ) from error
    for module in sorted(module.name for module in pkgutil.iter_modules(kinds.__path__)):
        name = f"{kinds.__name__}.{module}"
        places[f"{name}:FORMAT"] = importlib.import_module(name).FORMAT
    return MappingProxyType(places)
