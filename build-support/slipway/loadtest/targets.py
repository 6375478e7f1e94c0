"""Select the releases to test, and encode their requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from slipway.catalog.catalog import Catalog
from slipway.client import arguments
from slipway.errors import SlipwayError
from slipway.loadtest import inputs
from slipway.loadtest.exchange import Request
from slipway.model.interface import Interface


class NamedRelease(NamedTuple):
    """The release ``target`` of the model ``name``."""

    name: str
    target: str


def select_release(catalog: Catalog, name: str, selector: str | None = None) -> NamedRelease:
    """Return the release of ``name`` that ``selector`` means; by default the alias's target.

    Raises:
        SlipwayError: there is no such release.
    """
    return NamedRelease(
        name, catalog.resolve(name, selector) if selector else catalog.alias(name).target
    )


def select_releases(
    catalog: Catalog, names: Sequence[str], selectors: Sequence[str] = ()
) -> list[NamedRelease]:
    """Return the releases of ``names`` that ``selectors`` mean.

    Without selectors, all releases, newest first; without names, those of every model of the stage.

    Raises:
        SlipwayError: there are none, or a selector means none.
    """
    models = list(names) or catalog.names()
    if not models:
        raise SlipwayError(f"no releases in {catalog.stage}", fix="slipway publish")
    if not selectors:
        return [
            NamedRelease(name, record.target)
            for name in models
            for record in catalog.releases(name)
        ]
    return list(dict.fromkeys(_resolve(catalog, models, selector) for selector in selectors))


def encode_requests(
    catalog: Catalog, releases: Sequence[NamedRelease], models: Path, text: str | None
) -> tuple[dict[str, list[Request]], str]:
    """Return the requests for each of ``releases``, in their order, and the origin of the inputs.

    ``models`` is the folder of the model folders, ``text`` is JSON as in ``slipway invoke --data``.

    Raises:
        SlipwayError: the JSON does not fit, or a release does not declare its inputs.
    """
    requests: dict[str, list[Request]] = {}
    sources: dict[str, None] = {}
    for name, target in releases:
        interface = catalog.interface(name, target)
        requests[target], origin = inputs.encode_requests(
            name, target, interface, models / name, _parse_data(interface, name, text)
        )
        sources[origin] = None
    return requests, "; ".join(sources)


def _parse_data(interface: Interface, name: str, text: str | None) -> Mapping[str, object] | None:
    return None if text is None else arguments.parse_json(interface, text, name)


def _resolve(catalog: Catalog, names: Sequence[str], selector: str) -> NamedRelease:
    for name in names:
        if selector in catalog.targets(name):
            return NamedRelease(name, selector)
    if len(names) == 1:
        return NamedRelease(names[0], catalog.resolve(names[0], selector))
    raise SlipwayError(
        f"{selector!r} is not a target model of {', '.join(names)} in {catalog.stage}",
        fix="list them: slipway describe NAME",
    )
