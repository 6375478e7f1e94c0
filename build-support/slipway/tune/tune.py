"""Tune one model on the local server: from its artifact to a report."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slipway.artifact.artifact import Artifact
from slipway.catalog.record import Record
from slipway.errors import SlipwayError
from slipway.loadtest.address import Address
from slipway.model.folder import ENSEMBLE
from slipway.settings import Settings
from slipway.store.stage import StageStore
from slipway.triton.config import FILE_NAME, ModelConfig, asks_for_gpu, load_config
from slipway.tune.answers import TOGETHER, Answers
from slipway.tune.candidate import PRECISION, Space
from slipway.tune.estimate import estimate_noise, estimate_points
from slipway.tune.frontier import Goal, Limits
from slipway.tune.local import LocalPlace
from slipway.tune.place import Place
from slipway.tune.precision.judge import Judge, why_no_judge
from slipway.tune.precision.lowered import Lowered
from slipway.tune.remote import RemotePlace
from slipway.tune.report import INTERRUPTED, TuneReport
from slipway.tune.search import Search
from slipway.tune.session import (
    Session,
    ShowProgress,
    Terms,
    calibration_requests,
    hold_baseline,
)
from slipway.tune.space import Extent, derive_space
from slipway.tune.state import State, load_state, state_file
from slipway.tune.write import NewText, NewWeights, new_texts, new_weights

FOR_CPU = (
    "measured on this machine's processors, next to the load: the order of the configs holds for"
    " endpoints of such CPU instances, the numbers for this machine"
)
FOR_ENDPOINT = (
    "measured at the endpoint, with what else is asked of it; processor time and memory cannot be"
    " seen there"
)
GPU = "a GPU's instance counts, batches and precision can be tried on that GPU only"


@dataclass(frozen=True)
class Wish:
    """What is asked for: a goal, its limits, how far and how long to search."""

    goal: Goal
    limits: Limits
    extent: Extent
    terms: Terms
    exhaustive: bool = False


@dataclass(frozen=True)
class Tuned:
    """The report, and what it takes to write its choice."""

    report: TuneReport
    texts: tuple[NewText, ...]
    weights: tuple[NewWeights, ...]
    kept: Path


def tune(
    folder: Path,
    settings: Settings,
    artifact: Artifact,
    wish: Wish,
    progress: ShowProgress,
    served: Record | None = None,
    endpoint: tuple[Address, StageStore] | None = None,
) -> Tuned:
    """Search for the best config of the model in ``folder``, as packed in ``artifact``.

    ``served`` is production's release, whose metrics lowered weights have to hold. ``endpoint`` is
    where to measure, and what it loads from, instead of a server of this machine.

    Raises:
        SlipwayError: there is no server; the model as it is does not load, answer or carry load;
            or nothing can be tried.
    """
    kept = settings.root / ".slipway" / "tune"
    with ExitStack() as stack:
        with progress(f"loading {folder.name}"):
            place = stack.enter_context(_place(settings, folder, artifact.path, endpoint))
        configs = {
            path.parent.name: load_config(path) for path in place.folder().glob(f"*/{FILE_NAME}")
        }
        space, gpu = _space(folder, configs, wish)
        if not space.knobs:
            raise SlipwayError(
                "there is nothing to try: " + "; ".join(space.left_out or ("no knob fits",)),
                where=str(folder),
                fix="other names after --only, more --clients, or --cpu if the endpoint has no GPU",
            )
        together = max(2, min(TOGETHER, wish.terms.clients.most))
        answers = Answers(folder, place.baseline_model, together)
        hold_baseline(answers, place)
        requests = place.baseline.requests
        state = load_state(
            state_file(settings.root, place.name, _conditions(place, artifact, wish))
        )
        served_model = artifact.manifest.serves
        lowered = Lowered(
            kept, lambda step: calibration_requests(place, folder, served_model, step)
        )
        place.lowered = lowered
        judge = None
        if any(knob.name == PRECISION for knob in space.knobs):
            judge = Judge(folder, settings.root, artifact.path, served)
        session = Session(place, answers, state, wish.terms, progress, judge)
        search = Search(
            space,
            session,
            wish.terms.clients,
            wish.goal,
            wish.limits,
            np.random.default_rng(wish.terms.seed),
            exhaustive=wish.exhaustive,
        )
        try:
            chosen = search.run()
        except KeyboardInterrupt:
            chosen, search.ended = None, f"{INTERRUPTED}; what was measured is kept"
        report = _report(place, state, space, wish, search.ended, session.reused)
        report = dataclasses.replace(
            report,
            chosen=chosen,
            inputs=f"{len(requests)} requests, held against {answers.origin}",
            notes=_notes(gpu, endpoint) + place.fallbacks,
        )
        candidate = chosen.candidate if chosen is not None else ()
        weights = tuple(new_weights(folder, place.folder(), candidate, lowered))
        return Tuned(report, tuple(new_texts(folder, candidate)), weights, kept)


def _place(
    settings: Settings, folder: Path, artifact: Path, endpoint: tuple[Address, StageStore] | None
) -> Place:
    if endpoint is None:
        return LocalPlace(settings, folder, artifact)
    return RemotePlace(*endpoint, folder, artifact)


def _space(folder: Path, configs: Mapping[str, ModelConfig], wish: Wish) -> tuple[Space, bool]:
    """Return the space, and whether a model asks for a GPU."""
    extent = wish.extent
    reason = why_no_judge(folder) if PRECISION in extent.names else None
    if reason is not None:
        extent = dataclasses.replace(extent, names=extent.names - {PRECISION})
    space = derive_space(configs, extent)
    if reason is not None:
        space = dataclasses.replace(space, left_out=(*space.left_out, reason))
    sources = [load_config(path) for path in folder.glob(f"*/{FILE_NAME}")]
    gpu = any(
        asks_for_gpu(config) or (config.platform != ENSEMBLE and not config.instance_group)
        for config in sources
    )
    return space, gpu


def _notes(gpu: bool, endpoint: tuple[Address, StageStore] | None) -> tuple[str, ...]:
    if endpoint is not None:
        return (FOR_ENDPOINT,)
    return (FOR_CPU, GPU) if gpu else (FOR_CPU,)


def _conditions(place: Place, artifact: Artifact, wish: Wish) -> list[object]:
    """Return what measurements must have in common to be compared."""
    bodies = [hashlib.sha256(request.body).hexdigest() for request in place.baseline.requests]
    return [
        artifact.sha256,
        place.describe(),
        list(wish.terms.clients.numbers),
        wish.terms.block_s,
        os.uname().nodename,
        wish.extent.cores,
        bodies,
    ]


def _report(
    place: Place, state: State, space: Space, wish: Wish, ended: str, reused: int
) -> TuneReport:
    clients = wish.terms.clients
    known = space.among(state.measured)
    return TuneReport(
        name=place.name,
        place=place.describe(),
        inputs="",
        clients=clients,
        goal=wish.goal,
        limits=wish.limits,
        points=tuple(estimate_points(known, clients)),
        chosen=None,
        noise=estimate_noise(known, clients),
        failures={c: m.failure for c, m in known.items() if m.failure is not None},
        left_out=space.left_out,
        combinations=len(space),
        ended=ended,
        reused=reused,
    )
