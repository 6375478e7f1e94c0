"""Add a training run to a lineage: data, code and image, then its stages."""

from __future__ import annotations

from dataclasses import asdict

from slipway.lineage.collector import Collector
from slipway.release.evidence.training import AttestedTraining
from slipway.training.inputs import find_inputs, is_code


def add_training(graph: Collector, attested: AttestedTraining, signed_by: tuple[str, ...]) -> None:
    """Add the run, its stages, and all that they read. ``signed_by`` are ids of trusted keys."""
    run = attested.run
    compared = None if run.compared is None else asdict(run.compared)
    if compared is not None:
        compared["broken"] = list(compared["broken"])
    name = graph.add(
        "run", run.id, run.id, place=run.place, started=run.started, seconds=run.seconds,
        commit=run.commit, dirty=run.dirty or None, image=run.image, lock=run.lock_sha256,
        parameters=dict(run.parameters), metrics=dict(run.metrics), jobs=list(run.jobs),
        compared=compared, reason=run.reason, sha256=attested.reference.sha256,
        signed_by=list(signed_by),
    )  # fmt: skip
    inputs = find_inputs(run)
    code = [file.path for file in inputs if is_code(file)]
    commit = f"commit {run.commit[:7]}" if run.commit else "no commit"
    source = graph.add("code", run.commit or "unknown", commit, dirty=run.dirty or None, files=code)
    graph.link([source], name, "ran")
    if run.image:
        graph.link([graph.add("image", run.image, _short_image(run.image))], name, "in")
    else:
        graph.unknown.append(f"{run.id} ran in no image: only its lock is known")
    if run.dirty:
        graph.unknown.append(f"the code of {run.id} differed from its commit")
    if not signed_by:
        graph.unknown.append("no trusted key signed the statement of the training")
    data = {}
    for file in inputs:
        if is_code(file):
            continue
        origin = attested.sources.get(file.path, {})
        data[file.path] = graph.add(
            "data", file.path, file.path, hash=file.hash, size=file.size, source=dict(origin)
        )
        if not origin:
            graph.unknown.append(f"where {file.path} came from is not recorded")
    made: dict[str, str] = {}
    for stage in run.stages:
        made |= {out.path: f"stage:{stage.name}" for out in stage.outs}
    for stage in run.stages:
        step = graph.add(
            "stage", stage.name, stage.name, command=stage.cmd, source=stage.source,
            parameters=dict(stage.params), reads=[dep.path for dep in stage.deps],
            writes=[asdict(out) for out in stage.outs], run=run.id,
        )  # fmt: skip
        if stage.source != "ran":
            graph.unknown.append(_not_run(stage.name, stage.source))
        for dep in stage.deps:
            if dep.path in data:
                graph.link([data[dep.path]], step)
            elif dep.path in made:
                graph.link([made[dep.path]], step, dep.path.rpartition("/")[2])
        if not any(dep.path in data or dep.path in made for dep in stage.deps):
            graph.link([source], step)


def _not_run(stage: str, source: str) -> str:
    if source == "run cache":
        return f"{stage} did not run: another run's result was in DVC's run cache"
    return f"{stage} did not run: nothing it depends on had changed"


def _short_image(image: str) -> str:
    name, _, digest = image.rpartition("@")
    algorithm, _, value = digest.rpartition(":")
    repository = name.rpartition("/")[2]
    return f"{repository} {algorithm or 'sha256'} {value[:12]}".strip()
