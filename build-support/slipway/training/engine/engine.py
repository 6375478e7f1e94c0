"""Run the stages of a training with DVC, in this process and its working directory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.training.engine.commands import CommandSettings, StageCommands
from slipway.training.parameters import set_parameters
from slipway.training.run import Source
from slipway.training.stages import (
    STEPS,
    Step,
    address_of,
    in_order,
    model_stages,
    needed_by,
    owner_of,
)
from slipway.training.variables import Machine, count_gpus

Emit = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True)
class Order:
    """What to run: the stages of ``steps`` of ``model``, with ``parameters`` set.

    ``base`` is the folder with SageMaker's layout, ``checkpoints`` that of checkpoints. ``force``
    runs stages that have not changed. ``push`` says when results go to DVC's remote: after
    ``each`` stage, at the ``end``, or ``never``. The steps ``recorded`` are in the summary; those
    that run, if none is named.
    """

    model: str
    base: str
    checkpoints: str
    job: str
    steps: tuple[Step, ...] = ("train", "evaluate")
    parameters: Mapping[str, str] = field(default_factory=dict)
    force: bool = False
    push: str = "end"
    instance: str = "local"
    recorded: tuple[Step, ...] = ()


class Engine:
    """One run of stages. ``emit`` is called with each event; ``provide`` returns the folder of the
    training's packages, and is called before the first command that runs."""

    def __init__(self, repo: Any, order: Order, emit: Emit, provide: Callable[[], Path]) -> None:
        self._repo, self._order, self._emit, self._provide = repo, order, emit, provide
        self._root = Path(repo.root_dir)
        self._folder = self._root / "models" / order.model
        self._sources: dict[str, Source] = {}
        self._set: list[str] = []
        self._differ: set[Any] = set()
        self._stopped = False
        self._own = self._stages(*order.steps)

    def stop(self) -> None:
        """Let no further stage begin."""
        self._stopped = True

    def run(self) -> dict[str, Any]:
        """Run the stages; return what the record keeps of them.

        Raises:
            SlipwayError: the model has no stages, a parameter is unknown, a stage failed, or the
                run was stopped.
        """
        from dvc.repo import lock_repo

        from slipway.training.engine.run_cache import RunCache
        from slipway.training.record import summarize

        if not self._stages(*STEPS):
            raise SlipwayError(
                f"{self._order.model} has no stages that train it",
                where=f"models/{self._order.model}",
                fix="write its stages in dvc.yaml: docs/training.md shows how",
            )
        if self._order.parameters:
            with lock_repo(self._repo):  # which reads DVC's files again at its end
                files = set_parameters(self._stages(*STEPS), self._order.parameters)
            self._set = [file.relative_to(self._root).as_posix() for file in files]
            self._own = self._stages(*self._order.steps)
        remote = self._repo.config["core"].get("remote") if self._order.push != "never" else None
        cache = self._repo.stage_cache = RunCache(self._repo, remote)
        with lock_repo(self._repo):
            self._differ = self._find_differing()
        changed = [s for s in self._own if s in self._differ or self._order.force]
        self._emit({"event": "plan", "stages": [address_of(s) for s in self._own]})
        commands = self._commands = self._prepare()
        with commands.prepared():
            for stage in self._own:
                if stage in changed:
                    self._run_stage(stage)
                if self._order.push == "each":
                    self._push(cache, stage)
        for stage in self._own if self._order.push == "end" else ():
            self._push(cache, stage)
        stages = self._stages(*(self._order.recorded or self._order.steps))
        summary = summarize(self._repo, self._folder, stages, self._sources)
        return summary | {"set": self._set, "shared": remote is not None}

    def _stages(self, *steps: Step) -> list[Any]:
        """Return the model's stages of ``steps``, and those of no model that they depend on."""
        ordered = in_order(self._repo)
        names = model_stages(self._repo, self._order.model).of(steps)
        own = {stage for stage in ordered if address_of(stage) in names}
        shared = {
            before
            for stage in own
            for before in needed_by(self._repo, stage)
            if not before.is_data_source and owner_of(self._repo, before) is None
        }
        return [stage for stage in ordered if stage in own | shared]

    def _find_differing(self) -> set[Any]:
        """Return the stages that differ from ``dvc.lock``, and those that depend on them. That
        outputs are missing here is no difference."""
        graph = self._repo.index.graph
        needed = {s for own in self._own for s in (own, *needed_by(self._repo, own))}
        differ: set[Any] = set()
        for stage in (s for s in in_order(self._repo) if s in needed):
            before = list(graph.successors(stage))
            if any(s in differ for s in before) or (
                not stage.is_data_source and stage.changed(True, before)
            ):
                differ.add(stage)
        return differ

    def _prepare(self) -> StageCommands:
        order = self._order
        settings = CommandSettings(
            model=self._folder,
            base=Path(order.base),
            checkpoints=Path(order.checkpoints),
            machine=Machine(order.job, order.instance, count_gpus()),
        )
        return StageCommands(self._repo, settings, self._own, self._provide)

    def _run_stage(self, stage: Any) -> None:
        if self._stopped:
            raise SlipwayError("the training was stopped", fix="start it again")
        if not self._order.force and self._restore(address_of(stage)):
            return
        for producer in self._repo.index.graph.successors(stage):
            self._materialise(producer)
        self._reproduce(stage, force=self._order.force)

    def _restore(self, name: str) -> bool:
        """Take the result from the run cache, without what the stage reads."""
        from dvc.repo import lock_repo

        started = time.monotonic()
        with lock_repo(self._repo):
            graph = self._repo.index.graph
            stage = next(s for s in graph if address_of(s) == name)
            inputs = {out.fs_path: out for s in graph.successors(stage) for out in s.outs}
            if not self._repo.stage_cache.restore_without_inputs(stage, inputs):
                return False
        self._sources[name] = "run cache"
        self._report(name, "run cache", time.monotonic() - started)
        return True

    def _materialise(self, stage: Any) -> None:
        """Have the outputs of a stage that another one reads: pull them, or else make them."""
        if all(out.exists for out in stage.outs):
            return
        name = address_of(stage)
        if stage in self._differ and stage not in self._own:
            raise SlipwayError(
                f"{name}, which the training needs, has changed, and belongs to another step or "
                "model",
                where=stage.path_in_repo,
                fix=f"train {owner_of(self._repo, stage)} first",
            )
        with contextlib.suppress(Exception):  # each remote has its own; what is missing is made
            self._repo.pull(name)
        if all(out.exists for out in stage.outs):
            return
        if stage.is_data_source:
            outs = ", ".join(str(out) for out in stage.outs)
            raise SlipwayError(
                f"{outs} is neither here nor in DVC's remote",
                where=stage.relpath,
                fix="dvc push, where the data are",
            )
        for producer in self._repo.index.graph.successors(stage):
            self._materialise(producer)
        self._reproduce(stage, force=False)

    def _reproduce(self, stage: Any, *, force: bool) -> None:
        from dvc.exceptions import DvcException

        name = address_of(stage)
        started = time.monotonic()
        self._emit({"event": "stage", "name": name, "cmd": str(stage.cmd)})
        try:
            done = self._repo.reproduce([name], single_item=True, pull=True, force=force)
        except DvcException as error:
            cause = error.__cause__ or error
            if isinstance(cause, SlipwayError):
                raise cause from error
            raise SlipwayError(
                f"the stage {name} failed: {cause}",
                where=stage.path_in_repo,
                fix="correct what its output says, then train again",
            ) from error
        if name in self._commands.ran:
            self._sources[name] = "ran"
        elif done:
            self._sources[name] = "run cache"
        if self._sources.get(name) == "ran":
            # DVC keeps no run of a stage with cache: false outputs
            self._repo.stage_cache.save(self._reloaded(stage))
        self._report(name, self._sources.get(name, "unchanged"), time.monotonic() - started)

    def _reloaded(self, stage: Any) -> Any:
        return next(s for s in self._repo.index.stages if address_of(s) == address_of(stage))

    def _push(self, cache: Any, stage: Any) -> None:
        from dvc.exceptions import DvcException

        if self._sources.get(address_of(stage)) != "ran":
            return
        try:
            cache.publish(self._reloaded(stage))
        except (DvcException, OSError) as error:
            self._emit({"event": "not pushed", "name": address_of(stage), "why": str(error)})

    def _report(self, name: str, source: Source, seconds: float) -> None:
        self._emit({"event": "done", "name": name, "source": source, "seconds": seconds})
