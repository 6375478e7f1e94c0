"""Which releases are tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from slipway.catalog.catalog import Catalog
from slipway.client import arguments
from slipway.errors import SlipwayError
from slipway.loadtest import inputs
from slipway.loadtest.answer import Request
from slipway.model.interface import Interface


class Named(NamedTuple):
    """A release ``target`` of the model ``name``."""

    name: str
    target: str


def one(catalog: Catalog, name: str, word: str | None = None) -> Named:
    """The release of ``name`` that ``word`` means; without one, what the alias stands for.

    Raises:
        SlipwayError: there is none.
    """
    return Named(name, catalog.resolve(name, word) if word else catalog.alias(name).target)


def many(catalog: Catalog, names: Sequence[str], words: Sequence[str] = ()) -> list[Named]:
    """The releases of ``names`` that ``words`` mean; without words, all releases, newest first;
    without names, those of every model of the stage.

    Raises:
        SlipwayError: there are none, or a word means none.
    """
    among = list(names) or catalog.names()
    if not among:
        raise SlipwayError(f"no releases in {catalog.stage}", fix="slipway publish")
    if not words:
        return [Named(name, found.target) for name in among for found in catalog.releases(name)]
    return list(dict.fromkeys(_resolve(catalog, among, word) for word in words))


def requests(
    catalog: Catalog, found: Sequence[Named], models: Path, text: str | None
) -> tuple[dict[str, list[Request]], str]:
    """What to send to each of ``found``, in their order, and in words where it comes from.

    ``models`` is the folder of the model folders, ``text`` JSON as ``slipway invoke`` takes it.

    Raises:
        SlipwayError: the JSON does not fit, or a release does not say what it takes.
    """
    made: dict[str, list[Request]] = {}
    sources: dict[str, None] = {}
    for name, target in found:
        interface = catalog.interface(name, target)
        made[target], said = inputs.of_release(
            name, target, interface, models / name, _given(interface, name, text)
        )
        sources[said] = None
    return made, "; ".join(sources)


def _given(interface: Interface, name: str, text: str | None) -> Mapping[str, object] | None:
    return None if text is None else arguments.of_json(interface, text, name)


def _resolve(catalog: Catalog, names: Sequence[str], word: str) -> Named:
    for name in names:
        if word in catalog.targets(name):
            return Named(name, word)
    if len(names) == 1:
        return Named(names[0], catalog.resolve(names[0], word))
    raise SlipwayError(
        f"{word!r} is no target model of {', '.join(names)} in {catalog.stage}",
        fix="slipway describe NAME lists them",
    )
