"""Propose a retrained model: a merge request a model, which a newer run changes.

Everything is prepared in a clone. What is sent to DVC's remote before the push is addressed by its
content: a push that is refused leaves nothing that anything refers to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from slipway import settings
from slipway.catalog.commit import DIRTY
from slipway.errors import SlipwayError
from slipway.model.any_folder import read_any_folder
from slipway.model.cases import cases
from slipway.pipeline.handover.merge_request import (
    AUTHOR,
    commit_staged,
    default_branch,
    push,
    target_branch,
)
from slipway.pipeline.handover.push_remote import PushRemote, push_remote
from slipway.pipeline.retraining.candidate import Placed, place_candidates
from slipway.pipeline.retraining.changes import read_stages, training_changes
from slipway.pipeline.retraining.compare import Comparison, compare, measured, served_record
from slipway.pipeline.retraining.next_version import raise_version
from slipway.pipeline.retraining.result import TrainingResult, of_checkout
from slipway.pipeline.retraining.started import read_start
from slipway.pipeline.retraining.text import ProposalFacts, text_of, title_of
from slipway.pipeline.retraining.workspace import (
    clone_of_checkout,
    clone_of_remote,
    committed_remotes,
)
from slipway.process import run as run_program
from slipway.store.open import open_stage
from slipway.store.stage import StageStore
from slipway.training.run import RUN_ID, TrainingRun, write_run

TRAILER = "Slipway-Run"
FOUND = re.compile(rf"^{TRAILER}: (\S+)$", re.MULTILINE)
State = Literal["proposed", "updated", "unchanged", "older", "worse", "shown"]


@dataclass(frozen=True)
class Proposal:
    """What became of a run of ``model``.

    ``state``: ``proposed`` and ``updated``: there is a merge request now, or its branch was moved;
    ``unchanged``: it was proposed before; ``older``: the branch has a newer run; ``worse``: it
    breaks a rule, and was not proposed; ``shown``: nothing was pushed, as asked. ``link`` is the
    merge request's address, if GitLab named it.
    """

    model: str
    state: State
    branch: str
    title: str
    text: str
    comparison: Comparison
    commit: str | None = None
    link: str | None = None


@dataclass(frozen=True)
class Options:
    """``allow_worse`` proposes what breaks a rule, too, as a draft. ``show`` pushes nothing.
    ``golden`` asks the model its golden cases, on a real Triton."""

    allow_worse: bool = False
    show: bool = False
    golden: bool = False


def propose_checkout(
    root: Path, name: str, environ: Mapping[str, str], options: Options
) -> Proposal | None:
    """Propose the last training of the model ``name`` in the checkout at ``root``, which stays as
    it is; ``None`` if the commit has this training already.

    Raises:
        SlipwayError: a candidate cannot be placed, or the push is refused.
    """
    result = of_checkout(root, name)
    if result is None:
        return None
    production = open_stage(settings.load(root), "production")
    clone = clone_of_checkout(root)
    return _propose(result, clone, push_remote(environ), environ, options, production)


def propose_result(
    result: TrainingResult, environ: Mapping[str, str], options: Options
) -> Proposal:
    """Propose what a container trained, from a clone of the commit that it ran.

    Raises:
        SlipwayError: as :func:`propose_checkout`, or the repository cannot be cloned.
    """
    remote = push_remote(environ)
    if remote.url == "origin":
        raise SlipwayError(
            "no repository to propose to",
            fix="set SLIPWAY_REPOSITORY to its address in GitLab, and SLIPWAY_PUSH_TOKEN_SECRET",
        )
    commit = result.run.commit.removesuffix(DIRTY)
    return _propose(result, clone_of_remote(remote, commit), remote, environ, options, None)


def branch_of(name: str, environ: Mapping[str, str]) -> str:
    """Return the branch on which trainings of the model ``name`` are proposed.

    Trainings of a branch have one of their own: they are proposed to that branch.
    """
    target = target_branch(environ)
    if target == default_branch(environ):
        return f"retrain/{name}"
    return f"retrain/{name}--{re.sub(r'[^A-Za-z0-9]+', '-', target).strip('-')}"


def _propose(
    result: TrainingResult,
    workspace: AbstractContextManager[Path],
    remote: PushRemote,
    environ: Mapping[str, str],
    options: Options,
    production: StageStore | None,
) -> Proposal:
    run, branch = result.run, branch_of(result.run.model, environ)
    with workspace as clone:
        folder = clone / "models" / run.model
        # a store in a folder is the checkout's, not the clone's
        production = production or open_stage(settings.load(clone), "production")
        stages = [stage.name for stage in run.stages]
        before = read_stages(clone, stages)
        result.apply(clone)
        compared = compare(
            run.model, run.id, measured(folder, run), served_record(production, run.model)
        )
        write_run(folder, replace(run, compared=compared.compared()))
        tip = None if options.show else _tip(clone, remote, branch)
        earlier = None if tip is None else _judge_tip(clone, tip, branch, run)
        if earlier is not None:
            return Proposal(run.model, earlier, branch, "", "", compared, tip)
        if compared.verdict == "worse" and not (options.allow_worse or options.show):
            return Proposal(run.model, "worse", branch, "", "", compared)
        placed = place_candidates(clone, run)
        facts = ProposalFacts(
            run=run,
            comparison=compared,
            version=raise_version(folder, production),
            placed=placed,
            changes=training_changes(before, read_stages(clone, stages)),
            start=read_start(environ, run),
            cases=[case.name for case in cases(folder)],
            pointers=[
                file.relative_to(clone).as_posix() for file in read_any_folder(folder).pointer_files
            ],
            branch=branch,
            moved=_moved(folder, placed, options),
        )
        title, text = title_of(facts), text_of(facts)
        if options.show:
            return Proposal(run.model, "shown", branch, title, text, compared)
        _push_outputs(clone, run)
        git = ["git", "-C", str(clone)]
        paths = ["models", "dvc.lock", *committed_remotes(clone)]
        existing = [path for path in paths if (clone / path).exists()]
        run_program([*git, "add", "--all", "--", *existing], what="preparing a merge request")
        commit = commit_staged(clone, f"{title}\n\n{text}\n{TRAILER}: {run.id}\n")
        link = push(
            clone,
            remote,
            branch,
            title,
            target=target_branch(environ),
            text=text,
            draft=compared.verdict == "worse",
            replaces=tip,
        )
        state: State = "updated" if tip else "proposed"
        return Proposal(run.model, state, branch, title, text, compared, commit, link)


def _tip(clone: Path, remote: PushRemote, branch: str) -> str | None:
    """Return the commit of the branch in the remote, fetched; ``None`` if there is no branch."""
    git, ref = ["-C", str(clone)], f"refs/heads/{branch}"
    what = f"looking for {branch}"
    listed = remote.git([*git, "ls-remote", remote.url, ref], what=what)
    lines = [line.split("\t") for line in listed.splitlines() if "\t" in line]
    tip = next((commit for commit, name in lines if name == ref), None)
    if tip is not None:
        remote.git([*git, "fetch", "--quiet", "--no-tags", "--depth=1", remote.url, tip], what=what)
    return tip


def _judge_tip(clone: Path, tip: str, branch: str, run: TrainingRun) -> State | None:
    """Return why ``run`` must not replace the commit ``tip``; ``None`` if it may.

    Raises:
        SlipwayError: the commit is a person's.
    """
    words = ["git", "-C", str(clone), "show", "--no-patch", "--format=%ce%n%B", tip]
    email, _, message = run_program(words, what=f"reading {branch}").stdout.partition("\n")
    found = FOUND.findall(message)
    if email != AUTHOR[1] or not found:
        raise SlipwayError(
            f"the branch {branch} has a commit that is not a training's: {tip[:12]}",
            fix="merge or close its merge request and delete the branch; the next run proposes"
            " again",
        )
    if found[-1] == run.id:
        return "unchanged"
    return "older" if _time(found[-1]) > _time(run.id) else None


def _time(run_id: str) -> str:
    matched = RUN_ID.fullmatch(run_id)
    return matched["time"] if matched else ""


def _moved(
    folder: Path, placed: Sequence[Placed], options: Options
) -> Mapping[str, Sequence[str]] | None:
    if not (options.golden and any(each.changed for each in placed)):
        return None
    from slipway.pipeline.retraining.golden_cases import moved_answers

    return moved_answers(folder, settings.load(folder))


def _push_outputs(clone: Path, run: TrainingRun) -> None:
    """Send the outputs of the run's stages that DVC's cache has to its remote, for reviewers."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not (clone / ".dvc").is_dir() or not run.stages:
        return
    try:
        with Repo(str(clone)) as repo:
            if list(repo.config["remote"]):
                repo.push(targets=[_target(clone, stage.name) for stage in run.stages])
    except (DvcException, OSError) as error:
        raise SlipwayError(
            f"the outputs of the training cannot be sent to DVC's remote: {error}",
            where=run.id,
            fix="dvc push; check the remote and the job's credentials",
        ) from error


def _target(clone: Path, address: str) -> str:
    """Return a stage's address with an absolute path: DVC takes others from the current folder."""
    file, _, name = address.rpartition(":")
    return f"{clone / (file or 'dvc.yaml')}:{name}"
