"""What there is to tell of a release, a failure or a rollback: from the store and from CI's variables.

Whatever is missing is left out: a notification without a detail is better than none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from slipway.catalog import journal
from slipway.catalog.catalog import Catalog
from slipway.catalog.journal import Event
from slipway.catalog.keys import Stage
from slipway.catalog.origin import Origin, origin
from slipway.errors import SlipwayError
from slipway.model.folder import VERSION_FILE
from slipway.settings import Settings
from slipway.store.interface import Reader
from slipway.store.open import open_stage

Kind = Literal["released", "failed", "rolled-back"]
# what the journal calls the events that a kind is about
ACTIONS = {"released": ("publish", "promote"), "rolled-back": ("rollback",)}
FIRST_CHANGES = 3


@dataclass(frozen=True)
class Subject:
    """A model: ``now`` is the release version that its name stands for, ``before`` the one that it
    stood for; ``undo`` is the command that goes back. ``problem`` says why something is missing."""

    name: str
    now: str | None = None
    before: str | None = None
    undo: str | None = None
    reason: str | None = None
    changes: tuple[str, ...] = ()
    more_changes: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class Job:
    """A job that failed, and the address of its log."""

    name: str
    log: str | None


@dataclass(frozen=True)
class News:
    """``title`` and ``branch`` are the commit's, ``link`` is its address."""

    kind: Kind
    stage: Stage
    subjects: tuple[Subject, ...]
    origin: Origin
    project: str | None = None
    branch: str | None = None
    title: str | None = None
    link: str | None = None
    jobs: tuple[Job, ...] = ()
    reason: str | None = None


def gather(
    kind: Kind,
    names: Sequence[str],
    settings: Settings | None,
    *,
    stage: Stage = "production",
    reason: str | None = None,
    jobs: Sequence[Job] = (),
    warn: Callable[[str], object] = lambda _: None,
) -> News:
    """What is known of ``names`` after what happened to them. ``settings`` may be missing, the store
    out of reach: ``warn`` is told, and the rest is there."""
    here = origin(settings.root if settings else Path.cwd())
    here = replace(here, commit=here.commit or os.environ.get("CI_COMMIT_SHA"))
    subjects = [Subject(name) for name in names]
    if settings is not None:
        try:
            store = open_stage(settings, stage)
            subjects = [_subject(kind, name, settings, store, stage, here) for name in names]
        except Exception as error:  # whatever it is, the message is sent without it
            warn(f"the store of {stage} tells nothing: {_first_line(error)}")
    return News(
        kind,
        stage,
        tuple(subjects),
        here,
        project=os.environ.get("CI_PROJECT_PATH"),
        branch=os.environ.get("CI_COMMIT_REF_NAME"),
        title=os.environ.get("CI_COMMIT_TITLE"),
        link=_commit_link(),
        jobs=tuple(jobs) or (_failed_jobs(warn) if kind == "failed" else ()),
        reason=reason,
    )


def _subject(
    kind: Kind, name: str, settings: Settings, store: Reader, stage: Stage, here: Origin
) -> Subject:
    catalog = Catalog(store, stage)
    alias = catalog.find_alias(name)
    serves = None if alias is None else _version(name, str(alias))
    if kind == "failed":
        # nothing moved: what is served, and what was to be
        return Subject(name, now=_written(settings, name), before=serves)
    event = _event(journal.read(store, stage, name), ACTIONS[kind], here)
    if event is None:
        return Subject(name, now=serves)
    try:
        changes = catalog.record(name, event.target).changes
    except SlipwayError:
        changes = ()  # several targets by weight, or pruned meanwhile
    before = None if event.before is None else _version(name, event.before)
    return Subject(
        name,
        now=_version(name, event.target),
        before=before,
        undo=_undo(name, stage, event),
        reason=event.reason,
        changes=changes[:FIRST_CHANGES],
        more_changes=len(changes[FIRST_CHANGES:]),
        problem=(
            f"but by now it stands for {serves}" if serves != _version(name, event.target) else None
        ),
    )


def _event(events: Sequence[Event], actions: Sequence[str], here: Origin) -> Event | None:
    """This pipeline's event, else the newest: a job that is run again did not move anything."""
    found = [event for event in events if event.action in actions]
    own = [event for event in found if here.pipeline and event.origin.pipeline == here.pipeline]
    return next(iter([*own, *found]), None)


def _undo(name: str, stage: Stage, event: Event) -> str | None:
    if event.was is None:
        return None
    if len(event.was.variants) > 1:
        return f"slipway history {name} --stage {stage}"  # an alias of several: a person has to say
    of_stage = "" if stage == "production" else f" --stage {stage}"
    return f"slipway rollback {name} --to {_version(name, event.was.target)}{of_stage}"


def _version(name: str, target: str) -> str:
    """The release version in a target model, with staging's digest; other texts as they are."""
    return target.removeprefix(f"{name}_").removesuffix(".tar.gz")


def _written(settings: Settings, name: str) -> str | None:
    file = settings.root / "models" / name / VERSION_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def _commit_link() -> str | None:
    project, commit = os.environ.get("CI_PROJECT_URL"), os.environ.get("CI_COMMIT_SHA")
    return f"{project}/-/commit/{commit}" if project and commit else None


def _failed_jobs(warn: Callable[[str], object]) -> tuple[Job, ...]:
    """This job, if it is the one that failed, as GitLab says in ``after_script``; else the
    pipeline's, if there is a token to ask for them."""
    name = os.environ.get("CI_JOB_NAME")
    if name and os.environ.get("CI_JOB_STATUS") == "failed":
        return (Job(name, os.environ.get("CI_JOB_URL")),)
    if not os.environ.get("SLIPWAY_GITLAB_TOKEN"):
        return ()
    from slipway.pipeline import gitlab_api  # python-gitlab: not at every start

    try:
        return tuple(Job(*job) for job in gitlab_api.failed_jobs(os.environ))
    except SlipwayError as error:
        warn(str(error))
        return ()


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]
