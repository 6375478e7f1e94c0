"""Measure the pipeline from a push to an answered smoke invocation, run by gitlab-ci-local."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks import result
from benchmarks.clone import clone, copy_model
from benchmarks.context import NAME, BenchmarkContext
from benchmarks.result import Report, Row
from slipway import settings
from slipway.endpoint import serving
from tests.pipeline import gitlab, scratch

MODELS = 20
AIM_S = 60.0
LAST = "smoke staging"
JOBS = ("build and test", "publish to staging", LAST, "quality", "code quality", "report")
STAGES = ("staging", "production")
COMMITTER = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]


def measure(context: BenchmarkContext) -> list[Report]:
    """Measure the push of a branch that changes one model of twenty.

    The first runner has only the job image, the second has just run a similar pipeline.
    """
    if gitlab.program() is None:
        subprocess.run([str(scratch.ROOT / "ci" / "gitlab-ci-local"), "--version"], check=True)
    folder = context.work / "pipeline"
    folder.mkdir()
    root = clone(folder / "clone")
    for number in range(1, MODELS):
        copy_model(root, f"generated_{number:02}")
    _git(root, "add", "--all")
    _git(root, *COMMITTER, "commit", "--quiet", "--message=twenty models")
    # its origin is the repository that is measured: nothing must be pushed there
    _git(root, "remote", "remove", "origin")
    _git(root, "update-ref", "refs/remotes/origin/main", "HEAD")
    variables = {
        # the image has Pants and the command's packages; caches start empty
        "SLIPWAY_HOME": str(folder / "home"),
        "SLIPWAY_READY": str(Path.home() / ".cache" / "slipway"),
        **{f"SLIPWAY_{stage.upper()}_STORE": str(folder / "store") for stage in STAGES},
        **{f"SLIPWAY_{stage.upper()}_ENDPOINT": stage for stage in STAGES},
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    configured = settings.load(root)
    endpoints = [replace(configured.endpoint(s), store=str(folder / "store")) for s in STAGES]
    try:
        with serving.serve_in_thread(configured, endpoints) as local:
            variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] = local.url
            cold = _push(root, "cold", variables)
            warm = [_push(root, f"warm-{n}", variables) for n in range(context.repeats(3))]
    finally:
        scratch.end_pants(root)
        shutil.rmtree(folder / "home", ignore_errors=True)
    best = sorted(warm, key=lambda run: run.finished[LAST])[len(warm) // 2]
    rows = [
        Row(
            f"push to {LAST} answered",
            result.seconds(best.finished[LAST]),
            result.seconds(cold.finished[LAST]),
            target=f"≤ {result.seconds(AIM_S)}",
            met=best.finished[LAST] <= AIM_S,
        ),
        *(
            Row(f"job {job}", result.seconds(best.seconds[job]), result.seconds(cold.seconds[job]))
            for job in JOBS
        ),
    ]
    title = f"Pipeline of a branch, 1 of {MODELS} models changed, warm"
    return [Report(title, "cold: a job image, nothing cached", rows)]


def _push(root: Path, branch: str, variables: Mapping[str, str]) -> gitlab.Run:
    _git(root, "checkout", "--quiet", "-B", branch, "origin/main")
    # a line that black accepts, as the quality job checks it
    code = root / "models" / NAME / f"{NAME}_preprocessing" / "1" / "model.py"
    code.write_text(f"# {branch}\n{code.read_text(encoding='utf-8')}", encoding="utf-8")
    _git(root, *COMMITTER, "commit", "--quiet", "--all", f"--message={branch}")
    run = gitlab.run(root, variables)
    wrong = {job: state for job, state in run.jobs.items() if state == "failed"}
    if wrong:
        raise RuntimeError(f"{wrong}\n{run.said}")
    return run


def _git(root: Path, *arguments: str) -> None:
    env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=root, env=env, check=True)
