"""Show what each name serves in staging and production, and where catalog and bucket differ.

:mod:`slipway.release.overview.stage_view` says what is read for that.
:mod:`slipway.release.verify` checks all releases, and their bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import JournalEvent
from slipway.catalog.listing import Listing, list_stage
from slipway.catalog.reader import unknown_name
from slipway.catalog.served import ServedRelease
from slipway.release.overview.discrepancy import Discrepancy, find_strangers
from slipway.release.overview.inspection import PAUSES
from slipway.release.overview.stage_view import StageView, view_names, view_stage
from slipway.release.versioning.distance import Distance, measure_distances
from slipway.settings import Settings
from slipway.settings.release import STAGES, StageName
from slipway.store.open import open_stage
from slipway.store.stage import StageStore


@dataclass(frozen=True)
class ModelStatus:
    """A model: what each stage serves, ``None`` where it serves nothing; how far staging is ahead
    of production, if both serve it; how many releases each stage has; what is wrong; and the events
    by which it was retired."""

    name: str
    staging: ServedRelease | None
    production: ServedRelease | None
    distance: Distance | None
    releases: Mapping[StageName, int]
    discrepancies: tuple[Discrepancy, ...] = ()
    retired: Mapping[StageName, JournalEvent] = field(default_factory=dict)

    def served(self, stage: StageName) -> ServedRelease | None:
        """Return what ``stage`` serves."""
        return self.staging if stage == "staging" else self.production

    def dump(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        return {
            "name": self.name,
            **{stage: _dump(self.served(stage)) for stage in STAGES},
            "distance": None if self.distance is None else vars(self.distance),
            "releases": dict(self.releases),
            "retired": {
                stage: {
                    "when": event.when,
                    "before": event.before,
                    "reason": event.reason,
                    "by": event.origin.by,
                    "pipeline": event.origin.pipeline,
                }
                for stage, event in self.retired.items()
            },
            "drift": [one.dump(self.name) for one in self.discrepancies],
        }


@dataclass(frozen=True)
class Overview:
    """The status of every model, and how the stages were read."""

    models: list[ModelStatus]
    views: Mapping[StageName, StageView]

    @property
    def is_complete(self) -> bool:
        """Whether all of the catalog was compared."""
        return all(view.listing is not None for view in self.views.values())


def load_status(settings: Settings, names: Sequence[str] = ()) -> list[ModelStatus]:
    """Return the status of ``names``, or of every name that was ever released, in their order. All
    of it is compared with the catalog.

    Raises:
        SlipwayError: a store cannot be read, or one of ``names`` was never released.
    """
    if not names:
        return load_overview(settings, complete=True).models
    sources = [open_stage(settings, stage) for stage in STAGES]
    chosen = list(dict.fromkeys(names))
    with ThreadPoolExecutor(len(STAGES)) as pool:
        views = list(pool.map(lambda source: view_names(source, chosen), sources))
    for name in chosen:
        if not any(name in view.names for view in views):
            raise unknown_name(name, [Catalog(source) for source in sources])
    return _combine(settings, chosen, views)


def load_overview(
    settings: Settings,
    *,
    complete: bool = False,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Overview:
    """Return the status of every name that was ever released. Without ``complete``, a large store
    is read by its index.

    Raises:
        SlipwayError: a store cannot be read.
    """
    sources = [open_stage(settings, stage) for stage in STAGES]
    view = partial(view_stage, complete=complete, progress=progress)
    with ThreadPoolExecutor(len(STAGES)) as pool:
        views = list(pool.map(view, sources))
    chosen = sorted({name for view in views for name in view.names})
    models = _combine(settings, chosen, views)
    strangers = _find_strangers_twice(sources, views, chosen)
    if strangers:  # objects that no name has, as one more status without a name
        none = dict.fromkeys(STAGES, 0)
        models.append(ModelStatus("", None, None, None, none, strangers))
    return Overview(models, dict(zip(STAGES, views, strict=True)))


def _combine(
    settings: Settings, names: Sequence[str], views: Sequence[StageView]
) -> list[ModelStatus]:
    found = {
        name: {
            stage: view.inspections[name]
            for stage, view in zip(STAGES, views, strict=True)
            if name in view.inspections
        }
        for name in names
    }
    served = {
        name: {stage: inspection.served for stage, inspection in stages.items()}
        for name, stages in found.items()
    }
    pairs = {
        name: (staging.release, production.release)
        for name in names
        if (staging := served[name].get("staging")) and staging.release
        if (production := served[name].get("production")) and production.release
    }
    distances = measure_distances(settings.root, pairs)
    return [
        ModelStatus(
            name,
            served[name].get("staging"),
            served[name].get("production"),
            distances.get(name),
            {stage: view.releases.get(name, 0) for stage, view in zip(STAGES, views, strict=True)},
            tuple(one for inspection in found[name].values() for one in inspection.discrepancies),
            {
                stage: inspection.retired
                for stage, inspection in found[name].items()
                if inspection.retired is not None
            },
        )
        for name in names
    ]


def _find_strangers_twice(
    sources: Sequence[StageStore], views: Sequence[StageView], names: Sequence[str]
) -> tuple[Discrepancy, ...]:
    """Return the objects that no name has, in the stages that were listed."""
    pairs = zip(sources, views, strict=True)
    listed = [(source, view.listing) for source, view in pairs if view.listing is not None]
    strangers = tuple(find_strangers([listing for _, listing in listed], names))
    for pause in PAUSES:
        if not strangers:
            break
        time.sleep(pause)
        again: list[Listing] = [list_stage(source) for source, _ in listed]
        known = {name for listing in again for name in listing.names}
        remaining = list(find_strangers(again, sorted({*names, *known})))
        strangers = tuple(one for one in strangers if one in remaining)
    return strangers


def _dump(release: ServedRelease | None) -> dict[str, Any] | None:
    return None if release is None else release.dump()
