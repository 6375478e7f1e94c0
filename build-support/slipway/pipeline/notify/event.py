"""A release, a failure, a rollback or a drift to notify people of, from the store and from CI's
variables.

Missing details are left out: a notification without a detail is better than none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from slipway.catalog import journal
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import JournalEvent
from slipway.catalog.origin import Origin, current_origin
from slipway.errors import SlipwayError
from slipway.model.folder import VERSION_FILE
from slipway.settings import Settings
from slipway.settings.release import StageName
from slipway.store.open import open_stage

Kind = Literal["released", "failed", "rolled-back", "drifted", "settled"]
# the journal's actions for each kind
ACTIONS = {"released": ("publish", "promote"), "rolled-back": ("rollback",)}
MAX_CHANGES = 3


@dataclass(frozen=True)
class ModelChange:
    """A model whose alias moved from ``previous_version`` to ``version``, or should have.

    ``undo_command`` moves it back; ``problem`` says what is unusual or missing; ``show_command``
    shows more.
    """

    name: str
    version: str | None = None
    previous_version: str | None = None
    undo_command: str | None = None
    reason: str | None = None
    changes: tuple[str, ...] = ()
    more_changes: int = 0
    problem: str | None = None
    show_command: str | None = None


@dataclass(frozen=True)
class FailedJob:
    """A job that failed, and the URL of its log."""

    name: str
    log: str | None


@dataclass(frozen=True)
class ReleaseEvent:
    """``title``, ``branch`` and ``link`` (its URL) are the commit's."""

    kind: Kind
    stage: StageName
    models: tuple[ModelChange, ...]
    origin: Origin
    project: str | None = None
    branch: str | None = None
    title: str | None = None
    link: str | None = None
    jobs: tuple[FailedJob, ...] = ()
    reason: str | None = None


def collect_event(
    kind: Kind,
    names: Sequence[str],
    settings: Settings | None,
    *,
    stage: StageName = "production",
    reason: str | None = None,
    jobs: Sequence[FailedJob] = (),
    warn: Callable[[str], object] = lambda _: None,
) -> ReleaseEvent:
    """Return what is known about the models ``names`` after the event.

    Without ``settings``, or where the store cannot be read (which ``warn`` receives), the event has
    only what CI's variables say.
    """
    current = current_origin(settings.root if settings else Path.cwd())
    current = replace(current, commit=current.commit or os.environ.get("CI_COMMIT_SHA"))
    models = [ModelChange(name) for name in names]
    if settings is not None:
        try:
            catalog = Catalog(open_stage(settings, stage))
            models = [_model_change(kind, name, settings, catalog, current) for name in names]
        except Exception as error:  # whatever it is, the message is sent without the store's part
            warn(f"cannot read the store of {stage}: {_first_line(error)}")
    return ReleaseEvent(
        kind,
        stage,
        tuple(models),
        current,
        project=os.environ.get("CI_PROJECT_PATH"),
        branch=os.environ.get("CI_COMMIT_REF_NAME"),
        title=os.environ.get("CI_COMMIT_TITLE"),
        link=_commit_link(),
        jobs=tuple(jobs) or (_failed_jobs(warn) if kind == "failed" else ()),
        reason=reason,
    )


def _model_change(
    kind: Kind, name: str, settings: Settings, catalog: Catalog, current: Origin
) -> ModelChange:
    alias = catalog.find_alias(name)
    serving = None if alias is None else version_of(name, str(alias))
    if kind == "failed":
        # the alias did not move: what is served, and what was to be released
        version = _version_in_checkout(settings, name)
        return ModelChange(name, version=version, previous_version=serving)
    events = journal.load_events(catalog.source, name)
    event = _select_event(events, ACTIONS[kind], current)
    if event is None:
        return ModelChange(name, version=serving)
    try:
        changes = catalog.record(name, event.target).changes
    except SlipwayError:
        changes = ()  # several targets by weight, or pruned meanwhile
    version = version_of(name, event.target)
    return ModelChange(
        name,
        version=version,
        previous_version=None if event.before is None else version_of(name, event.before),
        undo_command=_undo_command(name, catalog.stage, event),
        reason=event.reason,
        changes=changes[:MAX_CHANGES],
        more_changes=len(changes[MAX_CHANGES:]),
        problem=None if serving == version else f"the alias has since moved to {serving}",
    )


def _select_event(
    events: Sequence[JournalEvent], actions: Sequence[str], current: Origin
) -> JournalEvent | None:
    """Return this pipeline's event, else the newest: a retried job did not move the alias."""
    matching = [event for event in events if event.action in actions]
    pipeline = current.pipeline
    own = [event for event in matching if pipeline and event.origin.pipeline == pipeline]
    return next(iter([*own, *matching]), None)


def _undo_command(name: str, stage: StageName, event: JournalEvent) -> str | None:
    if event.was is None:
        return None
    if len(event.was.variants) > 1:
        return f"slipway history {name} --stage {stage}"  # several variants: a person has to decide
    stage_option = "" if stage == "production" else f" --stage {stage}"
    return f"slipway rollback {name} {version_of(name, event.was.target)}{stage_option}"


def version_of(name: str, target: str) -> str:
    """Return the release version of a target model (staging's with its digest), else ``target``."""
    return target.removeprefix(f"{name}_").removesuffix(".tar.gz")


def _version_in_checkout(settings: Settings, name: str) -> str | None:
    file = settings.root / "models" / name / VERSION_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def _commit_link() -> str | None:
    project, commit = os.environ.get("CI_PROJECT_URL"), os.environ.get("CI_COMMIT_SHA")
    return f"{project}/-/commit/{commit}" if project and commit else None


def _failed_jobs(warn: Callable[[str], object]) -> tuple[FailedJob, ...]:
    """Return this job if it failed (GitLab sets the status in ``after_script``); else the
    pipeline's failed jobs, if there is a token to list them."""
    name = os.environ.get("CI_JOB_NAME")
    if name and os.environ.get("CI_JOB_STATUS") == "failed":
        return (FailedJob(name, os.environ.get("CI_JOB_URL")),)
    if not os.environ.get("SLIPWAY_GITLAB_TOKEN"):
        return ()
    from slipway.pipeline import gitlab_api  # slow to import: python-gitlab

    try:
        return tuple(FailedJob(*job) for job in gitlab_api.failed_jobs(os.environ))
    except SlipwayError as error:
        warn(str(error))
        return ()


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]
