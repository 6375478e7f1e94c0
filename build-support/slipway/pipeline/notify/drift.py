"""Notify people of a drift that begins or ends, once for each change."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from slipway.catalog.origin import Origin
from slipway.drift.report import Statistic
from slipway.drift.verdict import DriftCheck, ReleaseDrift
from slipway.drift.window import format_window
from slipway.errors import SlipwayError
from slipway.pipeline.notify import notify
from slipway.pipeline.notify.drift_state import Change, read_state, write_state
from slipway.pipeline.notify.event import MAX_CHANGES, ModelChange, ReleaseEvent, version_of
from slipway.settings import Settings
from slipway.store.open import open_stage
from slipway.store.stage import StageStore

CHANGES: tuple[Change, ...] = ("drifted", "settled")


def notify_drift(
    settings: Settings,
    check: DriftCheck,
    warn: notify.Warn,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Notify people of what changed since they were notified last; return in words what was done.

    A change is recorded in the catalog once a destination has accepted its message.

    Raises:
        SlipwayError: the catalog cannot be read or written.
    """
    store = _open(settings, check)
    changed: dict[Change, list[ReleaseDrift]] = {change: [] for change in CHANGES}
    for release in check.releases:
        if change := read_state(store, release.name, check.endpoint).change(release):
            changed[change].append(release)
    done: list[str] = []
    for change, releases in changed.items():
        if not releases:
            continue
        event = drift_event(check, change, releases, environ)
        notified = notify.notify(event, warn, environ)
        names = f"{', '.join(release.name for release in releases)} {change}"
        if not notified:
            done.append(f"no notification sent: {names}")
            continue
        done.append(f"notified {', '.join(notified)}: {names}")
        for release in releases:
            state = read_state(store, release.name, check.endpoint)
            write_state(store, release.name, check.endpoint, state.after(release))
    return "; ".join(done) or "no notification: nothing changed since the last check"


def drift_event(
    check: DriftCheck,
    change: Change,
    releases: Sequence[ReleaseDrift],
    environ: Mapping[str, str] = os.environ,
) -> ReleaseEvent:
    """Return the event that ``releases`` drifted, or no longer do."""
    return ReleaseEvent(
        change,
        check.stage,
        tuple(_model(check, change, release) for release in releases),
        Origin(pipeline=environ.get("CI_PIPELINE_URL")),
        project=environ.get("CI_PROJECT_PATH"),
    )


def _model(check: DriftCheck, change: Change, release: ReleaseDrift) -> ModelChange:
    moved = _moved(release) if change == "drifted" else []
    since = format_window(check.until - check.since)
    reason = f"{release.requests:,} requests to {check.endpoint} in {since}"
    return ModelChange(
        release.name,
        version=version_of(release.name, release.target),
        reason=reason,
        changes=tuple(moved[:MAX_CHANGES]),
        more_changes=len(moved[MAX_CHANGES:]),
        show_command=f"slipway drift {release.name} --endpoint {check.endpoint} --since {since}"
        " --output drift.html",
    )


def _moved(release: ReleaseDrift) -> list[str]:
    """Return the statistics that moved, the furthest first."""
    found: list[tuple[float, str]] = []
    for comparison in release.comparisons:
        for tensor in comparison.report.tensors:
            for name, one in tensor.statistics.items():
                if one.moved:
                    found.append((_ratio(one), f"{tensor.name}: {name} {_figures(one)}"))
    return [text for _, text in sorted(found, key=lambda item: -item[0])]


def _ratio(statistic: Statistic) -> float:
    return statistic.value / statistic.threshold if statistic.threshold > 0 else float("inf")


def _figures(statistic: Statistic) -> str:
    return f"{statistic.value:.3g}, threshold {statistic.threshold:.3g}"


def _open(settings: Settings, check: DriftCheck) -> StageStore:
    """Open the catalog of what the endpoint serves, to write to it.

    Raises:
        SlipwayError: the endpoint serves another store than its stage's, whose catalog is others'.
    """
    entry = settings.endpoint(check.endpoint)
    if entry.store is not None and entry.store != settings.stage(entry.stage).store:
        raise SlipwayError(
            f"no notification: {check.endpoint} serves a store of its own",
            where=f"slipway.toml: endpoint.{check.endpoint}.store",
            fix="leave out --notify, or name an endpoint of the stage's store",
        )
    return open_stage(settings, entry.stage)
